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

const (
	// tail is for how long after the last colour readings are taken.
	tail = 300 * time.Millisecond
	// mostReadings bounds the readings of a challenge.
	mostReadings = 512
	// mostAsked bounds the challenges of a session, whoever is followed and however often the evidence starts again.
	mostAsked = 10
)

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
	// Metrics count for the process.
	Metrics *Metrics
}

// Flash asks for the challenge by light and judges the answer. It belongs to one session and is not safe for concurrent use. All
// times are stream time, so a recorded session is judged like the live one.
type Flash struct {
	cfg    Config
	random *rand.Rand
	opts   Options

	track    int           // whose answer is awaited; 0 before the first face
	restarts int           // of the verdict's evidence
	since    time.Duration // since when the face is followed
	attempts int           // of this track
	asked    int           // of the session
	passed   bool          // this track has passed
	open     *trial
	failed   answer // of the newest trial that was not passed
}

// trial is a challenge that was asked and is not judged yet.
type trial struct {
	shown    sequence
	begins   time.Duration // stream time at which the first colour may show at the earliest
	most     time.Duration // longest lag
	moments  []time.Duration
	readings []reading
}

// NewFlash returns an examiner. The same seed draws the same challenges.
func NewFlash(cfg Config, seed Seed, opts Options) (*Flash, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	if opts.RoundTrip == nil {
		opts.RoundTrip = func() (time.Duration, bool) { return 0, false }
	}
	if opts.Metrics == nil {
		opts.Metrics = NewMetrics(nil)
	}
	return &Flash{cfg: cfg, random: rand.New(rand.NewChaCha8(seed)), opts: opts}, nil //nolint:gosec // ChaCha8 is a cryptographic generator, and its seed is secret
}

// Examine takes the next view. It asks once a face was followed for Config.Settle and is seen well, and gives EvidenceFlash when the answer has come. Another
// face, and a restart of the verdict's evidence, begin anew. When no further challenge is asked, each view carries the reason.
func (f *Flash) Examine(_ context.Context, v liveproof.View) (liveproof.Finding, error) {
	if v.Track != f.track || v.Restarts != f.restarts {
		f.track, f.restarts, f.since, f.attempts, f.passed, f.open = v.Track, v.Restarts, v.T, 0, false, nil
	}
	switch {
	case f.passed:
		return liveproof.Finding{}, nil
	case f.open != nil:
		return f.follow(v), nil
	case f.attempts > 0 && f.over(v.T), f.asked >= mostAsked:
		return liveproof.Finding{Reasons: []liveproof.Reason{f.failed.reason()}}, nil
	case v.T-f.since >= f.cfg.Settle && seenWell(v):
		return liveproof.Finding{Ask: f.ask(v.T)}, nil
	}
	return liveproof.Finding{}, nil
}

// seenWell reports whether the face can be asked now. The first pictures of a connection are encoded coarsely, and become finer before the
// warning is over.
func seenWell(v liveproof.View) bool {
	return !slices.ContainsFunc(v.Reasons, func(r liveproof.Reason) bool { return r != liveproof.ReasonLowBitrate })
}

// over reports whether there is no further try at stream time t.
func (f *Flash) over(t time.Duration) bool {
	late := f.opts.Deadline > 0 && t+f.warning()+f.cfg.duration()+tail > f.opts.Deadline
	return f.attempts >= f.cfg.Attempts || f.asked >= mostAsked || late
}

// warning is the time before the first colour: twice as long for a further try, because there is more to read.
func (f *Flash) warning() time.Duration {
	return f.cfg.Warning * time.Duration(1+indicator(f.attempts > 0))
}

// ask draws a challenge that is sent at stream time t.
func (f *Flash) ask(t time.Duration) *liveproof.Challenge {
	warning := f.warning()
	f.attempts++
	f.asked++
	f.open = &trial{shown: draw(f.random, f.cfg.Colours), begins: t + warning, most: f.cfg.Latency + f.allowance()}
	f.opts.Metrics.asked()
	return &liveproof.Challenge{
		ID: f.nonce(), Kind: liveproof.EvidenceFlash, Attempt: f.attempts, Begin: warning, Duration: f.cfg.duration(),
		Colours: f.open.shown.keyframes(f.cfg.Period),
	}
}

// allowance is the round trip that the answer may take.
func (f *Flash) allowance() time.Duration {
	if measured, known := f.opts.RoundTrip(); known {
		return min(max(0, measured), f.cfg.MaxRoundTrip)
	}
	return f.cfg.MaxRoundTrip
}

func (f *Flash) nonce() string {
	var b [16]byte
	for i := range b {
		b[i] = byte(f.random.Uint32())
	}
	return hex.EncodeToString(b[:])
}

// follow reads the answer and judges it when it is complete. After an answer that does not pass, the next challenge follows at once.
func (f *Flash) follow(v liveproof.View) liveproof.Finding {
	t := v.T - f.open.begins
	if t >= -tail && len(f.open.readings) < mostReadings {
		f.open.take(t, v)
	}
	if t < f.cfg.duration()+tail {
		return liveproof.Finding{}
	}
	got := f.open.judge(f.cfg, f.random)
	f.open, f.passed = nil, got.passed
	f.opts.Metrics.judged(got)
	found := liveproof.Finding{Signals: map[string]float64{"flash.likelihood": got.likelihood}}
	switch {
	case got.passed:
		found.Given = []liveproof.Evidence{liveproof.EvidenceFlash}
	case f.over(v.T):
		f.failed = got
		found.Reasons = []liveproof.Reason{got.reason()}
	default:
		f.failed = got
		found.Ask = f.ask(v.T)
	}
	return found
}

func (t *trial) take(at time.Duration, v liveproof.View) {
	if r := measure(v.Image, v.Face); r.any() {
		t.moments, t.readings = append(t.moments, at), append(t.readings, r)
	}
}

// answer is how a trial ended.
type answer struct {
	passed     bool
	seen       bool    // the face was seen for long enough
	likelihood float64 // Λ of the sequence that was shown
}

// reason is why an answer does not pass.
func (a answer) reason() liveproof.Reason {
	if !a.seen {
		return liveproof.ReasonChallengeUnanswered
	}
	return liveproof.ReasonChallengeFailed
}

// judge decides a trial.
func (t *trial) judge(cfg Config, r *rand.Rand) answer {
	if len(t.readings) < leastReadings {
		return answer{}
	}
	m := newMatcher(cfg, t.moments, t.most, waysOf(t.readings))
	return answer{seen: true, passed: m.beats(t.shown, cfg.decoys(), r), likelihood: m.likelihood(t.shown)}
}
