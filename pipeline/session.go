package pipeline

import (
	"context"
	"errors"
	"fmt"
	"io"
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
	// Identity watches for a change of person, before the examiners; nil takes every sure cut for one. If it is an io.Closer, Run closes it
	// when every stage has returned, and waits for that.
	Identity Examiner
	// Examiners gather the evidence beside ρ, in this order; those of one session, so none may be nil.
	Examiners []Examiner
	// Recorder keeps samples and verdict; nil keeps nothing.
	Recorder Recorder
	// Observer receives events from Run's goroutine; nil drops them.
	Observer Observer
	// Policy is how the samples are judged, by the session's threshold.
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
		return nil, errors.New("pipeline: source, detector, cropper and scorer are required")
	}
	policy := deps.Policy.For(info)
	if cfg.Recorded {
		policy.Require, deps.Identity, deps.Examiners = []liveproof.Evidence{liveproof.EvidencePassive}, nil, nil
	}
	if _, err := verdict.New(policy, info.Mode); err != nil {
		return nil, fmt.Errorf("verdict: %w", err)
	}
	if err := cfg.ValidateWith(policy); err != nil {
		return nil, fmt.Errorf("pipeline: %w", err)
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
// session fails, and returns how it ended. The cause of ctx becomes the reason
// (liveproof.EndError, liveproof.ReasonOf). The observer gets the ending at
// once (Event.Ended); Run returns when every stage has returned, which a model
// that hangs can delay. Ending.Samples are the samples that the recorder does
// not have.
//
// The ending is valid even with an error. The error says why the stream ended
// early: liveproof.ErrIdle (no media), ErrPanic, the recorder's refusal
// (liveproof.ErrDecided, ErrNotFound), or the source's error. A peer that left,
// a shutdown and a deadline are not errors.
func (s *Session) Run(ctx context.Context) (liveproof.Ending, error) {
	if !s.ran.CompareAndSwap(false, true) {
		return liveproof.Unjudged(liveproof.ReasonInternalError), ErrRan
	}
	s.deps.Metrics.active.Inc()
	defer s.deps.Metrics.active.Dec()
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(errEnded)

	j := newJournal(s.deps.Recorder, s.info.ID, s.cfg, s.deps.Metrics, s.deps.Log)
	var writer errgroup.Group
	writer.Go(func() error { j.run(); return nil })
	l := startLine(ctx, s.cfg, s.deps, s.info, stop)

	end, err := s.judge(ctx, l, j)
	stop(errEnded)
	end.Samples = j.stop()
	s.note(end, err)
	s.tellEnded(end)
	if late := l.wait(); late != nil && !errors.Is(err, ErrPanic) {
		s.deps.Log.Error("stage failed after the session's end", "session", s.info.ID, "error", late)
	}
	s.closeIdentity()
	s.report.Drops = l.drops.all()
	return end, err
}

// closeIdentity waits for what identity does beside the line.
func (s *Session) closeIdentity() {
	c, ok := s.deps.Identity.(io.Closer)
	if !ok {
		return
	}
	if err := c.Close(); err != nil {
		s.deps.Log.Error("identity failed after the session's end", "session", s.info.ID, "error", err)
	}
}

// Report is complete once Run has returned; do not call it before.
func (s *Session) Report() Report { return s.report }

// note writes the ending to the report, the metrics and the log.
func (s *Session) note(end liveproof.Ending, err error) {
	v := end.Verdict
	s.report.Verdict, s.report.State, s.report.Counts = v, end.State, end.Frames
	s.deps.Metrics.verdicts.WithLabelValues(string(s.info.Mode), string(v.Outcome)).Inc()
	s.deps.Log.Debug("session judged", "session", s.info.ID, "state", end.State, "verdict", v.Outcome,
		"reasons", v.Reasons, "scored", v.Scored, "error", err)
}

// tellEnded tells the observer the ending; a panic of the observer is caught.
func (s *Session) tellEnded(end liveproof.Ending) {
	err := guard("observer", func() error {
		s.deps.Observer(liveproof.Event{Ended: &end})
		return nil
	})
	if err != nil {
		s.deps.Log.Error("observer failed", "session", s.info.ID, "error", err)
	}
}

// judge runs the last stage in the caller's goroutine.
func (s *Session) judge(ctx context.Context, l *line, j *journal) (liveproof.Ending, error) {
	g := &judge{
		cfg: s.cfg, deps: s.deps, mode: s.info.Mode, limit: s.policy.Deadline, threshold: s.policy.Threshold, line: l, journal: j, report: &s.report,
		early: map[int64]*frame{}, hints: hinter{delay: s.cfg.HintDelay}, outcome: liveproof.OutcomePending,
		judgedAt: time.Now(),
	}
	var end ending
	err := guard(string(StageJudge), func() (err error) {
		if g.folder, err = verdict.New(s.policy, s.info.Mode); err != nil {
			return err
		}
		end = g.run(ctx)
		return end.err
	})
	if end.verdict.Outcome == "" || errors.Is(err, ErrPanic) {
		end.verdict = end.verdict.Withheld()
	}
	return liveproof.Judged(end.verdict, g.counts()), err
}

// ending is the verdict of the session, and the error that ended the stream.
type ending struct {
	verdict liveproof.Verdict
	err     error
}
