package live

import (
	"context"
	"errors"
	"time"

	"github.com/liveproof/liveproof"
)

const (
	sweepEvery = time.Second
	sweepLimit = 1000 // sessions ended in one sweep
)

// Sweep ends sessions whose lease has run out, until ctx ends: those that nobody
// has connected to, and those whose server is lost. Every server sweeps.
func (s *Supervisor) Sweep(ctx context.Context) {
	tick := time.NewTicker(sweepEvery)
	defer tick.Stop()
	// While this server, or the store, was away, no lease could be renewed. Owners get the time to do so.
	notBefore := s.deps.Now().Add(leaseFor)
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if err := s.SweepOnce(ctx, notBefore); err != nil && ctx.Err() == nil {
			s.deps.Log.Debug("sweep", "err", err)
			notBefore = s.deps.Now().Add(leaseFor)
		}
	}
}

// SweepOnce ends what is overdue now. Sessions that are connected, as far as
// their record says, are left alone before notBefore.
func (s *Supervisor) SweepOnce(ctx context.Context, notBefore time.Time) error {
	lapsed, err := s.deps.Sessions.Lapsed(ctx, sweepLimit)
	if err != nil {
		return err
	}
	now := s.deps.Now()
	for _, found := range lapsed {
		end, overdue := overdue(found, now)
		if !overdue || found.State != liveproof.StateCreated && now.Before(notBefore) {
			continue
		}
		stored, err := s.deps.Sessions.Lapse(ctx, found, end)
		switch {
		case err == nil:
			s.metrics.ended(stored)
			s.deps.Log.Info("session expired", "session", stored.ID, "was", found.State, "reasons", stored.Verdict.Reasons)
		case errors.Is(err, liveproof.ErrConflict), errors.Is(err, liveproof.ErrDecided), errors.Is(err, liveproof.ErrNotFound):
			// Its owner came back, or another server was quicker.
		default:
			return err
		}
	}
	return nil
}

// overdue is the one rule of expiry: how a session ends that its owner no longer
// holds; false while somebody may still come.
func overdue(s liveproof.Session, now time.Time) (liveproof.Ending, bool) {
	switch {
	case !s.Lapsed(now):
		return liveproof.Ending{}, false
	case s.State == liveproof.StateCreated:
		return liveproof.Unjudged(liveproof.ReasonNoMedia), true
	case now.Sub(s.Lease.Until) < takeOver:
		return liveproof.Ending{}, false
	}
	return liveproof.Unjudged(liveproof.ReasonServerLost), true
}
