package challenge

import (
	"math/rand/v2"
	"slices"
	"time"

	"github.com/liveproof/liveproof"
)

// Readings of a recording, for the study of package challenge_test.
type Readings struct {
	moments  []time.Duration
	readings []reading
}

// Add measures a picture of stream time t.
func (r *Readings) Add(t time.Duration, img *liveproof.Image, face liveproof.Face) {
	if m := measure(img, face); m.any() {
		r.moments, r.readings = append(r.moments, t), append(r.readings, m)
	}
}

// Guesses scores the readings against n sequences that were drawn independently, and returns how many pass. begin is the stream time of the
// first colour.
func (r *Readings) Guesses(cfg Config, begin time.Duration, n int, random *rand.Rand) (passed int) {
	t := flashTrial{}
	for i, at := range r.moments {
		if at -= begin; at >= -tail && at < cfg.duration()+tail {
			t.moments, t.readings = append(t.moments, at), append(t.readings, r.readings[i])
		}
	}
	if len(t.readings) < leastReadings {
		return 0
	}
	m := newMatcher(cfg, t.moments, cfg.Latency+cfg.MaxRoundTrip, waysOf(t.readings))
	shown := make(sequence, cfg.Colours)
	for range n {
		shown.redraw(random)
		if m.beats(shown, cfg.decoys(), random) {
			passed++
		}
	}
	return passed
}

// Head is the places of a recorded head over time, for the studies of package challenge_test.
type Head struct {
	at     []time.Duration
	places []place
}

// Add takes a picture of stream time t.
func (h *Head) Add(t time.Duration, face liveproof.Face, pose liveproof.Pose) {
	if p, ok := placed(liveproof.View{Face: face, Pose: &pose}); ok {
		h.at, h.places = append(h.at, t), append(h.places, p)
	}
}

// Len is how many pictures were taken.
func (h *Head) Len() int { return len(h.at) }

// Length of the recording.
func (h *Head) Length() time.Duration { return h.at[len(h.at)-1] }

// place is that of time t. A recording that is too short goes on backward, and forward again.
func (h *Head) place(t time.Duration) place {
	last := h.Length()
	turned := t % (2 * last)
	if turned > last {
		turned = 2*last - turned
	}
	i, _ := slices.BinarySearch(h.at, turned)
	return h.places[min(i, len(h.places)-1)]
}

// Orders are all orders of n movements.
func Orders(n int) (all [][]liveproof.Movement) {
	all = [][]liveproof.Movement{nil}
	for range n {
		var longer [][]liveproof.Movement
		for _, o := range all {
			for _, m := range movements {
				if len(o) == 0 || o[len(o)-1] != m {
					longer = append(longer, append(slices.Clone(o), m))
				}
			}
		}
		all = longer
	}
	return all
}

// Answer judges the recording, from the time from on, as the answer to an order.
func (h *Head) Answer(cfg Config, from time.Duration, order []liveproof.Movement) (passed bool) {
	return Answer(cfg, order, 0, func(at time.Duration) (*Head, time.Duration) { return h, from + cfg.Turn.Warning + at })
}

// Answer judges what show shows, five times a second from phase on, as the answer to an order.
func Answer(cfg Config, order []liveproof.Movement, phase time.Duration, show func(at time.Duration) (*Head, time.Duration)) bool {
	_, passed := Answered(cfg, order, phase, show)
	return passed
}

// Answered is Answer, with when it was judged, from when the first movement was asked for.
func Answered(cfg Config, order []liveproof.Movement, phase time.Duration, show func(at time.Duration) (*Head, time.Duration)) (at time.Duration, passed bool) {
	t := newTurnTrial(cfg.Turn, order, cfg.Latency+cfg.MaxRoundTrip)
	for at = phase - cfg.Turn.Warning; ; at += 200 * time.Millisecond {
		head, from := show(at)
		if head.Len() > 0 {
			t.see(at, head.place(from))
		}
		if got, done := t.judge(at, nil); done {
			return at, got.passed
		}
	}
}
