package rtc

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pion/ice/v4"
	"github.com/pion/webrtc/v4"

	"github.com/liveproof/liveproof"
)

// wantPictures wants n units that are pictures of the encoder's, the first a key frame.
func wantPictures(t *testing.T, v *Video, codec liveproof.Codec, frames []frame, n int) {
	t.Helper()
	for i := range n {
		u := next(t, v)
		f := slices.IndexFunc(frames, func(f frame) bool { return bytes.Equal(f.data, u.Data) })
		if f < 0 || u.Codec != codec || u.Key != frames[f].key {
			t.Fatalf("unit %d is no picture of the encoder's (%d): %s key %v, %d bytes", i, f, u.Codec, u.Key, len(u.Data))
		}
		if i == 0 && !u.Key {
			t.Fatal("the first unit is no key frame")
		}
	}
}

func TestPeerReceivesEveryCodec(t *testing.T) {
	eachCodec(t, func(t *testing.T, codec liveproof.Codec, frames []frame) {
		c, p := dial(t, newTestAPI(t, testConfig()), clientOptions{codec: codec})
		c.play(frames, 10*time.Millisecond)
		v := video(t, p)
		wantPictures(t, v, codec, frames, 60)
		if s := p.Stats(); s.AccessUnits < 60 || s.Packets < 60 || s.Bytes < 60 {
			t.Fatalf("%+v", s)
		}
		if err := p.Close(); err != nil {
			t.Fatal(err)
		}
		drainUntilEnd(t, v)
		if p.Err() != nil {
			t.Fatalf("closed here, and yet %v", p.Err())
		}
	})
}

func TestPeerOverTCPOnly(t *testing.T) {
	frames := encodedStream(t, liveproof.CodecVP8)
	api := newTestAPI(t, testConfig())
	c, p := dial(t, api, clientOptions{network: webrtc.NetworkTypeTCP4})
	c.play(frames, 10*time.Millisecond)
	wantPictures(t, video(t, p), liveproof.CodecVP8, frames, 30)
	pair, err := c.pc.SCTP().Transport().ICETransport().GetSelectedCandidatePair()
	if err != nil || pair.Remote.Protocol != webrtc.ICEProtocolTCP || int(pair.Remote.Port) != api.TCPAddr().Port {
		t.Fatalf("pair %v, %v", pair, err)
	}
}

// TestPeersShareOneUDPPort runs two sessions at once.
func TestPeersShareOneUDPPort(t *testing.T) {
	frames, other := encodedStream(t, liveproof.CodecVP8), encodedStream(t, liveproof.CodecH264)
	api := newTestAPI(t, testConfig())
	a, pa := dial(t, api, clientOptions{codec: liveproof.CodecVP8})
	b, pb := dial(t, api, clientOptions{codec: liveproof.CodecH264})
	a.play(frames, 10*time.Millisecond)
	b.play(other, 10*time.Millisecond)
	wantPictures(t, video(t, pa), liveproof.CodecVP8, frames, 30)
	wantPictures(t, video(t, pb), liveproof.CodecH264, other, 30)
	for _, c := range []*client{a, b} {
		pair, err := c.pc.SCTP().Transport().ICETransport().GetSelectedCandidatePair()
		if err != nil || int(pair.Remote.Port) != api.UDPAddr().Port {
			t.Fatalf("pair %v, %v; want port %d", pair, err, api.UDPAddr().Port)
		}
	}
	if err := pa.Close(); err != nil {
		t.Fatal(err)
	}
	wantPictures(t, video(t, pb), liveproof.CodecH264, other[:0:0], 0)
	next(t, video(t, pb)) // the other one goes on
}

// TestPeerOfUnknownAddress: the offer does not say where the client is. Its checks reach us all the same.
func TestPeerOfUnknownAddress(t *testing.T) {
	frames := encodedStream(t, liveproof.CodecVP8)
	cfg := testConfig()
	cfg.Bind = BindLoopback
	for name, hide := range map[string]func(sdp string) string{
		"names that nobody resolves, as browsers send them": func(sdp string) string {
			return strings.ReplaceAll(sdp, " 127.0.0.1 ", " 0f9c7c1e-8a3e-4a51-9d0c-3f0d9a1b2c3d.local ")
		},
		"no candidates, as before gathering": func(sdp string) string {
			return regexp.MustCompile(`(?m)^a=(candidate|end-of-candidates).*\r\n`).ReplaceAllString(sdp, "")
		},
	} {
		t.Run(name, func(t *testing.T) {
			c, p := dial(t, newTestAPI(t, cfg), clientOptions{offer: hide})
			c.play(frames, 10*time.Millisecond)
			wantPictures(t, video(t, p), liveproof.CodecVP8, frames, 10)
		})
	}
}

