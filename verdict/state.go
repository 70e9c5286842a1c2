package verdict

import (
	"slices"

	"github.com/liveproof/liveproof"
)

// Verdict is the judgement as it stands.
func (f *Folder) Verdict() liveproof.Verdict {
	v := f.current()
	if f.final != nil {
		v = *f.final
	}
	v.Reasons, v.Evidence = slices.Clone(v.Reasons), slices.Clone(v.Evidence)
	return v
}

// Smoothed is the smoothed ρ of the evidence, in [0,1]; 0 without evidence.
func (f *Folder) Smoothed() float64 { return f.ev.score.value() }

// Wanting is the reason for which the session is not live although its scores are: injection is suspected, or required evidence was
// not given. "" where the scores are not, or nothing is missing.
func (f *Folder) Wanting() liveproof.Reason {
	missing := f.missing()
	switch {
	case f.ev.side(f.policy) != liveproof.OutcomeLive:
		return ""
	case f.suspected:
		return liveproof.ReasonInjectionSuspected
	case len(missing) == 0:
		return ""
	}
	if missing[0] == liveproof.EvidenceMotion && f.rigid {
		return liveproof.ReasonRigidMotion
	}
	return missing[0].Lack()
}

// lack is what keeps the session from a decision.
func (f *Folder) lack() liveproof.Reason {
	if f.unsettled && f.ev.side(f.policy) != liveproof.OutcomePending {
		return firstOf(f.Wanting(), liveproof.ReasonInsufficientEvidence)
	}
	return firstOf(f.Wanting(), f.ev.shortfall(f.policy))
}

// evidence is what was given since the last restart, in the order of liveproof.Evidences.
func (f *Folder) evidence() (given []liveproof.Evidence) {
	for _, e := range liveproof.Evidences() {
		passive := e == liveproof.EvidencePassive && f.ev.enough(f.policy)
		if passive || slices.Contains(f.given, e) {
			given = append(given, e)
		}
	}
	return given
}

// Restarts counts how often the evidence has started again.
func (f *Folder) Restarts() int { return f.restarts }

// Settled reports whether a call stands clearly at live, so that samples may come less
// often, down to one in RestartGap/2 (every rule of this package counts time, not
// samples). The smoothed score and the newest sample must be above θ+m, and the newest
// sample at least in the middle between the smoothed score and the level at which live
// is withdrawn.
func (f *Folder) Settled() bool {
	s, leave := f.ev.score.value(), f.policy.leave()
	return f.mode == liveproof.ModeCall && f.outcome == liveproof.OutcomeLive && f.missed == "" &&
		s > f.policy.upper() && f.ev.newest > f.policy.upper() && f.ev.newest-leave >= (s-leave)/2
}

// unsettledShare of the progress is kept while it is not known whether the person is the same.
const unsettledShare = 0.05

// missingShare of the progress is kept for the evidence beside ρ while it is missing.
const missingShare = 0.3

// Progress counts the evidence towards a decision.
func (f *Folder) Progress() liveproof.Progress {
	p := liveproof.Progress{Scored: f.ev.scored, Needed: f.policy.MinSamples}
	if f.outcome != liveproof.OutcomePending {
		p.Fraction = 1
		return p
	}
	span := (f.ev.last - f.ev.first).Seconds() / f.policy.MinSpan.Seconds()
	count := float64(f.ev.scored) / float64(f.policy.MinSamples)
	hold := max(f.ev.above.length(f.ev.last), f.ev.below.length(f.ev.last)).Seconds() / f.policy.Hold.Seconds()
	// The last fifth is kept for the hold, so that a full bar means a verdict.
	p.Fraction = 0.8*min(1, span, count) + 0.2*min(1, hold, span)
	if missing := len(f.missing()); missing > 0 {
		p.Fraction *= 1 - missingShare*float64(missing)/float64(len(f.policy.Require)-1)
	}
	if f.unsettled {
		p.Fraction = min(p.Fraction, 1-unsettledShare)
	}
	return p
}

func (f *Folder) current() liveproof.Verdict {
	v := liveproof.Verdict{
		Outcome: f.outcome, Score: f.ev.score.value(), Reasons: f.grounds, Evidence: f.evidence(), Injection: f.injection, Scored: f.ev.scored, At: f.at,
	}
	if f.outcome == liveproof.OutcomePending {
		v.Reasons = distinct(first(f.grounds), f.restarted, f.missed, f.lack())
	}
	return v
}

// blocked reports whether a sample must not count although it holds a score.
func blocked(reasons []liveproof.Reason) bool {
	return slices.ContainsFunc(reasons, func(r liveproof.Reason) bool {
		return r.Doubtful() || r == liveproof.ReasonMultipleFaces || r == liveproof.ReasonNoFace
	})
}

// mistimed reports whether the sample's own time is in doubt; such a sample does not
// advance the stream's time.
func mistimed(reasons []liveproof.Reason) bool {
	return slices.ContainsFunc(reasons, func(r liveproof.Reason) bool {
		return r == liveproof.ReasonTimestampsBackward || r == liveproof.ReasonTimestampsJumped || r == liveproof.ReasonInjectionTiming
	})
}

// tally counts reasons.
type tally map[liveproof.Reason]int

// maxReasons bounds a tally; there are fewer codes than that.
const maxReasons = 64

func (t tally) add(r liveproof.Reason, n int) {
	if _, known := t[r]; n > 0 && (known || len(t) < maxReasons) {
		t[r] += n
	}
}

// top is the most frequent reason, "" of none; ties go to the smaller code, so that it is reproducible.
func (t tally) top() liveproof.Reason {
	var best liveproof.Reason
	for r, n := range t {
		if n > t[best] || (n == t[best] && r < best) {
			best = r
		}
	}
	return best
}

// distinct keeps each reason's first place and leaves out "".
func distinct(reasons ...liveproof.Reason) []liveproof.Reason {
	out := make([]liveproof.Reason, 0, len(reasons))
	for _, r := range reasons {
		if r != "" && !slices.Contains(out, r) {
			out = append(out, r)
		}
	}
	return out
}

func first(reasons []liveproof.Reason) liveproof.Reason {
	if len(reasons) == 0 {
		return ""
	}
	return reasons[0]
}

func firstOf(a, b liveproof.Reason) liveproof.Reason {
	if a != "" {
		return a
	}
	return b
}
