package rtc

import (
	"errors"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/pion/webrtc/v4"

	"github.com/liveproof/liveproof"
)

// TestSpecialAddressesAreNoCandidates: a client cannot make the server send to its own machine, its
// link, its cloud's metadata service or to a group.
func TestSpecialAddressesAreNoCandidates(t *testing.T) {
	loopback := func(c *Config) { c.IncludeLoopback = true }
	allow := func(networks ...string) func(*Config) {
		return func(c *Config) { c.AllowCandidates = networks }
	}
	for _, c := range []struct {
		address string
		fine    bool
		change  func(*Config)
	}{
		{"10.1.2.3", true, nil},
		{"172.16.0.1", true, nil},
		{"192.168.1.20", true, nil},
		{"100.64.0.1", true, nil}, // shared address space: mobile networks, overlays
		{"8.8.8.8", true, nil},
		{"2606:4700::1111", true, nil},
		{"fd12:3456:789a::1", true, nil},
		{"0f9c7c1e-8a3e-4a51-9d0c-3f0d9a1b2c3d.local", true, nil},

		{"169.254.169.254", false, nil},
		{"169.254.170.2", false, nil},
		{"168.63.129.16", false, nil},
		{"100.100.100.200", false, nil},
		{"fd00:ec2::254", false, nil},
		{"fd20:ce::254", false, nil},
		{"169.254.3.4", false, nil},
		{"fe80::1", false, nil},
		{"fec0::1", false, nil},
		{"::ffff:169.254.169.254", false, nil}, // IPv4-mapped
		{"::169.254.169.254", false, nil},      // IPv4-compatible
		{"64:ff9b::169.254.169.254", false, nil},
		{"64:ff9b:1::1", false, nil},
		{"2002:a9fe:a9fe::1", false, nil}, // 6to4 of 169.254.169.254
		{"2001:0:1::1", false, nil},       // Teredo
		{"0.0.0.0", false, nil},
		{"0.1.2.3", false, nil},
		{"::", false, nil},
		{"192.0.0.8", false, nil},
		{"198.18.0.1", false, nil},
		{"224.0.0.251", false, nil},
		{"ff02::fb", false, nil},
		{"240.0.0.1", false, nil},
		{"255.255.255.255", false, nil},
		{"100::1", false, nil},

		{"127.0.0.1", false, nil},
		{"127.8.9.1", false, nil},
		{"::1", false, nil},
		{"127.0.0.1", true, loopback},
		{"::1", true, loopback},
		{"::ffff:127.0.0.1", true, loopback},
		{"127.0.0.1", true, func(c *Config) { c.Bind = BindLoopback }},

		{"169.254.3.4", true, allow("169.254.0.0/16")},
		{"fe80::1", true, allow("fe80::/10")},
		{"169.254.3.4", true, allow("fe80::/10", "169.254.3.0/24")},
		{"169.254.169.254", false, allow("169.254.0.0/16")}, // the metadata service needs to be named itself
		{"169.254.169.254", true, allow("169.254.169.254/32")},
		{"fd00:ec2::254", false, allow("fe80::/10")},
		{"169.254.3.4", false, allow("0.0.0.0/0")}, // Validate refuses it, too
		{"224.0.0.251", false, allow("224.0.0.0/4")},
	} {
		cfg := DefaultConfig()
		cfg.IncludeLoopback = false
		name := c.address
		if c.change != nil {
			c.change(&cfg)
			name += fmt.Sprintf(" %v %v %v", cfg.IncludeLoopback, cfg.Bind, cfg.AllowCandidates)
		}
		t.Run(name, func(t *testing.T) {
			for _, form := range []string{
				"candidate:1 1 udp 2113937151 %s 5000 typ host",
				"1 1 udp 2113937151 %s 5000 typ host",
				"candidate:1 1 tcp 1518280447 %s 9 typ host tcptype active",
				"candidate:1 1 tcp 1518280447 %s 5000 typ host tcptype passive",
				"candidate:1 1 udp 2113937151 %s 5000 typ srflx raddr 10.0.0.1 rport 5000",
				"candidate:1 1 udp 2113937151 %s 5000 typ prflx raddr 10.0.0.1 rport 5000",
				"candidate:1 1 udp 2113937151 %s 5000 typ relay raddr 10.0.0.1 rport 5000",
			} {
				if strings.HasSuffix(c.address, ".local") && !strings.Contains(form, "typ host") {
					continue
				}
				err := cfg.checkCandidate(fmt.Sprintf(form, c.address))
				if c.fine && err != nil || !c.fine && !errors.Is(err, ErrBadCandidate) {
					t.Errorf("%s: %v", form, err)
				}
			}
			if ip := net.ParseIP(c.address); ip != nil && cfg.keepsRemote(ip) != c.fine {
				t.Errorf("the filter of ICE says %v", !c.fine)
			}
		})
	}
}

