package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/liveproof/liveproof"
	"github.com/liveproof/liveproof/ingest"
	"github.com/liveproof/liveproof/media"
	"github.com/liveproof/liveproof/pipeline"
)

// analyzer judges live streams for package ingest: access units → media →
// pipeline → store.
type analyzer struct {
	*engine
	recorder sessionRecorder
}

// sessionRecorder is what the analyzer writes of a session.
type sessionRecorder interface {
	pipeline.Recorder
	SetStreaming(ctx context.Context, id liveproof.SessionID, model liveproof.ModelInfo, detector string) error
}

func newAnalyzer(e *engine, r sessionRecorder) analyzer { return analyzer{e, r} }

// Analyze implements ingest.Analyzer. The model that is current now judges the whole
// session, and the record names it before the first sample: the one that ingest
// noted may have been replaced in between.
func (a analyzer) Analyze(ctx context.Context, s liveproof.Session, video ingest.Video,
	observe func(liveproof.Event),
) (v liveproof.Verdict, err error) {
	ctx, stop := withPipelineCause(ctx)
	defer stop()
	model, err := a.scorer.Pin()
	if err != nil {
		return v, err
	}
	defer model.Release()
	if err := a.recorder.SetStreaming(ctx, s.ID, model.Info(), a.Detector()); err != nil {
		return v, fmt.Errorf("note the model: %w", err)
	}
	stream, err := media.NewStream(a.cfg.Media, video)
	if err != nil {
		return v, err
	}
	defer func() { err = errors.Join(err, stream.Close()) }()
	session, err := a.session(a.cfg.Pipeline, s, model, stream, a.recorder, observe)
	if err != nil {
		return v, err
	}
	return session.Run(ctx)
}

// withPipelineCause translates why ingest ends a session into the pipeline's terms.
func withPipelineCause(ctx context.Context) (context.Context, context.CancelFunc) {
	inner, cancel := context.WithCancelCause(context.WithoutCancel(ctx))
	unlink := context.AfterFunc(ctx, func() { cancel(pipelineCause(context.Cause(ctx))) })
	return inner, func() {
		unlink()
		cancel(nil)
	}
}

func pipelineCause(cause error) error {
	var end *ingest.EndError
	if !errors.As(cause, &end) {
		return cause
	}
	switch end.Reason {
	case liveproof.ReasonServerShutdown:
		return pipeline.ErrShutdown
	case liveproof.ReasonDeadline:
		return context.DeadlineExceeded
	case liveproof.ReasonNoMedia:
		return liveproof.ErrIdle
	case liveproof.ReasonDisconnected:
		return pipeline.ErrDisconnected
	}
	return cause
}
