package ingest

import (
	"context"
	"sync"
	"time"

	"github.com/liveproof/liveproof"
)

// maxAwaited bounds the sessions whose connection is awaited, 40 bytes each;
// what does not fit is found expired when it is read.
const maxAwaited = 200_000

// expiry ends sessions that nobody connects to. All have the same time to
// live, so that a queue is ordered by itself.
type expiry struct {
	server *Server
	mu     sync.Mutex
	queue  []awaited
}

type awaited struct {
	id liveproof.SessionID
	at time.Time
}

func newExpiry(s *Server) *expiry { return &expiry{server: s} }

func (e *expiry) add(s liveproof.Session) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if len(e.queue) < maxAwaited {
		e.queue = append(e.queue, awaited{s.ID, e.server.connectBy(s)})
	}
}

// run looks every second until ctx ends.
func (e *expiry) run(ctx context.Context) {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			e.sweep(ctx, e.server.now())
		}
	}
}

// sweep ends what is due; what the store could not take is found when it is read.
func (e *expiry) sweep(ctx context.Context, now time.Time) {
	for _, id := range e.due(now) {
		if ctx.Err() != nil {
			return
		}
		s, err := e.server.deps.Sessions.Get(ctx, id)
		if err == nil {
			_, err = e.server.current(s)
		}
		if err != nil {
			e.server.log.Debug("expiry", "session", id, "err", err)
		}
	}
}

func (e *expiry) due(now time.Time) []liveproof.SessionID {
	e.mu.Lock()
	defer e.mu.Unlock()
	var ids []liveproof.SessionID
	n := 0
	for n < len(e.queue) && e.queue[n].at.Before(now) {
		ids = append(ids, e.queue[n].id)
		n++
	}
	if n > 0 {
		e.queue = append([]awaited(nil), e.queue[n:]...)
	}
	return ids
}
