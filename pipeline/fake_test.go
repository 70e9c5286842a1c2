package pipeline

import (
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/liveproof/liveproof"
	"github.com/liveproof/liveproof/verdict"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// picture is a generated picture of 8×6 pixels.
type picture struct {
	t        time.Duration
	digest   uint64
	held     *atomic.Int64
	released atomic.Bool
	err      error
	show     func(*liveproof.Thumbnail) // nil: noise of its own for each digest
}

func (p *picture) Time() time.Duration { return p.t }
func (p *picture) Size() (int, int)    { return 8, 6 }
func (p *picture) Fingerprint(to *liveproof.Thumbnail) uint64 {
	if p.show != nil {
		p.show(to)
		return p.digest
	}
	r := rand.New(rand.NewPCG(p.digest, 1))
	for i := range to {
		to[i] = uint8(r.Uint32())
	}
	return p.digest
}

func (p *picture) Release() {
	if !p.released.Swap(true) {
		p.held.Add(-1)
	}
}

func (p *picture) RGB(pool *liveproof.ImagePool) (*liveproof.Image, error) {
	if p.err != nil {
		return nil, p.err
	}
	img, err := pool.Get(8, 6)
	if err != nil {
		return nil, err
	}
	// The picture's number travels in its first pixels, so that stages can tell pictures apart.
	img.Pix[0], img.Pix[1] = byte(p.digest), byte(p.digest>>8)
	return img, nil
}

// trusting takes everybody for the same person. The fake pictures are noise, so that each pair is a cut.
type trusting struct{}

func (trusting) Examine(context.Context, liveproof.View) (liveproof.Finding, error) {
	return liveproof.Finding{}, nil
}

// number is which picture an image or crop was made from.
func number(img *liveproof.Image) int { return int(img.Pix[0]) | int(img.Pix[1])<<8 }

// script is a source: n pictures at a rate, edited by the test, then end.
type script struct {
	pictures []*picture
	end      error         // after the last one; nil waits for ctx
	pace     time.Duration // server time between pictures; 0 gives them as asked
	stall    int           // the picture before which the server waits for stalled; 0 for none
	stalled  time.Duration
	arrivals schedule // server time of each picture since the first; nil: pace rules
	begun    time.Time
	held     atomic.Int64 // pictures given and not released
	next     int
}

// play makes n pictures at fps a second of stream time.
func play(n int, fps float64) *script {
	s := &script{end: io.EOF}
	for i := range n {
		t := time.Duration(float64(i) / fps * float64(time.Second))
		s.pictures = append(s.pictures, &picture{t: t, digest: uint64(i + 1), held: &s.held})
	}
	return s
}

// live paces the pictures by the server's clock.
func live(n int, fps float64) *script {
	s := play(n, fps)
	s.pace = time.Duration(float64(time.Second) / fps)
	return s
}

func (s *script) edit(f func(i int, p *picture)) *script {
	for i, p := range s.pictures {
		f(i, p)
	}
	return s
}

func (s *script) ending(err error) *script {
	s.end = err
	return s
}

func (s *script) Next(ctx context.Context) (liveproof.Picture, error) {
	if s.next == len(s.pictures) {
		if s.end == nil {
			<-ctx.Done()
			return nil, ctx.Err()
		}
		return nil, s.end
	}
	if wait := s.wait(); wait > 0 {
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(wait):
		}
	}
	p := s.pictures[s.next]
	s.next++
	s.held.Add(1)
	return p, nil
}

// wait is the server time until the next picture.
func (s *script) wait() time.Duration {
	switch {
	case s.next == 0:
		s.begun = time.Now()
		return 0
	case s.arrivals != nil:
		return time.Until(s.begun.Add(s.arrivals[s.next]))
	case s.next == s.stall:
		return s.stalled
	}
	return s.pace
}

// models is detector, cropper and scorer; a nil function is well behaved.
type models struct {
	detect func(ctx context.Context, n int) (liveproof.Detection, error)
	asked  func(at time.Duration, thorough bool) // of the detector; nil: nobody listens
	assess func(n int) liveproof.Quality
	score  func(ctx context.Context, n int) (float64, error)
}

func oneFace(track int) liveproof.Detection {
	return liveproof.Detection{Faces: []liveproof.Face{{Box: liveproof.Box{X2: 4, Y2: 4}, Confidence: 1}}, Track: track}
}

func (m *models) Detect(ctx context.Context, img *liveproof.Image, at time.Duration, thorough bool) (liveproof.Detection, error) {
	if m.asked != nil {
		m.asked(at, thorough)
	}
	if m.detect == nil {
		return oneFace(1), nil
	}
	return m.detect(ctx, number(img))
}

func (m *models) Crop(img *liveproof.Image, _ liveproof.Face, pool *liveproof.ImagePool) (*liveproof.Image, error) {
	crop, err := pool.Get(2, 2)
	if err != nil {
		return nil, err
	}
	copy(crop.Pix, img.Pix[:2])
	return crop, nil
}

func (m *models) Assess(img, _ *liveproof.Image, _ liveproof.Face) liveproof.Quality {
	if m.assess == nil {
		return liveproof.Quality{Weight: 1}
	}
	return m.assess(number(img))
}

func (m *models) Score(ctx context.Context, _ liveproof.SessionID, crop *liveproof.Image) (float64, error) {
	if m.score == nil {
		return 0.9, nil
	}
	return m.score(ctx, number(crop))
}

