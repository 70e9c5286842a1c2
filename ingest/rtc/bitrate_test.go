package rtc

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pion/rtp"

	"github.com/liveproof/liveproof"
)

// interval is what a sender did between two reviews.
type interval struct {
	rate   float64 // bit/s
	lost   float64
	wanted bool
}

// asksOf plays intervals to a new bitrate and returns what it asked for in each, 0 for nothing.
func asksOf(t *testing.T, start time.Duration, intervals []interval) []float64 {
	t.Helper()
	asked := 0.0
	b := bitrate{send: func(v float64) { asked = v }}
	now := time.Unix(1000, 0)
	b.count(0, now)
	b.begun = now.Add(-start)
	var out []float64
	for _, i := range intervals {
		if i.wanted {
			b.preferFiner()
		}
		asked = 0
		for range 10 {
			now = now.Add(rateInterval / 10)
			if b.count(int(i.rate/8*rateInterval.Seconds()/10), now) {
				b.review(i.lost, now)
			}
		}
		out = append(out, asked)
	}
	return out
}

func TestBitrateAskedFor(t *testing.T) {
	repeated := func(i interval, n int) (out []interval) { return slices.Repeat([]interval{i}, n) }
	for _, tt := range []struct {
		name  string
		start time.Duration // since the first packet
		in    []interval
		want  []float64 // kbit/s
	}{
		{"nothing is wanted", opening, repeated(interval{rate: 256e3}, 4), []float64{0, 0, 0, 0}},
		{"a coarse sender that follows", opening, []interval{{256e3, 0, true}, {500e3, 0, true}, {625e3, 0, true}, {781e3, 0, true}}, []float64{500, 625, 781, 977}},
		{"it is fine again", opening, []interval{{600e3, 0, true}, {750e3, 0, false}, {750e3, 0, false}}, []float64{750, 0, 0}},
		{"the stream begins", 0, repeated(interval{rate: 500e3}, 7), []float64{625, 781, 781, 781, 781, 0, 0}},
		{"at most", opening, repeated(interval{rate: 2.4e6, wanted: true}, 2), []float64{2500, 2500}},
		{"a sender above it is left alone", opening, repeated(interval{rate: 9e6, wanted: true}, 2), []float64{2500, 2500}},
		{"a sender that does not follow", opening, repeated(interval{rate: 300e3, wanted: true}, 3), []float64{500, 500, 500}},
		{"losses before anything was asked for", opening, repeated(interval{256e3, 0.1, true}, 3), []float64{0, 0, 0}},
		{"a little loss", opening, []interval{{500e3, 0.04, true}, {600e3, 0.04, true}}, []float64{625, 781}},
		{"losses", opening, []interval{{400e3, 0, true}, {500e3, 0, true}, {500e3, 0.2, true}, {425e3, 0.1, true}, {360e3, 0.1, true}}, []float64{500, 625, 425, 400, 400}},
		{"losses once it is fine", opening, []interval{{400e3, 0, true}, {500e3, 0, true}, {500e3, 0.2, false}, {400e3, 0, false}}, []float64{500, 625, 425, 0}},
		{"after losses", opening, []interval{{400e3, 0, true}, {500e3, 0, true}, {500e3, 0.2, true}, {420e3, 0, true}}, []float64{500, 625, 425, 531}},
		{"never less than at first", opening, []interval{{400e3, 0, true}, {100e3, 0.5, true}, {100e3, 0.5, true}}, []float64{500, 400, 400}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := asksOf(t, tt.start, tt.in)
			for i := range got {
				got[i] = float64(int(got[i]/1000 + 0.5))
			}
			if !slices.Equal(got, tt.want) {
				t.Fatalf("asked for %v kbit/s, want %v", got, tt.want)
			}
		})
	}
}

func TestLosses(t *testing.T) {
	for _, tt := range []struct {
		name           string
		sequences      []uint16
		expected, lost int
	}{
		{"none", []uint16{65534, 65535, 0, 1}, 4, 0},
		{"one", []uint16{65534, 0, 1}, 4, 1},
		{"late", []uint16{1, 3, 2, 4}, 4, 0},
		{"twice", []uint16{1, 2, 2, 3}, 3, 0},
		{"another numbering", []uint16{1, 2, 30000, 30001}, 4, 0},
		{"back", []uint16{30000, 1, 2}, 3, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var l losses
			for _, sequence := range tt.sequences {
				l.observe(sequence)
			}
			if expected, lost := l.take(); expected != tt.expected || lost != tt.lost {
				t.Fatalf("%d of %d lost, want %d of %d", lost, expected, tt.lost, tt.expected)
			}
			if expected, lost := l.take(); expected != 0 || lost != 0 {
				t.Fatalf("then %d of %d", lost, expected)
			}
		})
	}
}

