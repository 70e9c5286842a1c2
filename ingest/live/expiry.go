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
	// While this server stood still or the store was away, leases ran out. Their owners get time to renew them
	// first.
	var notBefore, swept time.Time
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if s.wall().Sub(swept) > leaseFor { // also at the start
			notBefore = s.wall().Add(leaseFor)
		}
		err := s.SweepOnce(ctx, notBefore)
		switch {
		case err == nil || ctx.Err() != nil:
		case errors.Is(err, liveproof.ErrUnavailable):
			notBefore = s.wall().Add(leaseFor)
			s.deps.Log.Debug("sweep", "err", err)
		default:
			s.deps.Log.Warn("sweep", "err", err)
		}
		swept = s.wall()
	}
}

// wall is the wall clock, by which leases run out. Unlike the monotonic clock,
// it goes on while the machine is suspended.
func (s *Supervisor) wall() time.Time { return s.deps.Now().Round(0) }

// SweepOnce ends the sessions that are overdue now. Before notBefore it leaves
// alone those that their record calls connected. A record that cannot be read
// gives an error, but all other sessions are ended.
func (s *Supervisor) SweepOnce(ctx context.Context, notBefore time.Time) error {
	lapsed, unread := s.deps.Sessions.Lapsed(ctx, sweepLimit)
	if errors.Is(unread, liveproof.ErrUnavailable) {
		return unread
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
			traceExpiry(ctx, s.deps.Tracer, stored)
			s.deps.Log.Info("session expired", "session", stored.ID, "was", found.State, "reasons", stored.Verdict.Reasons)
		case errors.Is(err, liveproof.ErrConflict), errors.Is(err, liveproof.ErrDecided), errors.Is(err, liveproof.ErrNotFound):
			// The session's owner came back, or another server was quicker.
		default:
			return errors.Join(unread, err)
		}
	}
	return unread
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
