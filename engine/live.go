package engine

import (
	"context"
	"errors"
	"fmt"

	"github.com/liveproof/liveproof"
	"github.com/liveproof/liveproof/injection"
	"github.com/liveproof/liveproof/internal/retry"
	"github.com/liveproof/liveproof/media"
	"github.com/liveproof/liveproof/pipeline"
)

// Recorder stores what a live session writes while it runs. The session's end
// is written by the caller of Analyze.
type Recorder interface {
	pipeline.Recorder
	// SetStreaming moves the session from connecting to streaming and records its model, threshold and
	// detector.
	SetStreaming(ctx context.Context, id liveproof.SessionID, model liveproof.ModelInfo, threshold liveproof.Threshold, detector string) error
}

// Live judges live streams and records their timelines.
type Live struct {
	*Engine
	recorder Recorder
}

// Live returns a judge of live streams that writes their records to recorder.
func (e *Engine) Live(recorder Recorder) *Live { return &Live{e, recorder} }

// Analyze judges one stream until it is decided, its units end or ctx ends. The
// cause of ctx becomes the reason (liveproof.EndError). The last event that
// observe receives is the ending (Event.Ended), exactly once, before Analyze
// returns; the caller must write it to the store. observe must not block. The
// error is for the log: it says what ended the stream early.
//
// The model and the threshold that are current now judge the whole session, and the
// record names them before the first sample. A session that asks for a calibration
// which is not there, or is of another model, is not judged.
func (l *Live) Analyze(ctx context.Context, s liveproof.Session, units liveproof.UnitSource, observe func(liveproof.Event)) error {
	ended := false
	err := l.analyze(ctx, s, units, func(e liveproof.Event) {
		ended = ended || e.Ended != nil
		observe(e)
	})
	if !ended {
		why := err
		if ctx.Err() != nil {
			why = context.Cause(ctx)
		}
		end := liveproof.Unjudged(liveproof.ReasonOf(why))
		observe(liveproof.Event{Ended: &end})
	}
	return err
}

// mediaConfig decodes at least as many pictures a second as are sampled.
func (l *Live) mediaConfig() media.Config {
	cfg := l.cfg.Media
	if cfg.MinPictureRate > 0 {
		cfg.MinPictureRate = max(cfg.MinPictureRate, l.cfg.Pipeline.SampleRate)
	}
	return cfg
}

func (l *Live) analyze(ctx context.Context, s liveproof.Session, units liveproof.UnitSource, observe func(liveproof.Event)) (err error) {
	model, err := l.scorer.Pin()
	if err != nil {
		return err
	}
	defer model.Release()
	if s, err = l.judgedBy(s, model.Info()); err != nil {
		return err
	}
	err = retry.WhileUnavailable(ctx, func() error {
		return l.recorder.SetStreaming(ctx, s.ID, s.Model, s.Threshold, s.Detector)
	})
	if err != nil {
		return fmt.Errorf("record the model: %w", err)
	}
	watch := injection.New(l.cfg.Injection, s.ID, l.attestor, l.injection)
	stream, err := media.NewStream(l.mediaConfig(), watch.Units(units))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, stream.Close()) }()
	session, err := l.session(l.cfg.Pipeline, s, model, watchedStream{stream, watch}, l.recorder, observe, watch)
	if err != nil {
		return err
	}
	_, err = session.Run(ctx)
	return err
}
