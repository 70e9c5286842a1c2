package pipeline

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/liveproof/liveproof"
	"github.com/liveproof/liveproof/verdict"
)

// Deps is what a session works with. Source, Detector, Cropper, Scorer and Policy
// are needed, the rest has a default. Time is the time package's.
type Deps struct {
	Source   Source
	Detector Detector
	Cropper  Cropper
	Scorer   Scorer
	// Recorder keeps samples and verdict; nil keeps nothing.
	Recorder Recorder
	// Observer is told of events from Run's goroutine; nil tells nobody.
	Observer Observer
	// Policy judges. Its threshold 0 takes the session's model's; its deadline yields to the session's.
	Policy verdict.Policy
	// Pool lends the images; nil makes one for this session.
	Pool *liveproof.ImagePool
	// Media gives Received, Decoded and Dropped of the source; safe for concurrent use. nil counts pictures.
	Media func() liveproof.FrameCounts
	// Metrics of the process; nil counts for nobody.
	Metrics *Metrics
	Log     *slog.Logger
}

// Session is one session's pipeline. It runs once.
type Session struct {
	cfg    Config
	deps   Deps
	info   liveproof.Session
	policy verdict.Policy
	ran    atomic.Bool
	report Report
}

// New checks the configuration; nothing runs yet.
func New(cfg Config, deps Deps, info liveproof.Session) (*Session, error) {
	if err := cfg.Validate(); err != nil {
		return nil, fmt.Errorf("pipeline: %w", err)
	}
	if deps.Source == nil || deps.Detector == nil || deps.Cropper == nil || deps.Scorer == nil {
		return nil, errors.New("pipeline: source, detector, cropper and scorer are needed")
	}
	policy := deps.Policy.For(info.Model.Threshold)
	if info.Deadline > 0 {
		policy.Deadline = info.Deadline
	}
	if _, err := verdict.New(policy, info.Mode); err != nil {
		return nil, fmt.Errorf("verdict: %w", err)
	}
	if cfg.period() > policy.MaxGap {
		return nil, fmt.Errorf("pipeline: sample_rate: a sample every %v cannot keep within the verdict's max_gap %v",
			cfg.period(), policy.MaxGap)
	}
	return &Session{cfg: cfg, deps: withDefaults(deps), info: info, policy: policy}, nil
}

func withDefaults(d Deps) Deps {
	if d.Pool == nil {
		d.Pool = &liveproof.ImagePool{}
	}
	if d.Metrics == nil {
		d.Metrics = NewMetrics(nil)
	}
	if d.Log == nil {
		d.Log = slog.New(slog.DiscardHandler)
	}
	if d.Observer == nil {
		d.Observer = func(liveproof.Event) {}
	}
	return d
}

// Run judges the stream until it is decided, the stream or ctx ends, or the
// session fails, and returns the verdict as it was recorded. The cause of ctx
// (ErrShutdown, ErrDisconnected) becomes the reason. The verdict is final, and
// live only when the store has it.
//
// Errors: liveproof.ErrIdle (no media), *liveproof.UnrecordedError with the
// judgement when the store did not take it (it is a liveproof.ErrUnavailable too),
// liveproof.ErrDecided or ErrNotFound (the record is another's or gone),
// ErrPanic, and what ended the source. A peer that left, a shutdown and a
// deadline are no errors.
func (s *Session) Run(ctx context.Context) (liveproof.Verdict, error) {
	if !s.ran.CompareAndSwap(false, true) {
		return withheld(liveproof.Verdict{}), ErrRan
	}
	s.deps.Metrics.active.Inc()
	defer s.deps.Metrics.active.Dec()
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(errEnded)

	j := newJournal(s.deps.Recorder, s.info.ID, s.cfg, s.deps.Metrics, s.deps.Log)
	var writer errgroup.Group
	writer.Go(func() error { j.run(); return nil })
	l := startLine(ctx, s.cfg, s.deps, s.info.ID, stop)

	end := s.judge(ctx, l, j)
	stop(errEnded)
	err := s.settle(ctx, end, j)
	if late := l.wait(); late != nil && !errors.Is(end.err, ErrPanic) {
		s.deps.Log.Error("stage failed after the session's end", "session", s.info.ID, "error", late)
	}
	s.report.Drops = l.drops.all()
	return s.report.Verdict, errors.Join(end.err, err)
}

// Report is complete once Run has returned; do not call it before.
func (s *Session) Report() Report { return s.report }

// settle records the verdict, and only then tells of it.
func (s *Session) settle(ctx context.Context, end ending, j *journal) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.cfg.DecideTimeout)
	defer cancel()
	j.stop()
	judged := liveproof.Ending{State: end.state, Verdict: end.verdict, Counts: end.counts}
	s.tell(liveproof.Event{Judged: &judged})
	err := j.decide(ctx, judged)
	s.report.Judged, s.report.Verdict = end.verdict, end.verdict
	s.report.State, s.report.Counts = end.state, end.counts
	if err != nil {
		s.report.Verdict = withheld(end.verdict)
	}
	v := s.report.Verdict
	s.deps.Metrics.verdicts.WithLabelValues(string(s.info.Mode), string(v.Outcome)).Inc()
	s.deps.Log.Debug("session judged", "session", s.info.ID, "state", end.state, "verdict", v.Outcome,
		"reasons", v.Reasons, "scored", v.Scored, "error", errors.Join(end.err, err))
	s.tell(liveproof.Event{Verdict: &v})
	return err
}

// tell survives an observer that panics.
func (s *Session) tell(e liveproof.Event) {
	err := guard("observer", func() error {
		s.deps.Observer(e)
		return nil
	})
	if err != nil {
		s.deps.Log.Error("observer failed", "session", s.info.ID, "error", err)
	}
}

// withheld is what the world learns of a verdict that is not on record.
func withheld(v liveproof.Verdict) liveproof.Verdict {
	v.Outcome, v.Final = liveproof.OutcomeInconclusive, true
	v.Reasons = []liveproof.Reason{liveproof.ReasonInternalError}
	return v
}

// ending is how the judgement ended.
type ending struct {
	verdict liveproof.Verdict
	state   liveproof.State
	counts  liveproof.FrameCounts
	err     error
}

// judge runs the last stage in the caller's goroutine.
func (s *Session) judge(ctx context.Context, l *line, j *journal) (end ending) {
	g := &judge{
		cfg: s.cfg, deps: s.deps, mode: s.info.Mode, limit: s.policy.Deadline, line: l, journal: j, report: &s.report,
		early: map[int64]*frame{}, hints: hinter{delay: s.cfg.HintDelay}, outcome: liveproof.OutcomePending,
		judgedAt: time.Now(),
	}
	err := guard(string(StageJudge), func() (err error) {
		if g.folder, err = verdict.New(s.policy, s.info.Mode); err != nil {
			return err
		}
		end = g.run(ctx)
		return nil
	})
	if err != nil {
		end = ending{err: err}
	}
	if errors.Is(end.err, ErrPanic) || err != nil {
		end.verdict, end.state = withheld(end.verdict), liveproof.StateFailed
	}
	end.counts = g.counts()
	return end
}
