package pipeline

import (
	"math/rand/v2"
	"sync"
	"time"

	"github.com/liveproof/liveproof"
)

// calmStep is how long a call must stand at live without a doubt before the
// time between its samples doubles.
const calmStep = 2 * time.Second

// cause is why a session is sampled at the full rate again; it is a label value of a metric.
type cause string

// What raises doubt. The first six are seen in the pictures, before a model runs;
// the others are found when samples are judged.
const (
	causeCut      cause = "cut"      // the picture differs so much from the one before that it shows another scene
	causeGap      cause = "gap"      // no picture came for longer than longGap
	causeRepeated cause = "repeated" // a picture came again, or belongs to a loop
	causeStill    cause = "still"    // the face has not moved for long
	causeTiming   cause = "timing"   // a picture's timestamp is implausible
	causeStream   cause = "stream"   // the sender changed to another of its streams
	causeUnscored cause = "unscored" // a sample was not scored, because of what it shows or because of a failure
	causeTrack    cause = "track"    // another face is followed
	causeIdentity cause = "identity" // the person may be another
	causeLoss     cause = "loss"     // many pictures are lost on the network
	causeScore    cause = "score"    // the score fell, or is near the threshold
	causeStale    cause = "stale"    // no sample was judged for longer than the longest wait
)

// attention decides how closely one session is watched: it picks samples among the
// pictures that the full rate would sample (the sampling grid). A call that stands at
// live is sampled less and less often; any doubt restores the full rate. The wait for a
// relaxed sample is random, uniform in [½, 1] of the period, so that nobody can foresee
// which pictures are not sampled. It is safe for concurrent use: the sample stage and
// the judge share it.
type attention struct {
	full, longest time.Duration  // between two samples at the full rate, and at the lowest rate
	draw          func() float64 // a random number in [0, 1)
	met           *Metrics

	mu      sync.Mutex
	period  time.Duration // current longest wait for the next sample
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

// due reports whether the picture of stream time t, which is on the sampling grid,
// becomes a sample. A picture that is unlike the last sample always becomes one. thorough
// says that doubt was raised since the last sample.
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

// missed notes that the server had no capacity for the sample of stream time t. It halves
// the wait for the next one. It does not restore the full rate, which would add to the
// overload.
func (a *attention) missed(t time.Duration) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.period, a.calm.on = max(a.period/2, a.full), false
	a.next = min(a.next, t+a.period)
}

// settled notes that the sample of stream time t leaves no doubt about a live call. A sample
// from before the newest doubt does not count.
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
