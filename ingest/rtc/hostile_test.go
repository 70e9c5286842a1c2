package rtc

import (
	"errors"
	"log/slog"
	"math/rand/v2"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pion/rtp"
	"github.com/pion/stun/v4"
	"github.com/pion/webrtc/v4"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/liveproof/liveproof"
)

func discard() *slog.Logger { return slog.New(slog.DiscardHandler) }

// TestFloodOfStrangers is row 11 of the bad input: what strangers throw at the
// port disturbs no session, not even with the session's own user fragment.
func TestFloodOfStrangers(t *testing.T) {
	frames := encodedStream(t, liveproof.CodecVP8)
	api := newTestAPI(t, testConfig())
	stranger, err := net.DialUDP("udp", nil, api.UDPAddr())
	if err != nil {
		t.Fatal(err)
	}
	defer stranger.Close()
	random := rand.New(rand.NewPCG(3, 3))
	flood := func(ufrag string) {
		for i := range 3000 {
			_, _ = stranger.Write(junk(random, i, ufrag))
		}
	}
	flood("nobody") // before anyone is there: a ClientHello that comes first wins nothing
	c, p := dial(t, api, clientOptions{})
	own := p.pc.LocalDescription().SDP
	_, own, _ = strings.Cut(own, "a=ice-ufrag:")
	own, _, _ = strings.Cut(own, "\r\n")
	flood(own)
	c.play(frames, 10*time.Millisecond)
	v := video(t, p)
	for range 20 {
		flood(own)
		if u := next(t, v); !slices.ContainsFunc(frames, func(f frame) bool { return slices.Equal(f.data, u.Data) }) {
			t.Fatal("a picture that nobody sent")
		}
	}
	select {
	case <-p.Done():
		t.Fatal(p.Err())
	default:
	}
}

// junk is noise that begins like DTLS, STUN, SRTP and SRTCP in turn (RFC 7983).
func junk(random *rand.Rand, i int, ufrag string) []byte {
	b := make([]byte, 1+random.IntN(400))
	for j := range b {
		b[j] = byte(random.Uint32())
	}
	switch i % 5 {
	case 0: // DTLS ClientHello
		return append([]byte{22, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, byte(len(b)), 1}, b...)
	case 1: // binding request for the session, without its password
		m, err := stun.Build(stun.BindingRequest, stun.TransactionID, stun.NewUsername(ufrag+":x"), stun.NewShortTermIntegrity("wrong"), stun.Fingerprint)
		if err != nil {
			panic(err)
		}
		return m.Raw
	case 2:
		return append([]byte{0x80, 96}, b...)
	case 3:
		return append([]byte{0x80, 200}, b...)
	}
	return b
}

// TestTCPStrangersAreBounded: connections above the cap are closed at once, and Close does not wait for silent ones.
func TestTCPStrangersAreBounded(t *testing.T) {
	cfg := testConfig()
	cfg.TCPConnections = 3
	reg := prometheus.NewRegistry()
	api, err := New(cfg, discard(), reg)
	if err != nil {
		t.Fatal(err)
	}
	var conns []net.Conn
	for range 8 {
		conn, err := net.Dial("tcp", (&net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: api.TCPAddr().Port}).String())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		conns = append(conns, conn)
	}
	refused := 0
	for _, conn := range conns[3:] {
		_ = conn.SetReadDeadline(time.Now().Add(patience))
		if _, err := conn.Read(make([]byte, 1)); err != nil && !errors.Is(err, net.ErrClosed) && !isTimeout(err) {
			refused++
		}
	}
	if refused != 5 || testutil.ToFloat64(api.metrics.tcpShed) != 5 || testutil.ToFloat64(api.metrics.tcpConns) != 3 {
		t.Fatalf("%d refused", refused)
	}
	began := time.Now()
	if err := api.Close(); err != nil {
		t.Fatal(err)
	}
	if took := time.Since(began); took > 4*time.Second {
		t.Fatalf("closing took %v", took)
	}
	if testutil.ToFloat64(api.metrics.tcpConns) != 0 {
		t.Fatal("connections left")
	}
}

func isTimeout(err error) bool {
	var timeout net.Error
	return errors.As(err, &timeout) && timeout.Timeout()
}