// TestPeerUnderPacketLoss is row 9 of the bad input, with a sender that also
// loses its retransmissions: every unit is whole, and lost pictures are asked for again.
func TestPeerUnderPacketLoss(t *testing.T) {
	frames := encodedStream(t, liveproof.CodecVP8)
	for _, percent := range []int{5, 20} {
		t.Run(fmt.Sprintf("%d%%", percent), func(t *testing.T) {
			c, p := dial(t, newTestAPI(t, testConfig()), clientOptions{loss: float64(percent) / 100})
			c.play(frames, 5*time.Millisecond)
			v := video(t, p)
			keys := 0
			for range 150 {
				u := next(t, v)
				f := slices.IndexFunc(frames, func(f frame) bool { return bytes.Equal(f.data, u.Data) })
				if f < 0 || u.Key != frames[f].key {
					t.Fatalf("a unit of %d bytes is no picture of the encoder's", len(u.Data))
				}
				if u.Key {
					keys++
				}
			}
			if s := p.Stats(); c.pli.Load() == 0 || s.PLISent == 0 || keys < 2 {
				t.Fatalf("%d key frame requests arrived, %d key frames came; %+v", c.pli.Load(), keys, s)
			}
		})
	}
}

// TestLossIsRepairedByRetransmission: with negative acknowledgements (RFC 4585)
// and retransmission (RFC 4588) a tenth of the packets lost costs no picture.
func TestLossIsRepairedByRetransmission(t *testing.T) {
	frames := encodedStream(t, liveproof.CodecVP8)
	api := newTestAPI(t, testConfig())
	api.cfg.ReorderTime, api.cfg.ReorderPackets = patience, 4096 // a busy machine may repair late, and then all at once;
	api.cfg.QueueUnits, api.cfg.QueueBytes = 2000, 64<<20        // no configuration may have such limits
	c, p := dial(t, api, clientOptions{loss: 0.1, repaired: true})
	c.play(frames, 10*time.Millisecond)
	v := video(t, p)
	next(t, v) // before it, a lost first packet may have cost a key frame
	for i := range 100 {
		u := next(t, v)
		if u.Gap || !slices.ContainsFunc(frames, func(f frame) bool { return bytes.Equal(f.data, u.Data) }) {
			t.Fatalf("unit %d: gap %v; %+v", i, u.Gap, p.Stats())
		}
	}
	if s := p.Stats(); s.Lost > 0 {
		t.Fatalf("%+v", s)
	}
}

func TestPeerGone(t *testing.T) {
	frames := encodedStream(t, liveproof.CodecVP8)
	c, p := dial(t, newTestAPI(t, testConfig()), clientOptions{})
	c.play(frames, 10*time.Millisecond)
	v := video(t, p)
	next(t, v)
	c.close()
	wantDone(t, p)
	if !errors.Is(p.Err(), ErrLost) {
		t.Fatal(p.Err())
	}
	drainUntilEnd(t, v)
}

// TestPeerCutOff: the network swallows everything, without a goodbye.
func TestPeerCutOff(t *testing.T) {
	frames := encodedStream(t, liveproof.CodecVP8)
	cfg := testConfig()
	cfg.DisconnectedTimeout, cfg.FailedTimeout = 500*time.Millisecond, 500*time.Millisecond
	api := newTestAPI(t, cfg)
	socket, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	mux := ice.NewUDPMuxDefault(ice.UDPMuxParams{UDPConn: socket, Logger: loggers{api.log}.NewLogger("client")})
	t.Cleanup(func() { _ = mux.Close() })
	c, p := dial(t, api, clientOptions{settings: func(s *webrtc.SettingEngine) { s.SetICEUDPMux(mux) }})
	c.play(frames, 10*time.Millisecond)
	v := video(t, p)
	next(t, v)
	if err := socket.Close(); err != nil {
		t.Fatal(err)
	}
	wantDone(t, p)
	if !errors.Is(p.Err(), ErrLost) {
		t.Fatal(p.Err())
	}
	drainUntilEnd(t, v)
}

func TestPeerSilent(t *testing.T) {
	cfg := testConfig()
	cfg.IdleTimeout = time.Second
	_, p := dial(t, newTestAPI(t, cfg), clientOptions{})
	wantDone(t, p)
	if !errors.Is(p.Err(), liveproof.ErrIdle) {
		t.Fatal(p.Err())
	}
	if _, err := p.Video(t.Context()); !errors.Is(err, liveproof.ErrIdle) {
		t.Fatal(err)
	}
}

func TestPeerNeverConnects(t *testing.T) {
	cfg := testConfig()
	cfg.ConnectTimeout = time.Second
	p, err := newTestAPI(t, cfg).NewPeer("01TEST", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	wantDone(t, p)
	if !errors.Is(p.Err(), ErrConnectTimeout) {
		t.Fatal(p.Err())
	}
}

func TestPeerCloses(t *testing.T) {
	api := newTestAPI(t, testConfig())
	p, err := api.NewPeer("01TEST", nil)
	if err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() { _ = p.Close() })
	}
	all.Wait()
	if _, err := p.Answer(t.Context(), newClient(t, clientOptions{}).offer(t)); !errors.Is(err, ErrClosed) {
		t.Errorf("offer: %v", err)
	}
	if err := p.AddCandidate(webrtc.ICECandidateInit{}); !errors.Is(err, ErrClosed) {
		t.Errorf("candidate: %v", err)
	}
	if _, err := p.Video(t.Context()); !errors.Is(err, ErrClosed) {
		t.Errorf("video: %v", err)
	}
	if err := api.Close(); err != nil {
		t.Error(err)
	}
	if _, err := api.NewPeer("01TEST", nil); !errors.Is(err, ErrClosed) {
		t.Errorf("peer: %v", err)
	}
}

