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

// Sweep ends sessions whose lease has run out: those that no client has
// connected to, and those whose server is lost. It returns when ctx ends. Every
// server sweeps.
func (s *Supervisor) Sweep(ctx context.Context) {
	tick := time.NewTicker(sweepEvery)
	defer tick.Stop()
	// While this server or the store was away, leases could not be renewed. Their owners get time to
	// renew them first.
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

// SweepOnce ends the sessions that are overdue now. Before notBefore it leaves
// alone those that their record calls connected.
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
			// The session's owner came back, or another server was quicker.
		default:
			return err
		}
	}
	return nil
}

// overdue is the one rule of expiry. It returns how a session ends whose lease
// has run out, and false while its client may still connect or its owner may
// still renew.
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
