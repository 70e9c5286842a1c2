package detector

import (
	"context"
	"errors"
	"io"
	"sync"
)

// pool lends a fixed number of workers, each to one goroutine at a time. It
// bounds both memory and the number of pictures that are searched at once.
type pool[W io.Closer] struct {
	free   chan W
	closed chan struct{}
	once   sync.Once
	err    error // of closing; written inside once
}

// newPool makes n workers; when one fails, those before it are closed.
func newPool[W io.Closer](n int, make1 func() (W, error)) (*pool[W], error) {
	p := &pool[W]{free: make(chan W, n), closed: make(chan struct{})}
	for range n {
		w, err := make1()
		if err != nil {
			close(p.free)
			for w := range p.free {
				err = errors.Join(err, w.Close())
			}
			return nil, err
		}
		p.free <- w
	}
	return p, nil
}

// acquire waits for a free worker; it fails with ctx's error or ErrClosed.
func (p *pool[W]) acquire(ctx context.Context) (W, error) {
	var none W
	if err := ctx.Err(); err != nil {
		return none, err
	}
	select {
	case <-p.closed:
		return none, ErrClosed
	default:
	}
	select {
	case w := <-p.free:
		return w, nil
	case <-p.closed:
		return none, ErrClosed
	case <-ctx.Done():
		return none, ctx.Err()
	}
}

// release gives a worker back.
func (p *pool[W]) release(w W) { p.free <- w }

// Close waits for the workers in use and closes all. It is idempotent.
func (p *pool[W]) Close() error {
	p.once.Do(func() {
		close(p.closed)
		for range cap(p.free) {
			w := <-p.free
			p.err = errors.Join(p.err, w.Close())
		}
	})
	return p.err
}
