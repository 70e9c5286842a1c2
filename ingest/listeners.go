package ingest

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/liveproof/liveproof"
)

// pace is how the streams of events keep time.
type pace struct {
	keepAlive time.Duration // a comment, where nothing was written for so long
	reread    time.Duration // a record is read again after so long, although nobody told of a change: a lease may have run out
	write     time.Duration // a listener that does not take an event within this is dropped
	again     time.Duration // pause before the store is watched again after an error
}

// listenerPace rereads often enough that a session without a server is pending for its listeners soon after it is so in its record.
var listenerPace = pace{keepAlive: 15 * time.Second, reread: 2 * time.Second, write: writeWait, again: time.Second}

// listeners are the open streams of events of this server. While there is one, the store is watched for changes of any server.
type listeners struct {
	pace
	sessions Sessions
	most     ListenerLimits
	log      *slog.Logger
	open     *prometheus.GaugeVec

	mu        sync.Mutex
	bySession map[liveproof.SessionID][]*listener // the oldest first
	perTenant map[string]int
	closed    chan struct{}      // closed when the server ends its streams
	unwatch   context.CancelFunc // nil while nobody listens
	watching  sync.WaitGroup
}

// listener is one open stream. changed has an element when its session has changed since the last look. displaced is closed when a
// newer listener has taken its place.
type listener struct {
	session   liveproof.SessionID
	tenant    string
	changed   chan struct{}
	displaced chan struct{}
}

func newListeners(sessions Sessions, most ListenerLimits, log *slog.Logger, open *prometheus.GaugeVec) *listeners {
	return &listeners{
		pace: listenerPace, sessions: sessions, most: most, log: log, open: open,
		bySession: make(map[liveproof.SessionID][]*listener), perTenant: make(map[string]int),
		closed: make(chan struct{}),
	}
}

// join admits one more listener to the session. Above the session's limit the session's oldest listener is displaced: it may have
// vanished without a word, which only a timeout would tell. join says when the tenant's limit is exceeded. Each join needs its leave.
func (l *listeners) join(s liveproof.Session) (*listener, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.isClosed() {
		return nil, problem(CodeShuttingDown, "the server is shutting down; another one will answer")
	}
	if present := l.bySession[s.ID]; len(present) >= l.most.PerSession {
		close(present[0].displaced)
		l.remove(present[0])
	}
	if l.perTenant[s.Tenant] >= l.most.PerTenant {
		return nil, problem(CodeRateLimited, "too many listeners to the events of this tenant's sessions; close one first")
	}
	one := &listener{session: s.ID, tenant: s.Tenant, changed: make(chan struct{}, 1), displaced: make(chan struct{})}
	l.bySession[s.ID] = append(l.bySession[s.ID], one)
	l.perTenant[s.Tenant]++
	l.open.WithLabelValues(s.Tenant).Inc()
	l.watch()
	return one, nil
}

// leave gives the listener's place back. The last one ends the watch of the store.
func (l *listeners) leave(one *listener) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.remove(one)
	if len(l.bySession) == 0 && l.unwatch != nil {
		l.unwatch()
		l.unwatch = nil
	}
}

// remove gives a place back, once.
func (l *listeners) remove(one *listener) {
	at := slices.Index(l.bySession[one.session], one)
	if at < 0 {
		return
	}
	if l.bySession[one.session] = slices.Delete(l.bySession[one.session], at, at+1); len(l.bySession[one.session]) == 0 {
		delete(l.bySession, one.session)
	}
	l.open.WithLabelValues(one.tenant).Dec()
	if l.perTenant[one.tenant]--; l.perTenant[one.tenant] == 0 {
		delete(l.perTenant, one.tenant)
	}
}

// wake tells the session's listeners to look at its record. It never blocks.
func (l *listeners) wake(id liveproof.SessionID) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, one := range l.bySession[id] {
		select {
		case one.changed <- struct{}{}:
		default: // it has not looked since the last change
		}
	}
}

// close ends all streams and returns when the store is not watched any more. Idempotent.
func (l *listeners) close() {
	l.mu.Lock()
	if !l.isClosed() {
		close(l.closed)
	}
	if l.unwatch != nil {
		l.unwatch()
		l.unwatch = nil
	}
	l.mu.Unlock()
	l.watching.Wait()
}

func (l *listeners) isClosed() bool {
	select {
	case <-l.closed:
		return true
	default:
		return false
	}
}

// watch begins to watch the store, unless it is watched already.
func (l *listeners) watch() {
	if l.unwatch != nil {
		return
	}
	ctx, cancel := context.WithCancel(context.Background())
	l.unwatch = cancel
	l.watching.Go(func() { l.follow(ctx) })
}

// follow wakes listeners until ctx ends. While the store does not answer, they read the record at their own pace and learn it there.
func (l *listeners) follow(ctx context.Context) {
	for ctx.Err() == nil {
		err := l.sessions.Watch(ctx, l.wake)
		if err != nil && ctx.Err() == nil && !errors.Is(err, liveproof.ErrUnavailable) {
			l.log.Warn("changes of sessions are told late: the store cannot be watched", "err", err)
		}
		select {
		case <-ctx.Done():
		case <-time.After(l.again):
		}
	}
}