func always(rho float64) func(context.Context, int) (float64, error) {
	return func(context.Context, int) (float64, error) { return rho, nil }
}

// scoresIn is a score that takes a time.
func scoresIn(wait time.Duration, rho float64) func(context.Context, int) (float64, error) {
	return func(context.Context, int) (float64, error) {
		time.Sleep(wait)
		return rho, nil
	}
}

// record is a store that can be away.
type record struct {
	mu      sync.Mutex
	down    bool
	samples []liveproof.Sample
	current []liveproof.Verdict
}

var errDown = errors.New("connection refused")

func (r *record) set(down bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.down = down
}

func (r *record) AppendSamples(_ context.Context, _ liveproof.SessionID, s []liveproof.Sample,
	_ liveproof.FrameCounts, v liveproof.Verdict) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.down {
		return errDown
	}
	r.samples = append(r.samples, s...)
	r.current = append(r.current, v)
	return nil
}

// rig is one session under test.
type rig struct {
	t         *testing.T
	cfg       Config
	src       *script
	models    models
	store     *record
	info      liveproof.Session
	pool      liveproof.ImagePool
	policy    verdict.Policy
	met       *Metrics
	media     func() liveproof.FrameCounts
	examiners []Examiner
	identity  Examiner

	mu     sync.Mutex
	events []liveproof.Event
	watch  func(liveproof.Event)
	report Report
	end    liveproof.Ending
}

func liveRig(t *testing.T, src *script) *rig {
	return &rig{t: t, cfg: DefaultConfig(), src: src, store: &record{}, policy: passivePolicy(), met: NewMetrics(nil), identity: trusting{},
		info: liveproof.Session{ID: "01HZY", Mode: liveproof.ModeOnboarding, Threshold: liveproof.Threshold{Value: 0.5}}}
}

// passivePolicy requires no evidence beside ρ.
func passivePolicy() verdict.Policy {
	p := verdict.DefaultPolicy()
	p.Require = []liveproof.Evidence{liveproof.EvidencePassive}
	return p
}

func fileRig(t *testing.T, src *script) *rig {
	r := liveRig(t, src)
	r.cfg = r.cfg.Files()
	return r
}

func (r *rig) observe(e liveproof.Event) {
	r.mu.Lock()
	r.events = append(r.events, e)
	r.mu.Unlock()
	if r.watch != nil {
		r.watch(e)
	}
}

// run runs the session and checks what holds on every path: nothing leaks, the
// ending is valid, and every sample was recorded or is in the ending.
func (r *rig) run(ctx context.Context) (liveproof.Verdict, error) {
	r.t.Helper()
	return r.runWith(ctx, r.store)
}

func (r *rig) runWith(ctx context.Context, recorder Recorder) (liveproof.Verdict, error) {
	r.t.Helper()
	return r.runFrom(ctx, r.src, recorder)
}

func (r *rig) runFrom(ctx context.Context, src Source, recorder Recorder) (liveproof.Verdict, error) {
	r.t.Helper()
	s, err := New(r.cfg, Deps{Source: src, Detector: &r.models, Cropper: &r.models, Scorer: &r.models, Identity: r.identity,
		Recorder: recorder, Observer: r.observe, Policy: r.policy, Pool: &r.pool, Metrics: r.met, Media: r.media, Examiners: r.examiners}, r.info)
	require.NoError(r.t, err)
	r.end, err = s.Run(ctx)
	r.report = s.Report()
	require.Zero(r.t, r.pool.Leased(), "images leak")
	require.Zero(r.t, r.src.held.Load(), "pictures leak")
	require.True(r.t, r.end.Valid(), "%+v", r.end)
	require.Equal(r.t, r.end.Verdict, r.report.Verdict)
	require.Equal(r.t, r.end.Frames, r.report.Counts)
	for i, e := range r.events {
		require.False(r.t, e.Verdict != nil && e.Verdict.Final, "a final verdict is told once it is written, by the caller")
		require.Equal(r.t, i == len(r.events)-1, e.Ended != nil, "the ending is told once, last")
	}
	require.Equal(r.t, r.end, *r.events[len(r.events)-1].Ended)
	return r.end.Verdict, err
}

// timeline is the recorded samples and those that the ending leaves to the
// caller.
func (r *rig) timeline() []liveproof.Sample { return slices.Concat(r.store.samples, r.end.Samples) }

// verdicts told, in order.
func (r *rig) verdicts() (out []liveproof.Outcome) {
	for _, e := range r.events {
		if e.Verdict != nil {
			out = append(out, e.Verdict.Outcome)
		}
	}
	return out
}

// hints told, in order.
func (r *rig) hints() (out []liveproof.Reason) {
	for _, e := range r.events {
		if e.Hint != nil {
			out = append(out, *e.Hint)
		}
	}
	return out
}

func hasReason(v liveproof.Verdict, why liveproof.Reason) bool {
	return slices.Contains(v.Reasons, why)
}

// endless gives n pictures 1/60 s apart without keeping them.
type endless struct {
	n, next int
	held    atomic.Int64
}

func (e *endless) Next(context.Context) (liveproof.Picture, error) {
	if e.next == e.n {
		return nil, io.EOF
	}
	e.next++
	e.held.Add(1)
	return &picture{t: time.Duration(e.next) * 16667 * time.Microsecond, digest: uint64(e.next), held: &e.held}, nil
}
