package store

import (
	"context"

	"github.com/liveproof/liveproof"
)

// watcher is one call of Watch.
type watcher struct{ tell func(liveproof.SessionID) }

// Watch implements ingest.Sessions.
func (m *Memory) Watch(ctx context.Context, tell func(liveproof.SessionID)) error {
	w := &watcher{tell}
	m.mu.Lock()
	m.watchers[w] = struct{}{}
	m.mu.Unlock()
	<-ctx.Done()
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.watchers, w)
	return ctx.Err()
}

// changed notes the time and the number of a change of the session's state or outcome, and tells the watchers.
func (m *Memory) changed(r *record) {
	r.session.ChangedAt = m.now()
	r.changes++
	m.tell(r.session.ID)
}

func (m *Memory) tell(id liveproof.SessionID) {
	for w := range m.watchers {
		w.tell(id)
	}
}
