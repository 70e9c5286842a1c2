package scorer

import (
	"container/list"
	"slices"
	"time"

	"github.com/liveproof/liveproof"
)

// shedReason says why a waiting crop was dropped for a newer one; it labels a metric.
type shedReason string

const (
	shedSession  shedReason = "session_cap" // its session had too many waiting
	shedCapacity shedReason = "capacity"    // the whole queue was full
)

// fairQueue holds waiting items, one line per session, and serves the sessions
// in turn: one with many items waiting gets no more than one with a few. Pure
// data: no clock, no goroutine, not safe for concurrent use.
type fairQueue[T comparable] struct {
	capacity, perSession int

	lines map[liveproof.SessionID]*list.Element // of *line[T] in turn
	turn  *list.List                            // sessions with items, next one first
	size  int
}

type line[T comparable] struct {
	session liveproof.SessionID
	items   []queued[T] // oldest first
}

type queued[T comparable] struct {
	item T
	at   time.Time
}

func newFairQueue[T comparable](capacity, perSession int) *fairQueue[T] {
	return &fairQueue[T]{
		capacity: capacity, perSession: perSession,
		lines: map[liveproof.SessionID]*list.Element{}, turn: list.New(),
	}
}

// add queues item. When that is too much, the oldest crop gives way, because an old
// picture says less about the present than a new one: that of the same session
// above its own cap, else that of the session with the most waiting. why is
// empty when nothing was shed. The session keeps its turn.
func (q *fairQueue[T]) add(session liveproof.SessionID, item T, at time.Time) (shed T, why shedReason) {
	own, waits := q.lines[session]
	if !waits {
		own = q.turn.PushBack(&line[T]{session: session})
		q.lines[session] = own
	}
	l := own.Value.(*line[T])
	l.items = append(l.items, queued[T]{item, at})
	q.size++
	switch {
	case len(l.items) > q.perSession:
		return q.pop(own), shedSession
	case q.size > q.capacity:
		return q.pop(q.longest()), shedCapacity
	}
	return shed, ""
}

// pop takes the oldest item of a session's line and forgets the line when it is empty.
func (q *fairQueue[T]) pop(e *list.Element) T {
	l := e.Value.(*line[T])
	item := l.items[0].item
	l.items = slices.Delete(l.items, 0, 1)
	q.size--
	q.forgetIfEmpty(e)
	return item
}

func (q *fairQueue[T]) forgetIfEmpty(e *list.Element) {
	if l := e.Value.(*line[T]); len(l.items) == 0 {
		q.turn.Remove(e)
		delete(q.lines, l.session)
	}
}

// longest is the session with the most items; of several, the one whose oldest
// item is the oldest. The queue is not empty.
func (q *fairQueue[T]) longest() *list.Element {
	best := q.turn.Front()
	for e := best.Next(); e != nil; e = e.Next() {
		a, b := e.Value.(*line[T]).items, best.Value.(*line[T]).items
		if len(a) > len(b) || len(a) == len(b) && a[0].at.Before(b[0].at) {
			best = e
		}
	}
	return best
}

// take removes up to n items, one of each session in turn.
func (q *fairQueue[T]) take(n int) []T {
	taken := make([]T, 0, min(n, q.size))
	for len(taken) < n && q.size > 0 {
		e := q.turn.Front()
		q.turn.MoveToBack(e)
		taken = append(taken, q.pop(e))
	}
	return taken
}

// remove withdraws one item; false when it does not wait any more.
func (q *fairQueue[T]) remove(session liveproof.SessionID, item T) bool {
	e, waits := q.lines[session]
	if !waits {
		return false
	}
	l := e.Value.(*line[T])
	at := slices.IndexFunc(l.items, func(w queued[T]) bool { return w.item == item })
	if at < 0 {
		return false
	}
	l.items = slices.Delete(l.items, at, at+1)
	q.size--
	q.forgetIfEmpty(e)
	return true
}

// oldest is when the longest waiting item came; zero for an empty queue.
func (q *fairQueue[T]) oldest() time.Time {
	var oldest time.Time
	for e := q.turn.Front(); e != nil; e = e.Next() {
		if at := e.Value.(*line[T]).items[0].at; oldest.IsZero() || at.Before(oldest) {
			oldest = at
		}
	}
	return oldest
}
