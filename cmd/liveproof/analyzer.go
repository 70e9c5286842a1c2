package main

import (
	"context"
	"errors"

	"github.com/liveproof/liveproof"
	"github.com/liveproof/liveproof/ingest"
	"github.com/liveproof/liveproof/media"
	"github.com/liveproof/liveproof/pipeline"
)

// analyzer judges live streams for package ingest: access units → media →
// pipeline → store.
type analyzer struct {
	*engine
	recorder pipeline.Recorder
}

func newAnalyzer(e *engine, recorder pipeline.Recorder) analyzer { return analyzer{e, recorder} }

// Analyze implements ingest.Analyzer.
func (a analyzer) Analyze(ctx context.Context, s liveproof.Session, video ingest.Video,
	observe func(liveproof.Event),
) (v liveproof.Verdict, err error) {
	ctx, stop := withPipelineCause(ctx)
	defer stop()
	stream, err := media.NewStream(a.cfg.Media, video)
	if err != nil {
		return v, err
	}
	defer func() { err = errors.Join(err, stream.Close()) }()
	s.Model, s.Detector = a.Model(), a.Detector()
	session, err := a.session(a.cfg.Pipeline, s, stream, a.recorder, observe)
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
