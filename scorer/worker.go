package scorer

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"time"

	"github.com/liveproof/liveproof"
)

// attempts is how often a batch is tried before its samples fail.
const attempts = 2

// work runs batches until the channel is closed.
func (b *Batcher) work(ctx context.Context, batches <-chan batch) {
	for next := range batches {
		stuck := b.process(ctx, next.slot, next.items)
		b.done(next.slot, stuck == nil || b.outlast(ctx, next.slot, stuck))
	}
}

// outlast waits for a stuck run; false when it still does not return some time
// after the scorer's end. Its backend is then never closed.
func (b *Batcher) outlast(ctx context.Context, s *slot, stuck <-chan result) bool {
	select {
	case <-stuck:
		b.countStuck(s, -1)
		return true
	case <-ctx.Done():
	}
	select {
	case <-stuck:
		b.countStuck(s, -1)
		return true
	case <-time.After(b.cfg.BatchTimeout):
		return false
	}
}

func (b *Batcher) countStuck(s *slot, change int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	s.stuck += change
}

// process runs one batch, once again if it fails, and completes every item. The
// channel it returns is nil unless a run did not stop after its timeout: it
// tells when that run ends.
func (b *Batcher) process(ctx context.Context, s *slot, batch []*item) (stuck <-chan result) {
	b.observeWait(batch)
	left, scored := batch, 0
	var failure error
	for try := 0; try < attempts && stuck == nil && ctx.Err() == nil; try++ {
		if left = b.alive(left); len(left) == 0 {
			break
		}
		if try > 0 {
			b.metrics.retries.Inc()
		}
		var r result
		r, stuck = b.attempt(ctx, s.backend, left)
		tried := len(left)
		left, failure = b.settle(left, r)
		scored += tried - len(left)
	}
	if stuck != nil { // before its callers and the probe learn of the failure
		b.countStuck(s, 1)
	}
	b.conclude(ctx, s, left, scored, failure, stuck != nil)
	return stuck
}

// conclude fails what is left after the last attempt and tells the model's health. A batch
// whose callers have all left counts too: they may have left because it hung.
func (b *Batcher) conclude(ctx context.Context, s *slot, left []*item, scored int, failure error, stuck bool) {
	if ctx.Err() != nil && !stuck {
		b.finish(left, outcome{err: errClosing()})
		return
	}
	for _, it := range left {
		it.complete(0, failure)
		if !stuck { // a stuck run may still read the pixels
			b.spare.Put(it.pixels)
		}
	}
	switch {
	case scored > 0:
		b.recovered(s)
	case failure != nil:
		b.failed(s, failure, stuck)
	}
}

// alive drops the items whose callers have left.
func (b *Batcher) alive(items []*item) []*item {
	kept := items[:0:0]
	for _, it := range items {
		if err := it.ctx.Err(); err != nil {
			b.finish([]*item{it}, outcome{err: err})
			continue
		}
		kept = append(kept, it)
	}
	return kept
}

// settle completes the items with a valid ρ and returns the others with the reason.
func (b *Batcher) settle(items []*item, r result) (left []*item, failure error) {
	if r.err != nil {
		return items, fmt.Errorf("%w: %w", liveproof.ErrUnavailable, r.err)
	}
	for i, it := range items {
		if !validRho(r.rho[i]) {
			left = append(left, it)
			failure = fmt.Errorf("%w: ρ = %v", liveproof.ErrScoreInvalid, r.rho[i])
			continue
		}
		it.complete(r.rho[i], nil)
		b.spare.Put(it.pixels)
	}
	if len(left) > 0 {
		b.metrics.failures.WithLabelValues(failureInvalid).Inc()
	}
	return left, failure
}

func (b *Batcher) observeWait(batch []*item) {
	now := time.Now()
	for _, it := range batch {
		if !it.probe {
			b.metrics.queueWait.Observe(now.Sub(it.at).Seconds())
		}
	}
}

// result is what one run of the network came to.
type result struct {
	rho   []float32
	err   error
	stack []byte // where the backend panicked
}

// attempt runs the network once, at most for BatchTimeout, plus as long again for
// it to stop. Then the run counts as stuck and its channel is returned.
func (b *Batcher) attempt(ctx context.Context, backend Backend, items []*item) (result, <-chan result) {
	ctx, cancel := context.WithTimeout(ctx, b.cfg.BatchTimeout)
	defer cancel()
	b.metrics.batchSize.Observe(float64(len(items)))
	began := time.Now()
	done := make(chan result, 1)
	go func() { done <- call(ctx, backend, items) }() // owned by this worker: see outlast
	select {
	case r := <-done:
		b.metrics.inference.Observe(time.Since(began).Seconds())
		return b.classify(ctx, r), nil
	case <-ctx.Done():
	}
	select {
	case r := <-done:
		return b.classify(ctx, r), nil
	case <-time.After(b.cfg.BatchTimeout):
		b.metrics.failures.WithLabelValues(failureStuck).Inc()
		return result{err: ErrStuck}, done
	}
}

// call turns a panic of the backend into an error of this batch.
func call(ctx context.Context, backend Backend, items []*item) (r result) {
	defer func() {
		if p := recover(); p != nil {
			r = result{err: fmt.Errorf("%w: %v", ErrPanic, p), stack: debug.Stack()}
		}
	}()
	crops := make([][]byte, len(items))
	for i, it := range items {
		crops[i] = *it.pixels
	}
	rho := make([]float32, len(items))
	return result{rho: rho, err: backend.Score(ctx, crops, rho)}
}

// classify counts a failed attempt. A timeout becomes ErrTimeout, because
// context.DeadlineExceeded would look like the caller's own.
func (b *Batcher) classify(ctx context.Context, r result) result {
	reason := failureError
	switch {
	case r.err == nil:
		return r
	case errors.Is(r.err, ErrPanic):
		reason = failurePanic
		b.log.Error("inference panicked", "error", r.err, "stack", string(r.stack))
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		reason = failureTimeout
		r.err = fmt.Errorf("%w after %v", ErrTimeout, b.cfg.BatchTimeout)
	case ctx.Err() != nil: // the scorer ends
		r.err = ErrClosed
		return r
	}
	b.metrics.failures.WithLabelValues(reason).Inc()
	return r
}
