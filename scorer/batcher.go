// Package scorer turns face crops into ρ, the expected liveness score. One
// Batcher serves all sessions of a process: it gathers crops into batches, runs
// the network on ONNX Runtime and gives every crop its own answer. It fails
// closed: whatever goes wrong becomes an error of the samples concerned.
package scorer

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/liveproof/liveproof"
)

// Batcher is the process-wide scorer. Each session scores through a pin of its own
// (Pin), from any number of goroutines.
type Batcher struct {
	cfg     Config
	policy  policy
	metrics *Metrics
	log     *slog.Logger
	spare   sync.Pool     // of *[]byte, cropBytes each
	wake    chan struct{} // something changed: ask the policy again
	stopped chan struct{} // closed when Run has returned

	mu      sync.Mutex
	queue   *fairQueue[*item]
	running int // batches handed to workers
	slot    *slot
	retired []*slot            // replaced models that are still used
	models  uint64             // how many there have been
	stop    context.CancelFunc // ends Run; nil before it
	closed  bool
	shedAt  time.Time      // when a crop last gave way because the queue was full
	closing sync.WaitGroup // replaced models being freed
}

// New takes over backend, which Close closes. metrics and log may be nil. The
// number of workers stays what this first backend says.
func New(cfg Config, backend Backend, metrics *Metrics, log *slog.Logger) (*Batcher, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	if metrics == nil {
		metrics = NewMetrics(nil)
	}
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	b := &Batcher{
		cfg:     cfg,
		policy:  policy{MaxBatch: cfg.MaxBatch, MaxWait: cfg.MaxWait, Workers: backend.Workers()},
		metrics: metrics, log: log,
		wake: make(chan struct{}, 1), stopped: make(chan struct{}),
		queue: newFairQueue[*item](cfg.QueueCapacity, cfg.PerSession),
	}
	b.addSlot(backend)
	b.spare.New = func() any { pixels := make([]byte, cropBytes); return &pixels }
	return b, nil
}

// score queues a crop for a model and waits for its outcome. The caller holds the slot.
func (b *Batcher) score(ctx context.Context, s *slot, id liveproof.SessionID, crop *liveproof.Image, probe bool) (float64, error) {
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	it := &item{
		ctx: ctx, place: place{id, s.number}, slot: s,
		pixels: b.spare.Get().(*[]byte), probe: probe, done: make(chan outcome, 1),
	}
	if err := copyCrop(*it.pixels, crop); err != nil {
		b.spare.Put(it.pixels)
		return 0, err
	}
	if err := b.enqueue(it); err != nil {
		b.spare.Put(it.pixels)
		return 0, err
	}
	select {
	case out := <-it.done:
		return float64(out.rho), out.err
	case <-ctx.Done():
		b.withdraw(it)
		return 0, ctx.Err()
	}
}

func (b *Batcher) enqueue(it *item) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		return errClosing()
	}
	it.at = time.Now()
	shed, why := b.queue.add(it.place, it, it.at)
	if why != "" {
		if why == shedCapacity { // one session above its own cap says nothing about the load
			b.shedAt = it.at
		}
		b.metrics.shed.WithLabelValues(string(why)).Inc()
		shed.complete(0, fmt.Errorf("%w: crop gave way to a newer one (%s)", liveproof.ErrOverloaded, why))
		b.spare.Put(shed.pixels)
	}
	b.changed()
	return nil
}

// withdraw takes a crop whose caller has left out of the queue; one that is
// in a batch already is finished by its worker.
func (b *Batcher) withdraw(it *item) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.queue.remove(it.place, it) {
		b.spare.Put(it.pixels)
		b.changed()
	}
}

// changed wakes the loop; b.mu is held.
func (b *Batcher) changed() {
	b.metrics.waiting.Set(float64(b.queue.size))
	select {
	case b.wake <- struct{}{}:
	default:
	}
}

// Run forms batches until ctx ends or Close is called, then fails what waits.
// It returns nil, or ErrStuck when a run of the network did not stop. Once.
func (b *Batcher) Run(ctx context.Context) error {
	ctx, err := b.start(ctx)
	if err != nil {
		return err
	}
	defer close(b.stopped)
	work := make(chan batch)
	var owned sync.WaitGroup
	for range b.policy.Workers {
		owned.Go(func() { b.work(ctx, work) })
	}
	owned.Go(func() { b.probe(ctx) })
	b.dispatch(ctx, work)
	close(work)
	b.refuseAll()
	owned.Wait()
	return b.ending()
}

