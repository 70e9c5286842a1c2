package engine

import (
	"slices"
	"time"

	"github.com/liveproof/liveproof"
	"github.com/liveproof/liveproof/challenge"
	"github.com/liveproof/liveproof/pipeline"
)

// examiners gather one session's evidence beside ρ: those of the evidence that it requires.
func (e *Engine) examiners(s liveproof.Session, from source) ([]pipeline.Examiner, error) {
	policy := e.cfg.Verdict.For(s)
	if !slices.Contains(policy.Require, liveproof.EvidenceFlash) {
		return nil, nil
	}
	flash, err := challenge.NewFlash(e.cfg.Challenge, challenge.NewSeed(), e.challengeOptions(s, policy.Deadline, from))
	return []pipeline.Examiner{flash}, err
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
