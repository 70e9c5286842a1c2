package live

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/liveproof/liveproof"
)

// A session's server renews its lease long before it runs out. A session whose
// lease has run out reads as pending; takeOver later any server ends it.
const (
	leaseFor   = 4 * time.Second
	renewEvery = time.Second
	takeOver   = 10 * time.Second
)

// lease is a new lease of this server, from now.
func (s *Supervisor) lease() liveproof.Lease {
	return liveproof.Lease{Owner: s.node, Until: s.deps.Now().Add(leaseFor).UTC().Truncate(time.Millisecond)}
}

// heartbeat renews the leases of all connected sessions, and returns when there
// is none. It never waits for the store longer than one lease lasts.
func (s *Supervisor) heartbeat() {
	tick := time.NewTicker(renewEvery)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
		case <-s.emptied:
		}
		ids, beat := s.beating()
		if !beat {
			return
		}
		s.renew(ids)
	}
}

// beating lists the sessions of this server; beat is false when there are none,
// and the heartbeat must end.
func (s *Supervisor) beating() (ids []liveproof.SessionID, beat bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for id, c := range s.connections {
		if c.claimed {
			ids = append(ids, id)
		}
	}
	s.beats = len(s.connections) > 0
	return ids, s.beats
}

// renew extends the leases and aborts the connections of sessions that are no longer this server's.
func (s *Supervisor) renew(ids []liveproof.SessionID) {
	if len(ids) == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), leaseFor)
	defer cancel()
	lost, err := s.deps.Sessions.Renew(ctx, s.lease(), ids)
	if err != nil {
		level := slog.LevelWarn
		if errors.Is(err, liveproof.ErrUnavailable) {
			level = slog.LevelDebug // the store tells its outages, once each
		}
		s.deps.Log.Log(ctx, level, "leases were not renewed", "sessions", len(ids), "err", err)
		return
	}
	for _, id := range lost {
		if c := s.Find(id); c != nil {
			c.Log.Debug("the session has ended or belongs to another server")
			c.Abort(liveproof.ReasonServerLost)
		}
	}
}
