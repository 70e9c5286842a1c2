package verdict

import (
	"math"
	"slices"
	"time"

	"github.com/liveproof/liveproof"
)

// mean is an exponential-kernel mean as two running sums.
type mean struct{ sum, weight float64 }

// add ages the mean by decay ∈ [0,1] and takes in x ∈ [0,1] with weight w > 0.
func (m *mean) add(x, w, decay float64) {
	m.sum = m.sum*decay + w*x
	m.weight = m.weight*decay + w
}

// value is in [0,1]; 0 before the first add. The bounds absorb rounding.
func (m mean) value() float64 {
	if m.weight <= 0 {
		return 0
	}
	return min(1, max(0, m.sum/m.weight))
}

// decay is e^{-dt/tau}.
func decay(dt, tau time.Duration) float64 { return math.Exp(-float64(dt) / float64(tau)) }

// run is since when a condition has held without a break.
type run struct {
	since time.Duration
	on    bool
	off   bool          // it did not hold at some time
	offAt time.Duration // when that was last so
}

// follow takes the condition at time t; broken restarts a run that goes on.
func (r *run) follow(holds, broken bool, t time.Duration) {
	if holds && (!r.on || broken) {
		r.since = t
	}
	if r.on = holds; !holds {
		r.off, r.offAt = true, t
	}
}

// growing reports whether a run is shorter than hold at t only because it began late or was broken, not because the condition did
// not hold.
func (r run) growing(hold, t time.Duration) bool {
	return r.on && r.length(t) < hold && !(r.off && t-r.offAt < hold)
}

// length of the run up to t.
func (r run) length(t time.Duration) time.Duration {
	if !r.on {
		return 0
	}
	return t - r.since
}

// evidence is what was gathered since the last restart. Its zero value is empty.
type evidence struct {
	scored      int
	first, last time.Duration // stream time of the first and last scored sample
	score       mean          // of ρ, time constant Tau
	agreement   mean          // of ρ ≥ θ, time constant MinSpan
	near        mean          // of ρ within the margin, time constant MinSpan
	coarse      mean          // of "scored in spite of low_bitrate", time constant MinSpan
	doubt       mean          // of "doubtful", time constant MinSpan
	doubtAt     time.Duration // stream time of doubt's last term
	doubtRun    int           // doubtful samples in a row
	newest      float64       // ρ of the last scored sample
	above       run           // s > θ+m
	below       run           // s < θ-m
}

// count takes in a scored sample, which must be later than all before it.
func (e *evidence) count(p Policy, s liveproof.Sample) {
	gap := s.T - e.last
	if e.scored == 0 {
		e.first, gap = s.T, 0
	}
	e.scored++
	e.last, e.newest = s.T, s.Rho
	e.score.add(s.Rho, s.Weight, decay(gap, p.Tau))
	e.agreement.add(indicator(s.Rho >= p.Threshold), s.Weight, decay(gap, p.MinSpan))
	e.near.add(indicator(s.Rho >= p.lower() && s.Rho <= p.upper()), s.Weight, decay(gap, p.MinSpan))
	e.coarse.add(indicator(slices.Contains(s.Reasons, liveproof.ReasonLowBitrate)), s.Weight, decay(gap, p.MinSpan))
	e.trust(p, s.T, false)
	e.above.follow(e.score.value() > p.upper(), gap > p.MaxGap, s.T)
	e.below.follow(e.score.value() < p.lower(), gap > p.MaxGap, s.T)
}

// trust keeps the share of doubtful samples and the length of their run.
func (e *evidence) trust(p Policy, t time.Duration, doubtful bool) {
	t = max(t, e.doubtAt)
	e.doubt.add(indicator(doubtful), 1, decay(t-e.doubtAt, p.MinSpan))
	e.doubtAt = t
	e.doubtRun++
	if !doubtful {
		e.doubtRun = 0
	}
}

// enough reports whether the minimum evidence is there and can be trusted.
func (e *evidence) enough(p Policy) bool {
	return e.scored >= p.MinSamples && e.last-e.first >= p.MinSpan && e.doubt.value() <= 0.5
}

// side is live or spoof when the conditions of one hold, pending otherwise. The
// newest sample must be on that side itself: the smoothed score lags behind a
// change by about τ, and nobody passes on a score that is just falling.
func (e *evidence) side(p Policy) liveproof.Outcome {
	switch agreement := e.agreement.value(); {
	case !e.enough(p):
		return liveproof.OutcomePending
	case e.held(e.above, p) && agreement >= 1-p.MaxDissent && e.newest > p.Threshold:
		return liveproof.OutcomeLive
	case e.held(e.below, p) && agreement <= p.MaxDissent && e.newest < p.Threshold:
		return liveproof.OutcomeSpoof
	}
	return liveproof.OutcomePending
}

func (e *evidence) held(r run, p Policy) bool { return r.on && r.length(e.last) >= p.Hold }

// shortfall says what keeps the evidence from a decision: too little of it (too few samples, too short, with gaps, or in
// doubt), most scores near the threshold, or scores that do not agree on a side.
func (e *evidence) shortfall(p Policy) liveproof.Reason {
	switch {
	case !e.enough(p), e.above.growing(p.Hold, e.last), e.below.growing(p.Hold, e.last):
		return liveproof.ReasonInsufficientEvidence
	case e.near.value() > 0.5:
		return liveproof.ReasonScoreNear
	}
	return liveproof.ReasonScoreUndecided
}

// blurred is low_bitrate when most of the evidence was scored in spite of it, else "". Lost detail looks like an attack, so such
// evidence does not prove one.
func (e *evidence) blurred() liveproof.Reason {
	if e.coarse.value() > 0.5 {
		return liveproof.ReasonLowBitrate
	}
	return ""
}

func indicator(b bool) float64 {
	if b {
		return 1
	}
	return 0
}
