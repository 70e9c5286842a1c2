package live

import (
	"context"
	"errors"
	"time"

	"github.com/liveproof/liveproof"
	"github.com/liveproof/liveproof/internal/retry"
)

// lateness is what the analyzer may be later than the deadline, or than the end
// of its media, before it is cancelled, and after that before it is given up.
const lateness = 2 * time.Second

// await returns how the session ended: by the analyzer's ending, or by whatever
// ends the connection first.
func (c *Connection) await() liveproof.Ending {
	var gone <-chan struct{}
	if c.peer != nil {
		gone = c.peer.Done()
	}
	streaming, abandoned := c.streaming, c.abandoned.made
	var limit, grace <-chan time.Time
	for {
		select {
		case end := <-c.endings:
			return end
		case <-c.aborted.made:
			return c.cut()
		case <-streaming:
			streaming, limit = nil, time.After(c.longest())
		case <-limit:
			c.because(liveproof.ReasonDeadline)
			return c.cut()
		case <-abandoned:
			abandoned, grace = nil, time.After(c.sup.cfg.DisconnectGrace)
		case <-grace:
			return c.finish()
		case <-gone:
			return c.finish()
		case <-c.hungUp.made:
			return c.finish()
		}
	}
}

// longest is the streaming time after which the server's clock ends the session.
func (c *Connection) longest() time.Duration {
	if c.session.Mode == liveproof.ModeCall {
		return c.sup.cfg.MaxCall
	}
	return c.session.Deadline + lateness
}

// finish ends the media and gives the analyzer time to judge by what it has.
func (c *Connection) finish() liveproof.Ending {
	c.because(c.peerReason())
	if c.peer != nil {
		_ = c.peer.Close()
	}
	select {
	case end := <-c.endings:
		return end
	case <-c.aborted.made:
	case <-time.After(lateness):
	}
	return c.cut()
}

// peerReason is why the peer connection ended, if it did.
func (c *Connection) peerReason() liveproof.Reason {
	if c.peer == nil || c.peer.Err() == nil {
		return liveproof.ReasonDisconnected
	}
	return liveproof.ReasonOf(c.peer.Err())
}

// cut cancels the analyzer, which then judges with the reason and all it knows.
// If it does not follow, the session ends without it.
func (c *Connection) cut() liveproof.Ending {
	why := c.reasonOr(liveproof.ReasonInternalError)
	c.cancel(&liveproof.EndError{Reason: why})
	select {
	case end := <-c.endings:
		return end
	case <-time.After(lateness):
	}
	c.Log.Error("the analyzer does not end", "reason", why)
	return liveproof.Unjudged(why)
}

// write ends the session's record and returns what stands. It retries while the
// store is away. A verdict that could not be written is told as inconclusive;
// the record is then ended by the sweep, once its lease has run out.
func (s *Supervisor) write(session liveproof.Session, end liveproof.Ending) liveproof.Session {
	ctx, cancel := context.WithTimeout(context.Background(), s.patience())
	defer cancel()
	var stored liveproof.Session
	err := retry.WhileUnavailable(ctx, func() (err error) {
		stored, err = s.deps.Sessions.Decide(ctx, session.ID, end)
		if errors.Is(err, liveproof.ErrUnavailable) {
			s.metrics.writes.WithLabelValues("retry").Inc()
		}
		return err
	})
	switch {
	case err == nil:
		s.metrics.writes.WithLabelValues("ok").Inc()
		s.metrics.ended(stored)
		return stored
	case errors.Is(err, liveproof.ErrDecided):
		s.metrics.writes.WithLabelValues("refused").Inc()
		return stored // whoever ended it has counted it
	case errors.Is(err, liveproof.ErrNotFound):
		s.metrics.writes.WithLabelValues("refused").Inc()
		stored = unwritten(session, end)
		s.metrics.ended(stored)
		return stored
	}
	s.metrics.writes.WithLabelValues("gave_up").Inc()
	s.deps.Log.Error("the session's end could not be written", "session", session.ID, "err", err)
	return unwritten(session, end) // the sweep ends it, and counts it
}

// unwritten is what may be told of a session whose end is not on record.
func unwritten(session liveproof.Session, end liveproof.Ending) liveproof.Session {
	session.State, session.Verdict = end.State, end.Verdict
	if end.Verdict.Outcome != liveproof.OutcomeInconclusive {
		session.State, session.Verdict = liveproof.StateFailed, end.Verdict.Withheld()
	}
	return session
}

// patience is how long the end of a session may wait for the store.
func (s *Supervisor) patience() time.Duration {
	if errors.Is(s.Full(), ErrDraining) {
		return min(s.cfg.DecideTimeout, 5*time.Second)
	}
	return s.cfg.DecideTimeout
}
