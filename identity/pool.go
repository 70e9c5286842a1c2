package identity

import (
	"context"
	"runtime"

	"golang.org/x/sync/errgroup"
)

// pool shares a few workers among all sessions. Sessions take turns: each asks for one face at a time, and who waits longest is next.
type pool struct {
	jobs    chan job
	workers errgroup.Group
	closed  chan struct{} // since close
}

// job is one face to embed; done has room for its answer.
type job struct {
	ctx  context.Context
	face *face
	done chan<- answer
}

type answer struct {
	vec *embedding
	err error
}

func newPool() *pool { return &pool{jobs: make(chan job), closed: make(chan struct{})} }

// start adds a worker, which is freed when the pool is closed. Its thread gives way to those that score.
func (p *pool) start(run func(context.Context, *face) (*embedding, error), free func() error) {
	p.workers.Go(func() error {
		runtime.LockOSThread() // for good: the thread ends with the goroutine, because its priority cannot be raised again
		giveWay()
		for {
			select {
			case j := <-p.jobs:
				vec, err := run(j.ctx, j.face)
				j.done <- answer{vec, err}
			case <-p.closed:
				return free()
			}
		}
	})
}

// embed waits for a turn and for the network, until ctx ends. A run that nobody waits for any more ends at the network's next operator.
func (p *pool) embed(ctx context.Context, f *face) (*embedding, error) {
	done := make(chan answer, 1)
	select {
	case p.jobs <- job{ctx, f, done}:
	case <-p.closed:
		return nil, ErrClosed
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	select {
	case a := <-done:
		return a.vec, a.err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// close waits for the runs in flight and frees the workers. Call it once.
func (p *pool) close() error {
	close(p.closed)
	return p.workers.Wait()
}
