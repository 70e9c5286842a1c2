package engine

import (
	"slices"
	"time"

	"github.com/liveproof/liveproof"
	"github.com/liveproof/liveproof/challenge"
	"github.com/liveproof/liveproof/motion"
	"github.com/liveproof/liveproof/pipeline"
)

// examiners gather one session's evidence beside ρ: those of the evidence that it requires, and the motion of all.
func (e *Engine) examiners(s liveproof.Session, from source) ([]pipeline.Examiner, error) {
	examiners := []pipeline.Examiner{motion.New(e.cfg.Motion, e.motion)}
	policy := e.cfg.Verdict.For(s)
	if !slices.Contains(policy.Require, liveproof.EvidenceFlash) {
		return examiners, nil
	}
	flash, err := challenge.NewFlash(e.cfg.Challenge, challenge.NewSeed(), e.challengeOptions(s, policy.Deadline, from))
	return append(examiners, flash), err
}

// challengeOptions tell a challenge of its session. A call has no deadline.
func (e *Engine) challengeOptions(s liveproof.Session, deadline time.Duration, from source) challenge.Options {
	o := challenge.Options{Metrics: e.challenges}
	if s.Mode == liveproof.ModeOnboarding {
		o.Deadline = deadline
	}
	if far, ok := from.(interface {
		RoundTrip() (roundTrip time.Duration, known bool)
	}); ok {
		o.RoundTrip = far.RoundTrip
	}
	return o
}
