package main

import (
	"context"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	"github.com/liveproof/liveproof/engine"
	"github.com/liveproof/liveproof/results"
)

// catchHangups takes SIGHUP from its default action, which ends the process.
func catchHangups() (hangups <-chan os.Signal, stop func()) {
	c := make(chan os.Signal, 1)
	signal.Notify(c, syscall.SIGHUP)
	return c, func() { signal.Stop(c) }
}

// reloadOnHangup reads the scorer's model file, the calibrations and the keys of results again at every SIGHUP; new
// sessions then use the model and the calibrations, and running ones keep theirs. If a file is refused, or too many
// models are in use, the old model and the old thresholds stay.
func reloadOnHangup(ctx context.Context, hangups <-chan os.Signal, e *engine.Engine, signer *results.Signer, log *slog.Logger) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-hangups:
			reloadResults(signer, log)
			if err := e.Reload(ctx); err != nil {
				log.Error("the model was not replaced; the old one is still used, with its calibrations", "error", err)
				continue
			}
			log.Info("model and calibrations were read again", thresholdInLog(e)...)
		}
	}
}
