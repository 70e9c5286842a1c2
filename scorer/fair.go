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

// place is whose items stand in one line: those of one session for one model.
type place struct {
	session liveproof.SessionID
	model   uint64
}

// fairQueue holds waiting items, one line per session, and serves the sessions
// in turn: one with many items waiting gets no more than one with a few, whichever
// models they use. Pure data: no clock, no goroutine, not safe for concurrent use.
type fairQueue[T comparable] struct {
	capacity, perSession int

	lines map[place]*list.Element // of *line[T] in turn
	turn  *list.List              // sessions with items, next one first
	size  int
}

type line[T comparable] struct {
	place
	items []queued[T] // oldest first
}

type queued[T comparable] struct {
	item T
	at   time.Time
}

func newFairQueue[T comparable](capacity, perSession int) *fairQueue[T] {
	return &fairQueue[T]{
		capacity: capacity, perSession: perSession,
		lines: map[place]*list.Element{}, turn: list.New(),
	}
}

// add queues item. When that is too much, the oldest crop gives way, because an old
// picture says less about the present than a new one: that of the same session
// above its own cap, else that of the session with the most waiting. why is
// empty when nothing was shed. The session keeps its turn.
func (q *fairQueue[T]) add(whose place, item T, at time.Time) (shed T, why shedReason) {
	own, waits := q.lines[whose]
	if !waits {
		own = q.turn.PushBack(&line[T]{place: whose})
		q.lines[whose] = own
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
		delete(q.lines, l.place)
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

// next is the model whose turn it is, and others reports whether items of another one
// wait. The queue is not empty.
func (q *fairQueue[T]) next() (model uint64, others bool) {
	model = q.turn.Front().Value.(*line[T]).model
	for e := q.turn.Front(); e != nil && !others; e = e.Next() {
		others = e.Value.(*line[T]).model != model
	}
	return model, others
}

// ready is the number of items that take would give with no limit.
func (q *fairQueue[T]) ready() int {
	if q.size == 0 {
		return 0
	}
	model, others := q.next()
	if !others {
		return q.size
	}
	n := 0
	for e := q.turn.Front(); e != nil; e = e.Next() {
		if e.Value.(*line[T]).model == model {
			n++
		}
	}
	return n
}

// take removes up to n items of one model, that of the session whose turn it is: one of
// each session in turn. While items of another model wait no session gets a second
// one, so that models do not change who is served how often.
func (q *fairQueue[T]) take(n int) []T {
	taken := make([]T, 0, min(n, q.size))
	if q.size == 0 {
		return taken
	}
	model, others := q.next()
	for again := true; again; again = !others && q.size > 0 && len(taken) < n {
		taken = q.round(taken, model, n)
	}
	return taken
}

// round takes one item of each session of that model until n are taken. Who is served goes
// to the end of the turn, the others keep their place.
func (q *fairQueue[T]) round(taken []T, model uint64, n int) []T {
	e := q.turn.Front()
	for left := q.turn.Len(); left > 0 && len(taken) < n; left-- {
		following := e.Next()
		if e.Value.(*line[T]).model == model {
			q.turn.MoveToBack(e)
			taken = append(taken, q.pop(e))
		}
		e = following
	}
	return taken
}

// takeAll empties the queue.
func (q *fairQueue[T]) takeAll() []T {
	var taken []T
	for q.size > 0 {
		taken = append(taken, q.take(q.size)...)
	}
	return taken
}

// remove withdraws one item; false when it does not wait any more.
func (q *fairQueue[T]) remove(whose place, item T) bool {
	e, waits := q.lines[whose]
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
