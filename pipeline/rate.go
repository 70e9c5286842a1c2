package pipeline

import (
	"slices"
	"time"

	"github.com/liveproof/liveproof"
)

// sparse adds low_frame_rate to the verdict of a session that ended for lack of evidence which nothing else
// explains, when there were less than half of the samples that the sampling rate asks for.
func (j *judge) sparse(v liveproof.Verdict) liveproof.Verdict {
	if !j.unexplained(v) || 2*time.Duration(j.judged)*j.cfg.period() >= j.watched() {
		return v
	}
	v.Reasons = slices.Insert(slices.Clone(v.Reasons), min(1, len(v.Reasons)), liveproof.ReasonLowFrameRate)
	return v
}

// unexplained reports whether a verdict lacks evidence and names neither the view, nor the stream, nor an end from outside as the
// cause.
func (j *judge) unexplained(v liveproof.Verdict) bool {
	return v.Outcome == liveproof.OutcomeInconclusive && slices.Contains(v.Reasons, liveproof.ReasonInsufficientEvidence) &&
		!slices.ContainsFunc(v.Reasons, func(r liveproof.Reason) bool {
			return r != liveproof.ReasonInsufficientEvidence && r != liveproof.ReasonDeadline
		})
}

// watched is for how long the session was watched.
func (j *judge) watched() time.Duration {
	if j.cfg.Live {
		return j.elapsed()
	}
	return j.lastT
}
