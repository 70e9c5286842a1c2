package rtc

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pion/rtcp"
	"github.com/pion/rtp"
	"github.com/pion/webrtc/v4"
	"github.com/pion/webrtc/v4/pkg/media"

	"github.com/liveproof/liveproof"
	"github.com/liveproof/liveproof/internal/codecs"
)

// simulcastSizes are the layers of the tests, by rid.
var simulcastSizes = []struct{ rid, size string }{{"q", "320x240"}, {"h", "640x480"}, {"f", "960x720"}}

// encodedLayers are made once for all tests.
var encodedLayers = sync.OnceValues(func() (layers [3][]byte, err error) {
	for i, l := range simulcastSizes {
		if layers[i], err = runEncoderAt(l.size, encoders[liveproof.CodecVP8]); err != nil {
			return layers, err
		}
	}
	return layers, nil
})

// simulcaster sends three layers of a test picture, each from its own encoder.
type simulcaster struct {
	*client
	tracks  [3]*webrtc.TrackLocalStaticSample
	frames  [3][]frame
	keys    [3]chan struct{} // key frame requests
	at      [3]int           // pictures sent, play's alone
	ssrcs   [3]webrtc.SSRC
	repairs [3]webrtc.SSRC // of their retransmissions
}

// simulcast returns a client that offers the layers by rid.
func simulcast(t *testing.T, o clientOptions) *simulcaster {
	t.Helper()
	encodedStream(t, liveproof.CodecVP8) // skips where there is no encoder
	raw, err := encodedLayers()
	if err != nil {
		t.Fatal(err)
	}
	o.bare = true
	s := &simulcaster{client: newClient(t, o)}
	var sender *webrtc.RTPSender
	for i, l := range simulcastSizes {
		s.frames[i], s.keys[i] = splitIVF(t, raw[i]), make(chan struct{}, 1)
		s.tracks[i], err = webrtc.NewTrackLocalStaticSample(webrtc.RTPCodecCapability{MimeType: codecs.Find(liveproof.CodecVP8).MIMEType(), ClockRate: clockRate},
			"video", "camera", webrtc.WithRTPStreamID(l.rid))
		if err != nil {
			t.Fatal(err)
		}
		if i == 0 {
			sender, err = s.pc.AddTrack(s.tracks[i])
		} else {
			err = sender.AddEncoding(s.tracks[i])
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	for i, encoding := range sender.GetParameters().Encodings {
		s.ssrcs[i], s.repairs[i] = encoding.SSRC, encoding.RTX.SSRC
		s.running.Go(func() { s.listen(sender, simulcastSizes[i].rid) })
	}
	return s
}

func (s *simulcaster) listen(sender *webrtc.RTPSender, rid string) {
	for {
		packets, _, err := sender.ReadSimulcastRTCP(rid)
		if err != nil {
			return
		}
		for _, p := range packets {
			pli, ok := p.(*rtcp.PictureLossIndication)
			if i := slices.Index(s.ssrcs[:], webrtc.SSRC(asked(pli))); ok && i >= 0 {
				select {
				case s.keys[i] <- struct{}{}:
				default:
				}
			}
		}
	}
}

func asked(pli *rtcp.PictureLossIndication) uint32 {
	if pli == nil {
		return 0
	}
	return pli.MediaSSRC
}

// play sends the layers that are not paused, until close. One goroutine sends all, so that they come
// together also on a busy machine.
func (s *simulcaster) play(interval time.Duration, paused func(i, n int) bool) {
	ctx, stop := context.WithCancel(context.Background())
	s.stop = stop
	s.running.Go(func() {
		ticker := time.NewTicker(interval)
		defer ticker.Stop()
		for n := 0; ; n++ {
			select {
			case <-ctx.Done():
				return
			case <-ticker.C:
			}
			for i := range s.tracks {
				if paused == nil || !paused(i, n) {
					s.send(i, interval)
				}
			}
		}
	})
}

// send sends the next picture of a layer, a key frame where one was asked for.
func (s *simulcaster) send(i int, shown time.Duration) {
	select {
	case <-s.keys[i]:
		s.at[i] = (s.at[i]/keyInterval + 1) * keyInterval
	default:
	}
	_ = s.tracks[i].WriteSample(media.Sample{Data: s.frames[i][s.at[i]%streamFrames].data, Duration: shown})
	s.at[i]++
}

// layerOf is which layer a unit's picture belongs to; the picture must be whole.
func (s *simulcaster) layerOf(t *testing.T, u liveproof.AccessUnit) int {
	t.Helper()
	for i, frames := range s.frames {
		if slices.ContainsFunc(frames, func(f frame) bool { return bytes.Equal(f.data, u.Data) && f.key == u.Key }) {
			return i
		}
	}
	t.Fatalf("a unit of %d bytes is no picture of an encoder's", len(u.Data))
	return -1
}

// wantLayer wants n units of one layer in a row, the first one soon, with time that only grows.
func (s *simulcaster) wantLayer(t *testing.T, v *Video, layer, n int) {
	t.Helper()
	s.wantUnits(t, v, layer, n, func() {})
}

// wantLarger is wantLayer that asks for larger pictures while those of the layer do not come. Asking once is not enough on a busy
// machine: a sender that is stopped for a second looks like one that has paused the layer.
func (s *simulcaster) wantLarger(t *testing.T, v *Video, layer, n int) {
	t.Helper()
	s.wantUnits(t, v, layer, n, v.PreferLarger)
}

// wantUnits calls other for each unit of another layer.
func (s *simulcaster) wantUnits(t *testing.T, v *Video, layer, n int, other func()) {
	t.Helper()
	var last liveproof.AccessUnit
	for run, all := 0, 0; run < n; all++ {
		u := next(t, v)
		if all > 0 && u.PTS <= last.PTS {
			t.Fatalf("time %v after %v", u.PTS, last.PTS)
		}
		if all > 0 && u.Stream != last.Stream && !(u.Gap && u.Key && u.Stream == last.Stream+1) {
			t.Fatalf("stream %d after %d: gap %v, key %v", u.Stream, last.Stream, u.Gap, u.Key)
		}
		last = u
		if s.layerOf(t, u) == layer {
			run++
		} else if run = 0; all > 600 {
			t.Fatalf("layer %d does not come", layer)
		} else {
			other()
		}
	}
}

type simulcastWay struct {
	drop   []string // lines of pion's offer, which has everything
	group  bool     // a=ssrc-group:SIM
	marked bool     // packets have rids
}

// simulcastWays are how senders announce their layers.
var simulcastWays = map[string]simulcastWay{
	"rids and SSRCs":    {},
	"rids alone":        {drop: []string{"a=ssrc"}, marked: true},
	"SSRCs and a group": {drop: []string{"a=rid", "a=simulcast", "a=extmap:1 ", "a=extmap:2 ", "a=extmap:3 "}, group: true},
	"SSRCs alone":       {drop: []string{"a=rid", "a=simulcast", "a=ssrc-group"}},
}

// unannounced: a sender that says nothing about its streams.
var unannounced = simulcastWay{drop: []string{"a=rid", "a=simulcast", "a=ssrc"}}

func eachSimulcastWay(t *testing.T, o clientOptions, cfg Config, test func(t *testing.T, s *simulcaster, p *Peer)) {
	for name, way := range simulcastWays {
		t.Run(name, func(t *testing.T) {
			s, p := way.dial(t, o, cfg)
			test(t, s, p)
		})
	}
}

func (w simulcastWay) dial(t *testing.T, o clientOptions, cfg Config) (*simulcaster, *Peer) {
	t.Helper()
	var s *simulcaster
	if w.marked {
		o.mark = func(h *rtp.Header) { s.mark(h) }
	}
	s = simulcast(t, o)
	o.offer = func(offer string) string {
		var kept []string
		for line := range strings.Lines(offer) {
			if !slices.ContainsFunc(w.drop, func(prefix string) bool { return strings.HasPrefix(line, prefix) }) {
				kept = append(kept, line)
			}
		}
		if w.group {
			kept = append(kept, fmt.Sprintf("a=ssrc-group:SIM %d %d %d\r\n", s.ssrcs[0], s.ssrcs[1], s.ssrcs[2]))
		}
		return strings.Join(kept, "")
	}
	return s, connect(t, newTestAPI(t, cfg), s.client, o)
}

// mark writes the rid (RFC 8852) into a packet; 2 and 3 are pion's numbers for the extensions.
func (s *simulcaster) mark(h *rtp.Header) {
	for i, l := range simulcastSizes {
		switch webrtc.SSRC(h.SSRC) {
		case s.ssrcs[i]:
			_ = h.SetExtension(2, []byte(l.rid))
		case s.repairs[i]:
			_ = h.SetExtension(3, []byte(l.rid))
		}
	}
}

// TestPeerReceivesSimulcast: a real sender of three layers, announced in every way that is in use.
func TestPeerReceivesSimulcast(t *testing.T) {
	eachSimulcastWay(t, clientOptions{}, testConfig(), func(t *testing.T, s *simulcaster, p *Peer) {
		s.play(20*time.Millisecond, nil)
		v := video(t, p)
		s.wantLayer(t, v, 1, 30) // the smallest that is large enough
		s.wantLarger(t, v, 2, 30)
		v.PreferLarger() // there is none
		s.wantLarger(t, v, 2, 30)
		if st := p.Stats(); st.Dropped["other_layer"] == 0 || st.Dropped["unknown"] > 0 {
			t.Fatalf("%+v", st)
		}
	})
}

// TestSimulcastUnderPacketLoss: retransmissions reach the layer that they belong to, and only
// packets of the one in use are asked for.
func TestSimulcastUnderPacketLoss(t *testing.T) {
	cfg := testConfig()
	cfg.ReorderTime, cfg.QueueUnits, cfg.QueueBytes = 2*time.Second, 1000, 64<<20 // also on a busy machine
	eachSimulcastWay(t, clientOptions{loss: 0.1, repaired: true}, cfg, func(t *testing.T, s *simulcaster, p *Peer) {
		s.play(20*time.Millisecond, nil)
		s.wantNoLoss(t, video(t, p))
		if st := p.Stats(); st.Dropped["unknown"] > 0 {
			t.Fatalf("%+v", st)
		}
	})
}

// TestUnannouncedSimulcast: the first layer that comes is used if it is large enough. Its
// retransmissions are known by what is missing.
func TestUnannouncedSimulcast(t *testing.T) {
	cfg := testConfig()
	cfg.ReorderTime, cfg.QueueUnits, cfg.QueueBytes = 2*time.Second, 1000, 64<<20
	s, p := unannounced.dial(t, clientOptions{loss: 0.1, repaired: true}, cfg)
	s.play(20*time.Millisecond, nil)
	s.wantNoLoss(t, video(t, p))
}

// wantNoLoss wants 100 units of layers that are large enough, without a gap but between streams.
func (s *simulcaster) wantNoLoss(t *testing.T, v *Video) {
	t.Helper()
	stream := 0
	for n := 0; n < 100; {
		u := next(t, v)
		if u.Gap && u.Stream == stream {
			t.Fatalf("unit %d has a gap before it; %+v", n, v.Stats())
		}
		if stream = u.Stream; s.layerOf(t, u) > 0 { // until the ramp-up
			n++
		}
	}
}

// TestSimulcastLayersComeAndGo: a sender whose bandwidth grows, and falls.
func TestSimulcastLayersComeAndGo(t *testing.T) {
	o := clientOptions{}
	s := simulcast(t, o)
	p := connect(t, newTestAPI(t, testConfig()), s.client, o)
	const second = 50
	s.play(20*time.Millisecond, func(i, n int) bool {
		return i > 0 && n < second || i > 0 && n > 3*second && n < 6*second // the smallest alone
	})
	v := video(t, p)
	s.wantLayer(t, v, 0, 10)
	s.wantLayer(t, v, 1, 30)
	s.wantLayer(t, v, 0, 30)
	for range 3 {
		s.wantLayer(t, v, 0, second)
	}
	s.wantLarger(t, v, 1, 30) // when the larger ones come again
}

// TestPeerFollowsANewStream: a sender begins again with another SSRC, whatever it had declared.
func TestPeerFollowsANewStream(t *testing.T) {
	frames := encodedStream(t, liveproof.CodecVP8)
	for name, rewrite := range map[string]func(string) string{"declared": nil, "undeclared": func(offer string) string { return strings.ReplaceAll(offer, "a=ssrc", "a=x-ssrc") }} {
		t.Run(name, func(t *testing.T) {
			var again atomic.Bool
			var own atomic.Uint32
			cfg := testConfig()
			cfg.IdleTimeout = 5 * time.Second
			c, p := dial(t, newTestAPI(t, cfg), clientOptions{offer: rewrite, mark: func(h *rtp.Header) {
				if own.CompareAndSwap(0, h.SSRC); again.Load() && h.SSRC == own.Load() {
					h.SSRC ^= 0x5555
				}
			}})
			c.play(frames, 10*time.Millisecond)
			v := video(t, p)
			wantPictures(t, v, liveproof.CodecVP8, frames, 30)
			again.Store(true)
			u := next(t, v)
			for last := u; u.Stream == 1; last = u {
				if u = next(t, v); u.PTS <= last.PTS {
					t.Fatalf("%v after %v", u.PTS, last.PTS)
				}
			}
			if !u.Key || !u.Gap || u.Stream != 2 {
				t.Fatalf("stream %d: key %v, gap %v", u.Stream, u.Key, u.Gap)
			}
			for range 30 {
				if u := next(t, v); u.Gap || u.Stream != 2 {
					t.Fatalf("stream %d, gap %v", u.Stream, u.Gap)
				}
			}
		})
	}
}
