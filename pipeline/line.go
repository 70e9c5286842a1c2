package pipeline

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/liveproof/liveproof"
)

// frame is one sampled picture on its way. The stage that holds it owns its images.
type frame struct {
	sample  liveproof.Sample
	img     *liveproof.Image // from sample to crop
	crop    *liveproof.Image // from crop to score
	face    liveproof.Face
	quality liveproof.Quality    // from crop on
	cells   *liveproof.Thumbnail // what is compared with other samples
	passed  []glance             // pictures of the sampling grid since the last frame that became no samples
	cuts    cuts                 // of the stream up to this picture
	arrived time.Time
	// reduced says that the picture is a small copy of a larger one, which does not come here.
	reduced bool
	// thorough asks the detector to search the whole picture; false once it was asked.
	thorough  bool
	watched   bool             // the watcher of identity saw the view
	unsettled bool             // it cannot say yet whether the person is the same
	later     *liveproof.Later // the rest of its finding; nil where there is none
	known     int              // late.restarts when the examiners saw the view
}

// release gives back the images; it is idempotent.
func (f *frame) release() {
	f.img.Release()
	f.crop.Release()
	f.img, f.crop = nil, nil
}

// unscored closes the frame without a score.
func (f *frame) unscored(why ...liveproof.Reason) {
	f.sample.Scored, f.sample.Rho = false, 0
	f.sample.Reasons = append(f.sample.Reasons, why...)
}

// line is the running stages of one session.
type line struct {
	cfg  Config
	deps Deps
	id   liveproof.SessionID
	stop context.CancelCauseFunc
	work errgroup.Group

	toDetect, toCrop, toScore *queue[*frame]
	scoring                   atomic.Int64 // frames that wait for the scorer or are there
	results                   chan *frame

	begun   time.Time
	firstAt atomic.Int64 // server time of the first picture since begun, ns
	lastAt  atomic.Int64 // server time of the newest picture since begun, ns

	pictures, sampled, dropped atomic.Int64
	drops                      tally

	attention *attention

	restarts atomic.Int64              // of the verdict's evidence
	asks     chan *liveproof.Challenge // to tell the client

	still    stillness // the crop stage's alone, as is
	examined examined
	face     atomic.Pointer[region] // where the crop stage saw the newest face

	ended error // why the source ended; read after results is closed
}

// startLine starts the stages, downstream first.
func startLine(ctx context.Context, cfg Config, deps Deps, info liveproof.Session, stop context.CancelCauseFunc) *line {
	size := cfg.QueueSize
	l := &line{
		cfg: cfg, deps: deps, id: info.ID, stop: stop,
		toDetect: newQueue[*frame](size, cfg.Live),
		toCrop:   newQueue[*frame](size, cfg.Live),
		toScore:  newQueue[*frame](size, cfg.Live),
		results:  make(chan *frame, 2*size+cfg.InFlight),
		asks:     make(chan *liveproof.Challenge, mostAsks),
		begun:    time.Now(),

		attention: newAttention(cfg, info.Mode, deps.Metrics),
	}
	var stages errgroup.Group
	for range cfg.InFlight {
		stages.Go(func() error { return l.run(ctx, StageScore, l.toScore, nil, l.score) })
	}
	stages.Go(func() error { return l.run(ctx, StageCrop, l.toCrop, l.toScore, l.crop) })
	stages.Go(func() error { return l.run(ctx, StageDetect, l.toDetect, l.toCrop, l.detect) })
	stages.Go(func() error { return l.runSource(ctx) })
	l.work.Go(func() error {
		defer close(l.results)
		return stages.Wait()
	})
	return l
}

// wait blocks until all stages have ended. What is left in results holds no images.
func (l *line) wait() error { return l.work.Wait() }

// run works on one stage's queue until the stage before has closed it. After ctx
// has ended it only clears the queue. next is closed at the end; nil for the last stage.
func (l *line) run(ctx context.Context, name Stage, in, next *queue[*frame], do func(context.Context, *frame) bool) error {
	if next != nil {
		defer next.close()
	}
	var failure error
	for f := range in.ch {
		if ctx.Err() != nil || failure != nil {
			f.release()
			continue
		}
		if err := l.step(ctx, name, next, f, do); err != nil {
			f.release()
			failure = err
			l.stop(err)
		}
	}
	return failure
}

// step works on one frame: do reports whether it goes on to the next stage or is complete.
func (l *line) step(ctx context.Context, name Stage, next *queue[*frame], f *frame, do func(context.Context, *frame) bool) error {
	start := time.Now()
	on := false
	err := guard(string(name), func() error {
		on = do(ctx, f)
		return nil
	})
	l.deps.Metrics.latency.WithLabelValues(string(name)).Observe(time.Since(start).Seconds())
	switch {
	case err != nil:
		return err
	case on:
		l.forward(ctx, name, next, f)
	default:
		l.complete(ctx, f)
	}
	return nil
}

// forward hands the frame on; the one that had to make room is complete, unscored.
func (l *line) forward(ctx context.Context, from Stage, next *queue[*frame], f *frame) {
	if next == l.toScore {
		l.scoring.Add(1)
	}
	oldest, dropped, err := next.push(ctx, f)
	if err != nil {
		f.release()
		return
	}
	if dropped {
		if next == l.toScore {
			l.scoring.Add(-1)
		}
		l.drop(after(from), liveproof.ReasonOverload)
		oldest.unscored(liveproof.ReasonOverload)
		l.complete(ctx, oldest)
	}
}

// complete gives a frame's sample to the judge.
func (l *line) complete(ctx context.Context, f *frame) {
	f.release()
	if f.thorough && l.cfg.Live { // of a file no sample is dropped
		l.attention.lost(f.sample.T)
	}
	select {
	case l.results <- f:
	case <-ctx.Done():
	}
}

// drop counts a frame that is lost before the stage.
func (l *line) drop(at Stage, why liveproof.Reason) {
	l.dropped.Add(1)
	l.drops.add(at, why)
	l.deps.Metrics.drops.WithLabelValues(string(at), string(why)).Inc()
}

// runSource is the first stage with its end: the source's error is kept for the
// judge, who first sees everything that came before it.
func (l *line) runSource(ctx context.Context) error {
	defer l.toDetect.close()
	err := guard(string(StageSample), func() error { return l.read(ctx) })
	if errors.Is(err, ErrPanic) {
		l.stop(err)
		return err
	}
	l.ended = err
	return nil
}

// read takes pictures until the source ends.
func (l *line) read(ctx context.Context) error {
	seq := &sequence{
		sampler: newSampler(l.cfg),
		recall:  newRecall(l.cfg.FrozenWindow),
		loops:   newLoops(l.cfg.FrozenWindow),
		stream:  -1,
	}
	for {
		pic, err := l.deps.Source.Next(ctx)
		switch {
		case err != nil:
			return err
		case pic == nil:
			return errors.New("source gave neither a picture nor an error")
		case ctx.Err() != nil:
			pic.Release()
			return ctx.Err()
		}
		if err := l.take(ctx, seq, pic); err != nil {
			return err
		}
	}
}

// after is the stage that follows.
func after(s Stage) Stage {
	switch s {
	case StageSample:
		return StageDetect
	case StageDetect:
		return StageCrop
	}
	return StageScore
}