// rawClient sends RTP packets of the test's making.
func rawClient(t *testing.T, cfg Config) (*webrtc.TrackLocalStaticRTP, *Peer) {
	t.Helper()
	track, err := webrtc.NewTrackLocalStaticRTP(webrtc.RTPCodecCapability{MimeType: webrtc.MimeTypeVP8, ClockRate: clockRate}, "raw", "camera")
	if err != nil {
		t.Fatal(err)
	}
	c, p := dial(t, newTestAPI(t, cfg), clientOptions{shape: func(pc *webrtc.PeerConnection) {
		if err := pc.GetSenders()[0].ReplaceTrack(track); err != nil {
			t.Fatal(err)
		}
	}})
	select {
	case <-p.Connected():
	case <-time.After(patience):
		t.Fatal("no connection")
	}
	for begin := time.Now(); c.pc.ConnectionState() != webrtc.PeerConnectionStateConnected; time.Sleep(time.Millisecond) { // or its first packets go nowhere
		if time.Since(begin) > patience {
			t.Fatalf("the client is %v", c.pc.ConnectionState())
		}
	}
	return track, p
}

func TestPeerThatFloodsIsCutOff(t *testing.T) {
	cfg := testConfig()
	cfg.MaxPacketRate = 200
	track, p := rawClient(t, cfg)
	for i := range 100_000 {
		select {
		case <-p.Done():
			if !errors.Is(p.Err(), ErrFlood) {
				t.Fatal(p.Err())
			}
			return
		default:
			_ = track.WriteRTP(&rtp.Packet{Header: rtp.Header{Version: 2, SequenceNumber: uint16(i)}, Payload: []byte{0x10, 1, 2, 3}})
			time.Sleep(50 * time.Microsecond)
		}
	}
	t.Fatal("the flood goes on")
}

// TestMalformedMediaIsCounted: packets that are no VP8 end in counters, and the session goes on.
func TestMalformedMediaIsCounted(t *testing.T) {
	track, p := rawClient(t, testConfig())
	frames := encodedStream(t, liveproof.CodecVP8)
	sequence := uint16(0)
	write := func(timestamp uint32, marker bool, payload []byte) {
		sequence++
		if err := track.WriteRTP(&rtp.Packet{Header: rtp.Header{Version: 2, SequenceNumber: sequence, Timestamp: timestamp, Marker: marker}, Payload: payload}); err != nil {
			t.Fatal(err)
		}
	}
	for i := range 50 {
		write(uint32(i), true, []byte{0xff, 0xff, 0xff})
	}
	v := video(t, p)
	payloads := payloader(liveproof.CodecVP8).Payload(testMTU, frames[0].data)
	for i, payload := range payloads {
		write(100, i == len(payloads)-1, payload)
	}
	if u := next(t, v); !slices.Equal(u.Data, frames[0].data) || !u.Gap {
		t.Fatalf("%d bytes, gap %v", len(u.Data), u.Gap)
	}
	if s := p.Stats(); s.Dropped["malformed"] != 49 || s.Dropped["incomplete"] != 1 || // the first: its start is not proven
		s.AccessUnits != 1 {
		t.Fatalf("%+v", s)
	}
}

// TestSenderOfEverNewStreamsIsCutOff: memory for streams is bounded. Without
// a=ssrc in the offer every new SSRC would become a track.
func TestSenderOfEverNewStreamsIsCutOff(t *testing.T) {
	frames := encodedStream(t, liveproof.CodecVP8)
	for name, keep := range map[string]bool{"declared": true, "undeclared": false} {
		t.Run(name, func(t *testing.T) {
			cfg := testConfig()
			cfg.MaxStreams = 8
			rewrite := func(offer string) string {
				var kept []string
				for line := range strings.Lines(offer) {
					if keep || !strings.HasPrefix(line, "a=ssrc") {
						kept = append(kept, line)
					}
				}
				return strings.Join(kept, "")
			}
			c, p := dial(t, newTestAPI(t, cfg), clientOptions{offer: rewrite, scramble: true})
			c.play(frames, time.Millisecond)
			wantDone(t, p)
			if !errors.Is(p.Err(), ErrFlood) {
				t.Fatal(p.Err())
			}
			if n := p.ssrcs.Load(); n > 4*int64(cfg.MaxStreams)+200 {
				t.Fatalf("%d streams", n)
			}
		})
	}
}

// TestUndeclaredStream: an offer without a=ssrc is received all the same.
func TestUndeclaredStream(t *testing.T) {
	frames := encodedStream(t, liveproof.CodecVP8)
	c, p := dial(t, newTestAPI(t, testConfig()), clientOptions{offer: func(offer string) string {
		return strings.ReplaceAll(offer, "a=ssrc", "a=x-ssrc")
	}})
	c.play(frames, 10*time.Millisecond)
	wantPictures(t, video(t, p), liveproof.CodecVP8, frames, 10)
}
