package live

import (
	"context"
	"errors"
	"time"

	"github.com/liveproof/liveproof"
	"github.com/liveproof/liveproof/internal/retry"
)

// lateness is how long the connection waits for the analyzer: after the
// deadline, or the end of the media, before it cancels the analyzer, and then
// again before it ends the session without it.
const lateness = 2 * time.Second

// await returns how the session ended: the analyzer's ending, or that of the
// first event that ends the connection.
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
			return c.cancelAnalyzer()
		case <-streaming:
			streaming, limit = nil, time.After(c.longest())
		case <-limit:
			c.setReason(liveproof.ReasonDeadline)
			return c.cancelAnalyzer()
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

// finish ends the media and gives the analyzer time to judge what it has
// received.
func (c *Connection) finish() liveproof.Ending {
	c.setReason(c.peerReason())
	if c.peer != nil {
		_ = c.peer.Close()
	}
	select {
	case end := <-c.endings:
		return end
	case <-c.aborted.made:
	case <-time.After(lateness):
	}
	return c.cancelAnalyzer()
}

// peerReason is why the peer connection ended; disconnected when it has no
// error.
func (c *Connection) peerReason() liveproof.Reason {
	if c.peer == nil || c.peer.Err() == nil {
		return liveproof.ReasonDisconnected
	}
	return liveproof.ReasonOf(c.peer.Err())
}

// cancelAnalyzer cancels the analyzer, which then ends the session with the reason and its
// evidence. If the analyzer does not react, the session ends without it.
func (c *Connection) cancelAnalyzer() liveproof.Ending {
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

// write ends the session in the store and returns its final record. It retries
// while the store is away. If a verdict could not be written, the client is
// told inconclusive, and the sweep ends the record once its lease has run out.
func (s *Supervisor) write(session liveproof.Session, end liveproof.Ending) liveproof.Session {
	ctx, cancel := context.WithTimeout(context.Background(), s.writeTimeout())
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
		return stored // it was counted by the server that ended it
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

// unwritten is what the client may be told of a session whose end could not be
// written.
func unwritten(session liveproof.Session, end liveproof.Ending) liveproof.Session {
	session.State, session.Verdict = end.State, end.Verdict
	if end.Verdict.Outcome != liveproof.OutcomeInconclusive {
		session.State, session.Verdict = liveproof.StateFailed, end.Verdict.Withheld()
	}
	return session
}

// writeTimeout is how long the end of a session may wait for the store.
func (s *Supervisor) writeTimeout() time.Duration {
	if s.draining() {
		return min(s.cfg.DecideTimeout, 5*time.Second)
	}
	return s.cfg.DecideTimeout
}
