package pipeline

import (
	"math/rand/v2"
	"sync"
	"time"

	"github.com/liveproof/liveproof"
)

// calmStep is how long a call must stand at live without a doubt before the
// time between its samples is doubled.
const calmStep = 2 * time.Second

// cause is why a session is watched at the full rate again; it labels a metric.
type cause string

// What raises doubt. The first five are seen in the pictures, before a model
// runs; the others are judged.
const (
	causeCut      cause = "cut"      // the picture differs from the one before as another scene does
	causeGap      cause = "gap"      // no picture came for long
	causeRepeated cause = "repeated" // a picture came again, or belongs to a loop
	causeStill    cause = "still"    // the face has not moved for long
	causeTiming   cause = "timing"   // a picture's timestamp is not believed
	causeUnscored cause = "unscored" // a sample was not scored, for what it shows or for a failure
	causeTrack    cause = "track"    // another face is followed
	causeLoss     cause = "loss"     // many pictures are lost on the way
	causeScore    cause = "score"    // the score fell, or lies near the threshold
	causeStale    cause = "stale"    // no sample was judged for longer than the wait allows
)

// attention is how closely one session is watched: it picks the samples among
// the pictures of the full rate's grid. A call that stands at live is sampled
// less and less often; any doubt restores the full rate. The wait for a relaxed
// sample is drawn at random from [½, 1] of the period, so that nobody can foresee
// which pictures are not looked at. The stages and the judge use it at the same
// time.
type attention struct {
	full, longest time.Duration // between two samples: at the full rate, and at most
	draw          func() float64
	met           *Metrics

	mu      sync.Mutex
	period  time.Duration // longest wait for the next sample as things stand
	next    time.Duration // stream time of the next relaxed sample
	doubtAt time.Duration // stream time of the newest doubt
	calm    run           // since when nothing raised doubt
	alarmed bool          // doubt was raised since the last sample
	owed    run           // since which lost sample a thorough search is owed
}

// run is a span of stream time that may not have begun.
type run struct {
	on    bool
	since time.Duration
}

func newAttention(cfg Config, mode liveproof.Mode, met *Metrics) *attention {
	a := &attention{full: cfg.period(), longest: cfg.longest(), draw: rand.Float64, met: met, doubtAt: -1}
	if mode != liveproof.ModeCall {
		a.longest = a.full
	}
	a.period = a.full
	return a
}

// due reports whether the picture at stream time t, which lies on the full
// rate's grid, becomes a sample; thorough, whether doubt was raised since the last
// one. A picture that is unlike the last sample always becomes one.
func (a *attention) due(t time.Duration, unlike bool) (sample, thorough bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.period > a.full && !unlike && t < a.next-a.full/2 {
		a.met.spared.Inc()
		return false, false
	}
	thorough, a.alarmed = a.alarmed, false
	a.next = t + time.Duration((1+a.draw())/2*float64(a.period))
	return true, thorough
}

// lost says that the sample of stream time t, which was to be searched thoroughly, never reached the detector.
func (a *attention) lost(t time.Duration) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.owed = run{on: true, since: t}
}

// makesUp reports whether the sample of stream time t is to be searched thoroughly in the place of an earlier one that was lost.
func (a *attention) makesUp(t time.Duration) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if !a.owed.on || t < a.owed.since {
		return false
	}
	a.owed.on = false
	return true
}

// doubt restores the full rate at stream time t.
func (a *attention) doubt(t time.Duration, why cause) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.period > a.full {
		a.met.doubts.WithLabelValues(string(why)).Inc()
	}
	a.period, a.calm.on, a.alarmed = a.full, false, true
	a.doubtAt = max(a.doubtAt, t)
}

// missed says that the server had no capacity for the sample of stream time t.
// The next one comes sooner, but not at once at the full rate: that would add to
// the overload.
func (a *attention) missed(t time.Duration) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.period, a.calm.on = max(a.period/2, a.full), false
	a.next = min(a.next, t+a.period)
}

// settled says that the sample of stream time t leaves no doubt about a live call. What
// was sampled before the newest doubt cannot remove it.
func (a *attention) settled(t time.Duration) {
	a.mu.Lock()
	defer a.mu.Unlock()
	switch {
	case t <= a.doubtAt:
	case !a.calm.on:
		a.calm = run{on: true, since: t}
	case t-a.calm.since >= calmStep:
		a.period, a.calm.since = min(2*a.period, a.longest), t
	}
}
