package engine

import (
	"time"

	"github.com/liveproof/liveproof"
	"github.com/liveproof/liveproof/challenge"
	"github.com/liveproof/liveproof/motion"
	"github.com/liveproof/liveproof/pipeline"
	"github.com/liveproof/liveproof/verdict"
)

// examiners gather one session's evidence beside ρ: those of the evidence that it requires, and the motion of all.
func (e *Engine) examiners(s liveproof.Session, from source) ([]pipeline.Examiner, error) {
	examiners := []pipeline.Examiner{motion.New(e.cfg.Motion, e.motion)}
	policy := e.cfg.Verdict.For(s)
	var challenges challenge.Queue
	for _, kind := range policy.Require {
		if !kind.Challenge() {
			continue
		}
		asker, err := e.asker(kind, s, policy, from)
		if err != nil {
			return nil, err
		}
		challenges = append(challenges, asker)
	}
	if len(challenges) > 0 {
		examiners = append(examiners, challenges)
	}
	return examiners, nil
}

// asker asks for one kind of evidence.
func (e *Engine) asker(kind liveproof.Evidence, s liveproof.Session, policy verdict.Policy, from source) (*challenge.Asker, error) {
	options := e.challengeOptions(s, policy.Deadline, from)
	if kind == liveproof.EvidenceTurn {
		return challenge.NewTurn(e.cfg.Challenge, challenge.NewSeed(), options)
	}
	options.Alternative = policy.Instead(kind)
	return challenge.NewFlash(e.cfg.Challenge, challenge.NewSeed(), options)
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
	if client, ok := from.(interface{ Declined(id string) bool }); ok {
		o.Declined = client.Declined
	}
	return o
}
