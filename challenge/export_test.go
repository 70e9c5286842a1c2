package challenge

import (
	"math/rand/v2"
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
