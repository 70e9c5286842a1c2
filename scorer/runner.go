package scorer

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/liveproof/liveproof"
)

// attempts is how often a batch is tried before its samples fail.
const attempts = 2

// runner takes batches off the queue, runs each on its model and finishes the items. It
// has no lock: each worker owns the batch that it runs.
type runner struct {
	queue   *queue
	timeout time.Duration // of one attempt
	load    workload
	metrics *Metrics
	log     *slog.Logger
}

// work is one worker: it runs batches until ctx ends.
func (r *runner) work(ctx context.Context) {
	for {
		items, ok := r.queue.next(ctx)
		if !ok {
			return
		}
		r.run(ctx, &batch{model: items[0].model, left: items}) // all are of one model
		r.queue.done()
	}
}

// batch is the items of one run of one model, and the result of the run.
type batch struct {
	model   *loaded
	left    []*item // those without an outcome
	scored  int     // those with a score
	failure error   // why the last attempt left items without an outcome
}

// run keeps the model in memory while the network may use it; for ever when a run never returns.
func (r *runner) run(ctx context.Context, b *batch) {
	b.model.retain()
	stuck := r.process(ctx, b)
	if stuck == nil || r.awaitStuck(ctx, b.model, stuck) {
		b.model.release()
	}
}

// process runs one batch, a second time if it fails, and finishes every item.
// If a run did not stop after its timeout, process returns a channel that tells
// when that run ends, else nil.
func (r *runner) process(ctx context.Context, b *batch) (stuck <-chan result) {
	r.observeWait(b.left)
	for try := 0; try < attempts && stuck == nil && ctx.Err() == nil; try++ {
		if b.dropDeparted(); len(b.left) == 0 {
			break
		}
		if try > 0 {
			r.metrics.retries.Inc()
		}
		var res result
		res, stuck = r.attempt(ctx, b.model.backend, b.left)
		r.settle(b, res)
	}
	if stuck != nil { // before its callers and the probe learn of the failure
		b.model.countStuck(1)
	}
	r.conclude(ctx, b, stuck != nil)
	return stuck
}

// dropDeparted finishes the items whose callers have left.
func (b *batch) dropDeparted() {
	kept := b.left[:0:0]
	for _, it := range b.left {
		if err := it.ctx.Err(); err != nil {
			it.finish(0, err)
			continue
		}
		kept = append(kept, it)
	}
	b.left = kept
}

// settle finishes the items with a valid ρ. It leaves the others in the batch and
// keeps the reason.
func (r *runner) settle(b *batch, res result) {
	b.failure = nil
	if res.err != nil {
		b.failure = fmt.Errorf("%w: %w", liveproof.ErrUnavailable, res.err)
		return
	}
	invalid := b.left[:0:0]
	for i, it := range b.left {
		if !validRho(res.rho[i]) {
			invalid = append(invalid, it)
			b.failure = fmt.Errorf("%w: ρ = %v", liveproof.ErrScoreInvalid, res.rho[i])
			continue
		}
		it.finish(res.rho[i], nil)
		b.scored++
	}
	if b.left = invalid; len(invalid) > 0 {
		r.metrics.failures.WithLabelValues(failureInvalid).Inc()
	}
}

// conclude fails the items that are left after the last attempt and reports the batch to
// the model's health. A batch whose callers have all left counts too: they may have left
// because it hung.
func (r *runner) conclude(ctx context.Context, b *batch, stuck bool) {
	if ctx.Err() != nil && !stuck {
		failAll(b.left, errClosing())
		return
	}
	failAll(b.left, b.failure)
	switch {
	case b.scored > 0:
		b.model.succeeded()
	case b.failure != nil:
		b.model.failed(b.failure, stuck)
	}
}

func (r *runner) observeWait(items []*item) {
	now := time.Now()
	for _, it := range items {
		if !it.probe {
			r.metrics.queueWait.Observe(now.Sub(it.at).Seconds())
		}
	}
}
