package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"github.com/liveproof/liveproof/scorer"
)

// catchHangups takes SIGHUP from its default action, which ends the process.
func catchHangups() (hangups <-chan os.Signal, stop func()) {
	c := make(chan os.Signal, 1)
	signal.Notify(c, syscall.SIGHUP)
	return c, func() { signal.Stop(c) }
}

// reloadOnHangup reads the scorer's model file anew at every SIGHUP and swaps
// it in without a pause: for sessions that begin from then on. Those that run keep
// theirs. A file that is refused, or too many models in use, leaves the old one at work.
func (e *engine) reloadOnHangup(ctx context.Context, hangups <-chan os.Signal) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-hangups:
			e.reload(ctx)
		}
	}
}

func (e *engine) reload(ctx context.Context) {
	model, err := e.scorerModel()
	if err == nil {
		err = e.scorer.Replace(ctx, e.runtime, model)
	}
	if err != nil {
		e.log.Error("the model was not replaced, the old one goes on", "error", err)
	}
}

// scorerModel finds the file that the configuration names.
func (e *engine) scorerModel() (scorer.Model, error) {
	file, err := e.catalog.Resolve(e.cfg.Scorer.Model, e.cfg.Scorer.ModelSHA256)
	if err != nil {
		return scorer.Model{}, err
	}
	return scorer.Model{Name: file.Name, SHA256: file.SHA256, Data: file.Data}, nil
}
