package scorer

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"time"
)

// result is the result of one run of the network.
type result struct {
	rho   []float32
	err   error
	stack []byte // where the backend panicked
}

// attempt runs the network once. After the timeout it cancels the run; if the
// run has not stopped after the same time again, it counts as stuck and its
// channel is returned.
func (r *runner) attempt(ctx context.Context, backend Backend, items []*item) (result, <-chan result) {
	ctx, cancel := context.WithTimeout(ctx, r.timeout)
	defer cancel()
	r.metrics.batchSize.Observe(float64(len(items)))
	began := time.Now()
	done := make(chan result, 1)
	go func() { done <- invoke(ctx, backend, items) }() // this worker waits for a stuck run in awaitStuck
	ended := func(res result) result {
		took := time.Since(began)
		r.metrics.inference.Observe(took.Seconds())
		r.load.ran(time.Now(), len(items), took)
		return r.classify(ctx, res)
	}
	select {
	case res := <-done:
		return ended(res), nil
	case <-ctx.Done():
	}
	select {
	case res := <-done:
		return ended(res), nil // late, and so all the more of the workers' time
	case <-time.After(r.timeout):
		r.metrics.failures.WithLabelValues(failureStuck).Inc()
		return result{err: ErrStuck}, done
	}
}

// awaitStuck waits for a stuck run. It returns false when the run has still not
// returned some time after the scorer's end; the backend is then never closed.
func (r *runner) awaitStuck(ctx context.Context, m *loaded, stuck <-chan result) bool {
	select {
	case <-stuck:
		m.countStuck(-1)
		return true
	case <-ctx.Done():
	}
	select {
	case <-stuck:
		m.countStuck(-1)
		return true
	case <-time.After(r.timeout):
		return false
	}
}

// invoke turns a panic of the backend into an error of this batch.
func invoke(ctx context.Context, backend Backend, items []*item) (res result) {
	defer func() {
		if p := recover(); p != nil {
			res = result{err: fmt.Errorf("%w: %v", ErrPanic, p), stack: debug.Stack()}
		}
	}()
	crops := make([]*Crop, len(items))
	for i, it := range items {
		crops[i] = it.crop
	}
	rho := make([]float32, len(items))
	return result{rho: rho, err: backend.Score(ctx, crops, rho)}
}

// classify counts a failed attempt by its kind. A timeout becomes ErrTimeout,
// because context.DeadlineExceeded would look like the caller's own deadline.
func (r *runner) classify(ctx context.Context, res result) result {
	reason := failureError
	switch {
	case res.err == nil:
		return res
	case errors.Is(res.err, ErrPanic):
		reason = failurePanic
		r.log.Error("inference panicked", "error", res.err, "stack", string(res.stack))
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		reason = failureTimeout
		res.err = fmt.Errorf("%w after %v", ErrTimeout, r.timeout)
	case ctx.Err() != nil: // the scorer is ending
		res.err = ErrClosed
		return res
	}
	r.metrics.failures.WithLabelValues(reason).Inc()
	return res
}
