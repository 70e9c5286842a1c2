package challenge

import (
	"context"
	crand "crypto/rand"
	"encoding/hex"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/liveproof/liveproof"
)

// mostAsked bounds the challenges of a session, whoever is followed and however often the evidence starts again.
const mostAsked = 10

// Seed makes a session's random numbers.
type Seed [32]byte

// NewSeed is a secret seed from the system's generator.
func NewSeed() (s Seed) {
	_, _ = crand.Read(s[:]) // never fails: it ends the program instead
	return s
}

// Options are what a session's examiner is told of the session. Their zero values are ready.
type Options struct {
	// RoundTrip gives the network's measured round trip, false while it is not known. It is called when a challenge is asked.
	RoundTrip func() (roundTrip time.Duration, known bool)
	// Deadline is the stream time at which the session ends; a challenge that would not end before it is not asked. 0 is none.
	Deadline time.Duration
	// Alternative is the evidence that the person is asked for who declines another kind; empty: none is.
	Alternative liveproof.Evidence
	// Declined reports whether the client has declined the challenge with this id. It is called for each view while one is open.
	Declined func(id string) bool
	// Metrics count for the process.
	Metrics *Metrics
}

// Asker asks for one kind of challenge and judges the answer. It belongs to one session and is not safe for concurrent use. All
// times are stream time, so a recorded session is judged like the live one.
type Asker struct {
	cfg         Config
	random      *rand.Rand
	opts        Options
	kind        kind
	alternative kind // nil: none

	track    int           // whose answer is awaited; 0 before the first face
	restarts int           // of the verdict's evidence
	since    time.Duration // since when the face is followed
	attempts int           // of this track, at this kind
	asked    int           // of the session
	passed   bool          // this track has passed
	open     *question
	failed   answer // of the newest trial that was not passed
}

// kind is one kind of challenge.
type kind interface {
	evidence() liveproof.Evidence
	// draw draws a challenge. The answer may come as much later than it was asked for as allowance says.
	draw(r *rand.Rand, allowance time.Duration) (trial, liveproof.Challenge)
	// warning is the time in which the person is told what will happen.
	warning() time.Duration
	// length is the time from the challenge's beginning to its judgement, at most.
	length() time.Duration
}

// trial gathers one answer. Times are from the challenge's beginning; they are negative before it.
type trial interface {
	take(at time.Duration, v liveproof.View)
	// judge decides, or says that more is to be seen. The signals of both are for the timeline.
	judge(at time.Duration, r *rand.Rand) (got answer, done bool)
}

// question is a challenge that was asked and is not judged yet.
type question struct {
	trial
	id     string
	begins time.Duration // stream time at which the answer may begin at the earliest
}

// answer is how a trial ended.
type answer struct {
	passed  bool
	seen    bool // there was an answer, right or wrong
	signals map[string]float64
}

// reason is why an answer does not pass.
func (a answer) reason() liveproof.Reason {
	if !a.seen {
		return liveproof.ReasonChallengeUnanswered
	}
	return liveproof.ReasonChallengeFailed
}

// NewFlash returns an examiner that asks for the challenge by light. The same seed draws the same challenges.
func NewFlash(cfg Config, seed Seed, opts Options) (*Asker, error) {
	return newAsker(cfg, flash{cfg}, seed, opts)
}

// NewTurn returns an examiner that asks for the challenge by movement. The same seed draws the same challenges.
func NewTurn(cfg Config, seed Seed, opts Options) (*Asker, error) {
	return newAsker(cfg, turn{cfg}, seed, opts)
}

func newAsker(cfg Config, k kind, seed Seed, opts Options) (*Asker, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	if opts.RoundTrip == nil {
		opts.RoundTrip = func() (time.Duration, bool) { return 0, false }
	}
	if opts.Declined == nil {
		opts.Declined = func(string) bool { return false }
	}
	if opts.Metrics == nil {
		opts.Metrics = NewMetrics(nil)
	}
	a := &Asker{cfg: cfg, kind: k, opts: opts, random: rand.New(rand.NewChaCha8(seed))} //nolint:gosec // ChaCha8 is a cryptographic generator, and its seed is secret
	if opts.Alternative == liveproof.EvidenceTurn && k.evidence() != liveproof.EvidenceTurn {
		a.alternative = turn{cfg}
	}
	return a, nil
}