func TestAllowCandidatesIsChecked(t *testing.T) {
	for _, bad := range []string{"169.254.1.1", "10.0.0.0/8", "0.0.0.0/0", "169.0.0.0/8", "224.0.0.0/4", "x", ""} {
		cfg := DefaultConfig()
		cfg.AllowCandidates = []string{bad}
		if err := cfg.Validate(); err == nil || !strings.HasPrefix(err.Error(), "allow_candidates: ") {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

// TestNothingIsSentToLoopback: a server without loopback gets a loopback candidate in an offer and by
// trickle; a socket there hears nothing of it, and the refusals are counted.
func TestNothingIsSentToLoopback(t *testing.T) {
	victim, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	defer victim.Close()
	candidate := fmt.Sprintf("candidate:1 1 udp 2113937151 127.0.0.1 %d typ host", victim.LocalAddr().(*net.UDPAddr).Port)
	for name, heard := range map[string]bool{"without loopback": false, "with loopback": true} {
		t.Run(name, func(t *testing.T) {
			cfg := testConfig()
			cfg.Interfaces, cfg.IncludeLoopback = nil, heard
			if ips, err := localIPs(cfg); err != nil || len(ips) == 0 {
				t.Skipf("no network interface but loopback: %v", err)
			}
			p, err := newTestAPI(t, cfg).NewPeer("01TEST", nil)
			if err != nil {
				t.Fatal(err)
			}
			defer p.Close()
			offer, _ := splitCandidates(newClient(t, clientOptions{}).offer(t))
			offer = strings.Replace(offer, "a=mid:", "a="+candidate+"\r\na=mid:", 1)
			if _, err := p.Answer(t.Context(), offer); err != nil {
				t.Fatal(err)
			}
			if err := p.AddCandidate(webrtc.ICECandidateInit{Candidate: candidate}); heard != (err == nil) {
				t.Errorf("trickled: %v", err)
			}
			_ = victim.SetReadDeadline(time.Now().Add(time.Second))
			_, _, err = victim.ReadFrom(make([]byte, 1500))
			if heard != (err == nil) {
				t.Errorf("the socket heard something: %v", !heard)
			}
		})
	}
}

// TestMediaOnLoopbackOnly: no socket is reachable at another address of this machine, and a client on
// the same machine connects over UDP and TCP.
func TestMediaOnLoopbackOnly(t *testing.T) {
	all, err := localIPs(Config{})
	if err != nil || len(all) == 0 {
		t.Skipf("no network interface but loopback: %v", err)
	}
	cfg := testConfig()
	cfg.Interfaces, cfg.IncludeLoopback, cfg.Bind = nil, false, BindLoopback
	api := newTestAPI(t, cfg)
	for _, ip := range all {
		address := net.JoinHostPort(ip.String(), fmt.Sprint(api.TCPAddr().Port))
		if conn, err := net.DialTimeout("tcp", address, time.Second); err == nil {
			_ = conn.Close()
			t.Errorf("TCP is open at %s", address)
		}
		socket, err := net.ListenUDP("udp", &net.UDPAddr{IP: ip, Port: api.UDPAddr().Port})
		if err != nil {
			t.Errorf("UDP is bound at %v: %v", ip, err)
			continue
		}
		_ = socket.Close()
	}
	for _, network := range []webrtc.NetworkType{webrtc.NetworkTypeUDP4, webrtc.NetworkTypeTCP4} {
		frames := encodedStream(t, liveproof.CodecVP8)
		c, p := dial(t, api, clientOptions{network: network})
		c.play(frames, 10*time.Millisecond)
		wantPictures(t, video(t, p), liveproof.CodecVP8, frames, 3)
	}
}
