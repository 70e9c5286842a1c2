package challenge

import (
	"context"
	crand "crypto/rand"
	"encoding/hex"
	"math/rand/v2"
	"time"

	"github.com/liveproof/liveproof"
)

const (
	// tail is for how long after the last colour readings are taken.
	tail = 300 * time.Millisecond
	// mostReadings bounds the readings of a challenge.
	mostReadings = 512
	// mostAsked bounds the challenges of a session, whoever is followed.
	mostAsked = 20
)

// Seed makes a session's random numbers.
type Seed [32]byte

// NewSeed is a secret seed from the system's generator.
func NewSeed() (s Seed) {
	_, _ = crand.Read(s[:]) // never fails: it ends the program instead
	return s
}

// Flash asks for the challenge by light and judges the answer. It belongs to one session and is not safe for concurrent use. All
// times are stream time, so a recorded session is judged like the live one.
type Flash struct {
	cfg       Config
	random    *rand.Rand
	roundTrip func() (time.Duration, bool)

	track    int           // whose answer is awaited; 0 before the first face
	since    time.Duration // when the track was first seen, without a break
	attempts int           // of this track
	asked    int           // of the session
	passed   bool          // this track has passed
	open     *trial
}

// trial is a challenge that was asked and is not judged yet.
type trial struct {
	shown    sequence
	begins   time.Duration // stream time at which the first colour may show at the earliest
	most     time.Duration // longest lag
	moments  []time.Duration
	readings []reading
}

// NewFlash returns an examiner. The same seed draws the same challenges. roundTrip gives the network's measured round trip, false while it is not known; it may be nil.
func NewFlash(cfg Config, seed Seed, roundTrip func() (time.Duration, bool)) (*Flash, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	if roundTrip == nil {
		roundTrip = func() (time.Duration, bool) { return 0, false }
	}
	return &Flash{cfg: cfg, random: rand.New(rand.NewChaCha8(seed)), roundTrip: roundTrip}, nil //nolint:gosec // ChaCha8 is a cryptographic generator, and its seed is secret
}

// Kind is the evidence that this examiner gives.
func (f *Flash) Kind() liveproof.Evidence { return liveproof.EvidenceFlash }

// Examine takes the next view. It asks once a face was followed for Config.Settle, and gives EvidenceFlash when the answer has come. Another
// track begins anew.
func (f *Flash) Examine(_ context.Context, v liveproof.View) (liveproof.Finding, error) {
	if v.Track != f.track {
		f.track, f.since, f.attempts, f.passed, f.open = v.Track, v.T, 0, false, nil
	}
	switch {
	case f.passed:
		return liveproof.Finding{}, nil
	case f.open != nil:
		return f.follow(v), nil
	case f.over():
		return liveproof.Finding{Reasons: []liveproof.Reason{liveproof.ReasonChallengeFailed}}, nil
	case len(v.Reasons) > 0:
		f.since = v.T // the face must be seen well when it is asked
	case v.T-f.since >= f.cfg.Settle:
		return liveproof.Finding{Ask: f.ask(v.T)}, nil
	}
	return liveproof.Finding{}, nil
}

// over reports whether there is no further try.
func (f *Flash) over() bool { return f.attempts >= f.cfg.Attempts || f.asked >= mostAsked }

// ask draws a challenge that is sent at stream time t.
func (f *Flash) ask(t time.Duration) *liveproof.Challenge {
	f.attempts++
	f.asked++
	f.open = &trial{shown: draw(f.random, f.cfg.Colours), begins: t + f.cfg.Warning, most: f.cfg.Latency + f.allowance()}
	return &liveproof.Challenge{
		ID: f.nonce(), Kind: liveproof.EvidenceFlash, Begin: f.cfg.Warning, Duration: f.cfg.duration(),
		Colours: f.open.shown.keyframes(f.cfg.Period),
	}
}

// allowance is the round trip that the answer may take.
func (f *Flash) allowance() time.Duration {
	if measured, known := f.roundTrip(); known {
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

// follow reads the answer and judges it when it is complete.
func (f *Flash) follow(v liveproof.View) liveproof.Finding {
	t := v.T - f.open.begins
	if t >= -tail && len(f.open.readings) < mostReadings {
		f.open.take(t, v)
	}
	if t < f.cfg.duration()+tail {
		return liveproof.Finding{}
	}
	answer := f.open.judge(f.cfg, f.random)
	f.open, f.since = nil, v.T
	f.passed = answer.passed
	return f.finding(answer)
}

func (f *Flash) finding(a answer) liveproof.Finding {
	found := liveproof.Finding{Signals: map[string]float64{"flash": a.likelihood}}
	switch {
	case a.passed:
		found.Given = []liveproof.Evidence{liveproof.EvidenceFlash}
	case a.unseen:
		found.Reasons = []liveproof.Reason{liveproof.ReasonChallengeUnanswered}
	default:
		found.Reasons = []liveproof.Reason{liveproof.ReasonChallengeFailed}
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
	unseen     bool    // the face was not seen for long enough
	likelihood float64 // Λ of the sequence that was shown
}

// judge decides a trial.
func (t *trial) judge(cfg Config, r *rand.Rand) answer {
	if len(t.readings) < leastReadings {
		return answer{unseen: true}
	}
	m := newMatcher(cfg, t.moments, t.most, waysOf(t.readings))
	return answer{passed: m.beats(t.shown, cfg.decoys(), r), likelihood: m.likelihood(t.shown)}
}
