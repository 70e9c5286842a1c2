package main

import (
	"context"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	"github.com/liveproof/liveproof/engine"
)

// catchHangups takes SIGHUP from its default action, which ends the process.
func catchHangups() (hangups <-chan os.Signal, stop func()) {
	c := make(chan os.Signal, 1)
	signal.Notify(c, syscall.SIGHUP)
	return c, func() { signal.Stop(c) }
}

// reloadOnHangup reads the scorer's model file anew at every SIGHUP and swaps
// it in without a pause, for sessions that begin from then on. Those that run keep
// theirs. A file that is refused, or too many models in use, leaves the old one at work.
func reloadOnHangup(ctx context.Context, hangups <-chan os.Signal, e *engine.Engine, log *slog.Logger) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-hangups:
			if err := e.Reload(ctx); err != nil {
				log.Error("the model was not replaced, the old one goes on", "error", err)
			}
		}
	}
}
