package rtc

import (
	"fmt"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/pion/stun/v4"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/liveproof/liveproof"
)

func bindingRequest(t testing.TB, setters ...stun.Setter) []byte {
	t.Helper()
	m, err := stun.Build(append([]stun.Setter{stun.TransactionID, stun.BindingRequest}, setters...)...)
	if err != nil {
		t.Fatal(err)
	}
	return m.Raw
}

// TestCheckLimit: by session, whatever address the checks come from, and by address, whatever session they name.
func TestCheckLimit(t *testing.T) {
	now := time.Unix(1000, 0)
	l := newCheckLimit()
	address := func(i int) netip.AddrPort {
		return netip.AddrPortFrom(netip.AddrFrom4([4]byte{192, 0, 2, 1}), uint16(i))
	}
	one, other := bindingRequest(t, stun.NewUsername("one:x")), bindingRequest(t, stun.NewSoftware("x"), stun.NewUsername("other:x"))
	passed := 0
	for i := range 2 * checksPerSecond {
		if l.allow(one, address(1000+i), now) {
			passed++
		}
	}
	if passed > checksPerSecond || passed < checksPerSecond*9/10 { // some share a counter
		t.Errorf("%d for one session", passed)
	}
	if !l.allow(other, address(1), now) {
		t.Error("another session is kept out")
	}
	passed = 0
	for i := range 2 * checksPerSecond {
		if l.allow(bindingRequest(t, stun.NewUsername(fmt.Sprint(i, ":x"))), address(2), now) {
			passed++
		}
	}
	if passed > checksPerSecond || passed < checksPerSecond*9/10 { // some share a counter
		t.Errorf("%d from one address", passed)
	}
	if l.allow(bindingRequest(t), address(2), now) {
		t.Error("an answer, which names no session, is not counted")
	}
	if now = now.Add(time.Second); !l.allow(one, address(2), now) {
		t.Error("the next second does not count anew")
	}
}

// TestFloodOfChecks: checks for a session, without its password, do not pile up, and the session goes on.
func TestFloodOfChecks(t *testing.T) {
	frames := encodedStream(t, liveproof.CodecVP8)
	api := newTestAPI(t, testConfig())
	c, p := dial(t, api, clientOptions{})
	own := line(p.pc.LocalDescription().SDP, "ice-ufrag")
	stranger, err := net.DialUDP("udp", nil, api.UDPAddr())
	if err != nil {
		t.Fatal(err)
	}
	defer stranger.Close()
	packet := bindingRequest(t, stun.NewUsername(own+":x"), stun.NewShortTermIntegrity("wrong"), stun.Fingerprint)
	for began := time.Now(); testutil.ToFloat64(api.metrics.checks) < 1000; {
		for range 100 {
			_, _ = stranger.Write(packet)
		}
		if time.Since(began) > patience {
			t.Fatalf("%v checks were refused", testutil.ToFloat64(api.metrics.checks))
		}
	}
	c.play(frames, 10*time.Millisecond)
	wantPictures(t, video(t, p), liveproof.CodecVP8, frames, 5)
}

// FuzzLocalFragment: what is counted is what the ICE mux reads.
func FuzzLocalFragment(f *testing.F) {
	f.Add(bindingRequest(f, stun.NewUsername("own:x"), stun.NewShortTermIntegrity("wrong"), stun.Fingerprint))
	f.Add(bindingRequest(f, stun.NewSoftware("abc"), stun.NewUsername("own"), stun.NewUsername("other:x")))
	f.Add(bindingRequest(f))
	f.Fuzz(func(t *testing.T, packet []byte) {
		if !stun.IsMessage(packet) {
			return
		}
		got := localFragment(packet)
		m := &stun.Message{Raw: append([]byte{}, packet...)}
		if m.Decode() != nil {
			return
		}
		if name, err := m.Get(stun.AttrUsername); err == nil && string(got) != strings.Split(string(name), ":")[0] {
			t.Fatalf("%q, want that of %q", got, name)
		}
	})
}

func BenchmarkCheckLimit(b *testing.B) {
	l, now, from := newCheckLimit(), time.Unix(1000, 0), netip.MustParseAddrPort("192.0.2.1:5000")
	packet := bindingRequest(b, stun.NewUsername("own:x"), stun.NewShortTermIntegrity("wrong"), stun.Fingerprint)
	b.ReportAllocs()
	for b.Loop() {
		l.allow(packet, from, now)
	}
}