// Examine takes the next view. It asks once a face was followed for Config.Settle and is seen well, and gives the evidence when the
// answer has come. Another face, and a restart of the verdict's evidence, begin anew. When no further challenge is asked, each view carries
// the reason.
func (a *Asker) Examine(_ context.Context, v liveproof.View) (liveproof.Finding, error) {
	if v.Track != a.track || v.Restarts != a.restarts {
		a.track, a.restarts, a.since, a.attempts, a.passed, a.open = v.Track, v.Restarts, v.T, 0, false, nil
	}
	a.decline()
	switch {
	case a.passed:
		return liveproof.Finding{}, nil
	case a.open != nil:
		return a.follow(v), nil
	case a.attempts > 0 && a.over(v.T), a.asked >= mostAsked:
		return liveproof.Finding{Reasons: []liveproof.Reason{a.failed.reason()}}, nil
	case v.T-a.since >= a.cfg.Settle && seenWell(v):
		return liveproof.Finding{Ask: a.ask(v)}, nil
	}
	return liveproof.Finding{}, nil
}

// decline gives up an open challenge that the client has declined, where another kind can take its place for the rest of the session.
func (a *Asker) decline() {
	if a.open == nil || a.alternative == nil || !a.opts.Declined(a.open.id) {
		return
	}
	a.opts.Metrics.count(a.kind, "declined")
	a.kind, a.alternative, a.open, a.attempts = a.alternative, nil, nil, 0
}

// seenWell reports whether the face can be asked now. The first pictures of a connection are encoded coarsely, and become finer before the
// warning is over.
func seenWell(v liveproof.View) bool {
	return !slices.ContainsFunc(v.Reasons, func(r liveproof.Reason) bool { return r != liveproof.ReasonLowBitrate })
}

// over reports whether there is no further try at stream time t.
func (a *Asker) over(t time.Duration) bool {
	late := a.opts.Deadline > 0 && t+a.warning()+a.kind.length() > a.opts.Deadline
	return a.attempts >= a.cfg.Attempts || a.asked >= mostAsked || late
}

// warning is the time before the challenge: twice as long for a further try, because there is more to read.
func (a *Asker) warning() time.Duration {
	return a.kind.warning() * time.Duration(1+indicator(a.attempts > 0))
}

// ask draws a challenge that is sent with this view.
func (a *Asker) ask(v liveproof.View) *liveproof.Challenge {
	t, warning := v.T, a.warning()
	a.attempts++
	a.asked++
	trial, c := a.kind.draw(a.random, a.cfg.Latency+a.allowance())
	c.ID, c.Kind, c.Attempt, c.Begin = a.nonce(), a.kind.evidence(), a.attempts, warning
	if a.alternative != nil {
		c.Alternative = a.alternative.evidence()
	}
	a.open = &question{trial: trial, id: c.ID, begins: t + warning}
	a.open.take(-warning, v)
	a.opts.Metrics.count(a.kind, "asked")
	return &c
}

// allowance is the round trip that the answer may take.
func (a *Asker) allowance() time.Duration {
	if measured, known := a.opts.RoundTrip(); known {
		return min(max(0, measured), a.cfg.MaxRoundTrip)
	}
	return a.cfg.MaxRoundTrip
}

func (a *Asker) nonce() string {
	var b [16]byte
	for i := range b {
		b[i] = byte(a.random.Uint32())
	}
	return hex.EncodeToString(b[:])
}

// follow reads the answer and judges it when it is complete. After an answer that does not pass, the next challenge follows at once.
func (a *Asker) follow(v liveproof.View) liveproof.Finding {
	at := v.T - a.open.begins
	a.open.take(at, v)
	got, done := a.open.judge(at, a.random)
	if !done {
		return liveproof.Finding{Signals: got.signals}
	}
	a.open, a.passed = nil, got.passed
	a.opts.Metrics.judged(a.kind, got)
	found := liveproof.Finding{Signals: got.signals}
	if got.passed {
		found.Given = []liveproof.Evidence{a.kind.evidence()}
		return found
	}
	a.failed = got
	if a.over(v.T) {
		found.Reasons = []liveproof.Reason{got.reason()}
	} else {
		found.Ask = a.ask(v)
	}
	return found
}