func TestAPICloseEndsPeers(t *testing.T) {
	frames := encodedStream(t, liveproof.CodecVP8)
	api := newTestAPI(t, testConfig())
	c, p := dial(t, api, clientOptions{})
	c.play(frames, 10*time.Millisecond)
	v := video(t, p)
	if err := api.Close(); err != nil {
		t.Fatal(err)
	}
	wantDone(t, p)
	drainUntilEnd(t, v)
}

// TestFiftyPeersLeaveNothing is row 12 of the bad input.
func TestFiftyPeersLeaveNothing(t *testing.T) {
	frames := encodedStream(t, liveproof.CodecVP8)
	api := newTestAPI(t, testConfig())
	baseline := runtime.NumGoroutine()
	for range 10 {
		var clients []*client
		var peers []*Peer
		for range 5 {
			c, p := dial(t, api, clientOptions{})
			c.play(frames[:1], 10*time.Millisecond)
			clients, peers = append(clients, c), append(peers, p)
		}
		for i, p := range peers {
			next(t, video(t, p))
			_ = p.Close()
			clients[i].close()
		}
	}
	api.mu.Lock()
	left := len(api.peers)
	api.mu.Unlock()
	if left != 0 {
		t.Fatalf("%d peers left", left)
	}
	for end := time.Now().Add(patience); runtime.NumGoroutine() > baseline; time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			stacks := make([]byte, 1<<20)
			t.Fatalf("%d goroutines, %d before:\n%s", runtime.NumGoroutine(), baseline, stacks[:runtime.Stack(stacks, true)])
		}
	}
}

func TestAnswerHonoursItsContext(t *testing.T) {
	p, err := newTestAPI(t, testConfig()).NewPeer("01TEST", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	// Either it was quicker than its context, or it says so.
	if _, err := p.Answer(ctx, newClient(t, clientOptions{}).offer(t)); err != nil && !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	if _, err := p.Answer(t.Context(), newClient(t, clientOptions{}).offer(t)); !errors.Is(err, ErrNegotiated) {
		t.Fatalf("second offer: %v", err)
	}
}

// TestTrickledCandidates sends the client's candidates after, or before, the offer, and as a fragment.
func TestTrickledCandidates(t *testing.T) {
	frames := encodedStream(t, liveproof.CodecVP8)
	for name, add := range map[string]func(p *Peer, candidates []string) error{
		"candidates": func(p *Peer, candidates []string) error {
			for _, c := range candidates {
				if err := p.AddCandidate(webrtc.ICECandidateInit{Candidate: c}); err != nil {
					return err
				}
			}
			return p.AddCandidate(webrtc.ICECandidateInit{})
		},
		"fragment": func(p *Peer, candidates []string) error {
			_, err := p.AddFragment(t.Context(), "m=video 9 UDP/TLS/RTP/SAVPF 0\r\na=mid:0\r\na="+strings.Join(candidates, "\r\na=")+"\r\na=end-of-candidates\r\n",
				func(int) bool { return true })
			return err
		},
	} {
		for _, early := range []bool{true, false} {
			t.Run(fmt.Sprintf("%s early=%v", name, early), func(t *testing.T) {
				api := newTestAPI(t, testConfig())
				c := newClient(t, clientOptions{})
				p, err := api.NewPeer("01TEST", func(webrtc.ICECandidateInit) {})
				if err != nil {
					t.Fatal(err)
				}
				defer p.Close()
				bare, candidates := splitCandidates(c.offer(t))
				if early {
					if err := add(p, candidates); err != nil {
						t.Fatal(err)
					}
				}
				answer, err := p.Answer(t.Context(), bare)
				if err != nil {
					t.Fatal(err)
				}
				if !early {
					if err := add(p, candidates); err != nil {
						t.Fatal(err)
					}
				}
				if err := c.pc.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeAnswer, SDP: answer}); err != nil {
					t.Fatal(err)
				}
				c.play(frames, 10*time.Millisecond)
				wantPictures(t, video(t, p), liveproof.CodecVP8, frames, 5)
			})
		}
	}
}

func splitCandidates(offer string) (bare string, candidates []string) {
	var rest []string
	for line := range strings.Lines(offer) {
		if c, ok := strings.CutPrefix(line, "a=candidate"); ok {
			candidates = append(candidates, "candidate"+strings.TrimSpace(c))
		} else if !strings.HasPrefix(line, "a=end-of-candidates") {
			rest = append(rest, line)
		}
	}
	return strings.Join(rest, ""), candidates
}
