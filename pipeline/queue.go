package pipeline

import "context"

// queue is the bounded queue before a stage. It has one producer, who closes
// it, and any number of consumers, who range over ch.
type queue[T any] struct {
	ch         chan T
	newestWins bool
}

func newQueue[T any](size int, newestWins bool) *queue[T] {
	return &queue[T]{ch: make(chan T, size), newestWins: newestWins}
}

// push adds x. With newestWins it never blocks and returns the oldest item where
// that had to make room. Otherwise it waits for room; the error is ctx's, and x
// is still the caller's.
func (q *queue[T]) push(ctx context.Context, x T) (oldest T, dropped bool, err error) {
	if !q.newestWins {
		select {
		case q.ch <- x:
		case <-ctx.Done():
			err = context.Cause(ctx)
		}
		return oldest, false, err
	}
	for {
		select {
		case q.ch <- x:
			return oldest, dropped, nil
		default:
		}
		// Consumers only take, so at most one item has to go.
		select {
		case oldest = <-q.ch:
			dropped = true
		default:
		}
	}
}

func (q *queue[T]) close() { close(q.ch) }