func (b *Batcher) start(ctx context.Context) (context.Context, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed || b.stop != nil {
		return nil, fmt.Errorf("run: %w or runs already", ErrClosed)
	}
	ctx, b.stop = context.WithCancel(ctx)
	b.counted()
	return ctx, nil
}

func (b *Batcher) ending() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.stop()
	for _, s := range b.slots() {
		if s.stuck > 0 {
			return ErrStuck
		}
	}
	return nil
}

// dispatch asks the policy whenever something changed or a crop has waited long enough.
func (b *Batcher) dispatch(ctx context.Context, work chan<- batch) {
	for {
		next, again := b.next(time.Now())
		if next.items != nil {
			select {
			case work <- next:
				continue
			case <-ctx.Done():
				b.finish(next.items, outcome{err: errClosing()})
				b.done(next.slot, true)
				return
			}
		}
		if !b.pause(ctx, again) {
			return
		}
	}
}

// pause waits for a change, for again to pass (0: for ever) or for the end of ctx: false.
func (b *Batcher) pause(ctx context.Context, again time.Duration) bool {
	var timeout <-chan time.Time
	if again > 0 {
		timer := time.NewTimer(again)
		defer timer.Stop()
		timeout = timer.C
	}
	select {
	case <-b.wake:
	case <-timeout:
	case <-ctx.Done():
	}
	return ctx.Err() == nil
}

// batch is what one run of one model takes.
type batch struct {
	slot  *slot
	items []*item
}

// next takes a batch off the queue if the policy says so, and holds its model until done.
func (b *Batcher) next(now time.Time) (batch, time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	d := b.policy.decide(pending{b.queue.size, b.queue.ready(), b.queue.oldest(), b.running}, now)
	if d.Flush == "" {
		return batch{}, d.Again
	}
	b.running++
	items := b.queue.take(b.cfg.MaxBatch)
	s := items[0].slot // of all of them: see fairQueue.take
	s.users++
	b.metrics.waiting.Set(float64(b.queue.size))
	b.metrics.flushes.WithLabelValues(string(d.Flush)).Inc()
	return batch{s, items}, 0
}

// done ends a batch. A run that never returned keeps its model, for it may still use it.
func (b *Batcher) done(s *slot, returned bool) {
	if returned {
		b.release(s)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.running--
	b.changed()
}

// refuseAll ends what still waits when Run ends.
func (b *Batcher) refuseAll() {
	b.mu.Lock()
	b.closed = true
	b.counted()
	left := b.queue.takeAll()
	b.mu.Unlock()
	b.finish(left, outcome{err: errClosing()})
}

func errClosing() error { return fmt.Errorf("%w: %w", liveproof.ErrUnavailable, ErrClosed) }

// finish gives all items the same outcome and takes their buffers back.
func (b *Batcher) finish(items []*item, out outcome) {
	for _, it := range items {
		it.complete(out.rho, out.err)
		b.spare.Put(it.pixels)
	}
}

// Close ends Run, waits for it, fails what waits and frees the models, pinned or
// not. It is idempotent.
func (b *Batcher) Close() error {
	b.mu.Lock()
	stop := b.stop
	b.closed = true
	b.mu.Unlock()
	if stop != nil {
		stop()
		<-b.stopped
	}
	b.refuseAll()
	return b.free()
}

// free closes the models, but not one in whose run a batch is stuck: its memory is
// left to the end of the process.
func (b *Batcher) free() error {
	b.mu.Lock()
	slots := b.slots()
	b.slot, b.retired = nil, nil
	b.counted()
	b.mu.Unlock()
	b.closing.Wait()
	var errs []error
	for _, s := range slots {
		if s.stuck > 0 { // Run has ended: this does not change any more
			errs = append(errs, ErrStuck)
			continue
		}
		errs = append(errs, s.backend.Close())
	}
	return errors.Join(errs...)
}