// TestBitrateCountsTheCameraOnly: what is sent of other sections is not the camera's bitrate, and no answer to a request.
func TestBitrateCountsTheCameraOnly(t *testing.T) {
	s := newSender(t, announced{foreign: map[uint32]bool{7: true}})
	s.play(opening, &camera{ssrc: 1, width: 640, height: 480})
	before := s.to.bitrate.bytes
	s.raw(&rtp.Packet{Header: rtp.Header{Version: 2, PayloadType: 96, SSRC: 7}, Payload: make([]byte, 1000)})
	if s.to.bitrate.bytes != before {
		t.Fatal("another section's packet is counted")
	}
}

// withoutTransportFeedback leaves a sender REMB.
func withoutTransportFeedback(offer string) string {
	return strings.ReplaceAll(offer, " transport-cc", " x-none")
}

// TestBitrateIsAskedFor: a real sender gets REMB while the stream begins and while finer pictures are preferred, and no more then.
func TestBitrateIsAskedFor(t *testing.T) {
	frames := encodedStream(t, liveproof.CodecVP8)
	c, p := dial(t, newTestAPI(t, testConfig()), clientOptions{offer: withoutTransportFeedback})
	c.play(frames, 10*time.Millisecond)
	v := video(t, p)
	until := func(what string, done func() bool) {
		t.Helper()
		for began := time.Now(); !done(); time.Sleep(10 * time.Millisecond) {
			for _, ok, _ := v.pop(); ok; _, ok, _ = v.pop() {
			}
			if time.Since(began) > patience {
				t.Fatal(what)
			}
		}
	}
	until("no request while the stream begins", func() bool { return c.remb.Load() >= leastRequest })
	until("requests go on", func() bool {
		n, began := c.rembs.Load(), time.Now()
		until("time passes", func() bool { return time.Since(began) > 3*rateInterval })
		return c.rembs.Load() == n
	})
	n, rate := c.rembs.Load(), c.remb.Load()
	until("no request for finer pictures", func() bool { v.PreferFiner(); return c.rembs.Load() > n })
	if c.remb.Load() < rate {
		t.Fatalf("%d bit/s after %d", c.remb.Load(), rate)
	}
}

// TestNoBitrateIsAskedFor: a sender with transport-wide feedback, and one that does not take REMB.
func TestNoBitrateIsAskedFor(t *testing.T) {
	frames := encodedStream(t, liveproof.CodecVP8)
	for name, offer := range map[string]func(string) string{
		"transport-wide feedback": func(offer string) string { return offer },
		"neither": func(offer string) string {
			return strings.ReplaceAll(withoutTransportFeedback(offer), " goog-remb", " x-none")
		},
	} {
		t.Run(name, func(t *testing.T) {
			c, p := dial(t, newTestAPI(t, testConfig()), clientOptions{offer: offer})
			c.play(frames, 10*time.Millisecond)
			v := video(t, p)
			for began := time.Now(); time.Since(began) < 3*rateInterval; {
				v.PreferFiner()
				next(t, v)
			}
			if n := c.rembs.Load(); n != 0 {
				t.Fatalf("%d requests", n)
			}
		})
	}
}

// TestBitrateBacksOff: packets that are missing in a stream make the server ask for less, and a sender that loses from the start is never
// asked for more.
func TestBitrateBacksOff(t *testing.T) {
	play := func(s *sender, c *camera, every int) { // the every-th packet is lost
		for n := range 60 {
			if every > 0 && n%every == 0 {
				c.sequence++
			}
			s.to.video.PreferFiner()
			s.play(time.Second/30, c)
		}
	}
	for name, lossy := range map[string]bool{"later": false, "from the start": true} {
		t.Run(name, func(t *testing.T) {
			c := &camera{ssrc: 1, width: 640, height: 480}
			s := newSender(t, announced{})
			var asked []float64
			s.to.bitrate.send = func(v float64) { asked = append(asked, v) }
			if lossy {
				play(s, c, 5)
				if len(asked) > 0 {
					t.Fatalf("asked for %v", asked)
				}
				return
			}
			play(s, c, 0)
			if len(asked) == 0 || asked[0] < leastRequest {
				t.Fatalf("asked for %v", asked)
			}
			before := asked[len(asked)-1]
			play(s, c, 5)
			if after := asked[len(asked)-1]; after >= before {
				t.Fatalf("asked for %v after %v", after, before)
			}
		})
	}
}
