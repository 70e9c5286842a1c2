package challenge

import (
	"math/rand/v2"
	"time"

	"github.com/liveproof/liveproof"
)

const (
	// tail is for how long after the last colour readings are taken.
	tail = 300 * time.Millisecond
	// mostReadings bounds the readings of a challenge.
	mostReadings = 512
)

// flash is the challenge by light.
type flash struct{ cfg Config }

func (flash) evidence() liveproof.Evidence { return liveproof.EvidenceFlash }
func (f flash) warning() time.Duration     { return f.cfg.Warning }
func (f flash) length() time.Duration      { return f.cfg.duration() + tail }

func (f flash) draw(r *rand.Rand, allowance time.Duration) (trial, liveproof.Challenge) {
	t := &flashTrial{cfg: f.cfg, shown: draw(r, f.cfg.Colours), most: allowance}
	return t, liveproof.Challenge{Duration: f.cfg.duration(), Colours: t.shown.keyframes(f.cfg.Period)}
}

// flashTrial is the readings of the face's colour, and the sequence that was shown.
type flashTrial struct {
	cfg      Config
	shown    sequence
	most     time.Duration // longest lag
	moments  []time.Duration
	readings []reading
}

func (t *flashTrial) take(at time.Duration, v liveproof.View) {
	if at < -tail || len(t.readings) >= mostReadings {
		return
	}
	if r := measure(v.Image, v.Face); r.any() {
		t.moments, t.readings = append(t.moments, at), append(t.readings, r)
	}
}

func (t *flashTrial) judge(at time.Duration, r *rand.Rand) (got answer, done bool) {
	if at < t.cfg.duration()+tail {
		return answer{}, false
	}
	likelihood := 0.0
	if len(t.readings) >= leastReadings {
		m := newMatcher(t.cfg, t.moments, t.most, waysOf(t.readings))
		got.seen, got.passed, likelihood = true, m.beats(t.shown, t.cfg.decoys(), r), m.likelihood(t.shown)
	}
	got.signals = map[string]float64{"flash.likelihood": likelihood}
	return got, true
}
