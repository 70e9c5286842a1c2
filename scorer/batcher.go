// Package scorer turns face crops into ρ, the expected liveness score. One
// Batcher serves all sessions of a process: it gathers crops into batches, runs
// the network on ONNX Runtime and gives every crop its own answer. It fails
// closed: whatever goes wrong becomes an error of the samples concerned.
package scorer

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/liveproof/liveproof"
)

// Batcher is the process-wide scorer. Score may be called from any number of
// goroutines.
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
	health  health
	stop    context.CancelFunc // ends Run; nil before it
	closed  bool
	stuck   bool      // a run of the network never came back
	shedAt  time.Time // when a crop last gave way because the queue was full
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
		slot:  &slot{backend: backend},
	}
	b.spare.New = func() any { pixels := make([]byte, cropBytes); return &pixels }
	return b, nil
}

// Score blocks until the crop (224×224 RGB) is scored or has failed; crop is
// borrowed until it returns. rho is in [0,1] when err is nil. Errors wrap
// liveproof.ErrOverloaded (gave way to a newer crop), ErrUnavailable (the model
// failed or the scorer is not ready), ErrScoreInvalid (NaN or outside [0,1]),
// ErrCrop, or are ctx's own.
func (b *Batcher) Score(ctx context.Context, id liveproof.SessionID, crop *liveproof.Image) (rho float64, err error) {
	defer func() { b.metrics.samples.WithLabelValues(resultOf(err)).Inc() }()
	if err := b.refuses(); err != nil {
		return 0, err
	}
	return b.score(ctx, id, crop, false)
}

func (b *Batcher) score(ctx context.Context, id liveproof.SessionID, crop *liveproof.Image, probe bool) (float64, error) {
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	it := &item{ctx: ctx, session: id, pixels: b.spare.Get().(*[]byte), probe: probe, done: make(chan outcome, 1)}
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
		return fmt.Errorf("%w: %w", liveproof.ErrUnavailable, ErrClosed)
	}
	it.at = time.Now()
	shed, why := b.queue.add(it.session, it, it.at)
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
	if b.queue.remove(it.session, it) {
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
	work := make(chan []*item)
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
	b.metrics.ready.Set(1)
	return ctx, nil
}

func (b *Batcher) ending() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.stop()
	if b.stuck {
		return ErrStuck
	}
	return nil
}

// dispatch asks the policy whenever something changed or a crop has waited long enough.
func (b *Batcher) dispatch(ctx context.Context, work chan<- []*item) {
	for {
		batch, again := b.next(time.Now())
		if batch != nil {
			select {
			case work <- batch:
				continue
			case <-ctx.Done():
				b.finish(batch, outcome{err: errClosing()})
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

// next takes a batch off the queue if the policy says so.
func (b *Batcher) next(now time.Time) ([]*item, time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	d := b.policy.decide(pending{b.queue.size, b.queue.oldest(), b.running}, now)
	if d.Flush == "" {
		return nil, d.Again
	}
	b.running++
	batch := b.queue.take(b.cfg.MaxBatch)
	b.metrics.waiting.Set(float64(b.queue.size))
	b.metrics.flushes.WithLabelValues(string(d.Flush)).Inc()
	return batch, 0
}

// refuseAll ends what still waits when Run ends.
func (b *Batcher) refuseAll() {
	b.mu.Lock()
	b.closed = true
	b.metrics.ready.Set(0)
	left := b.queue.take(b.queue.size)
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

// Close ends Run, waits for it, fails what waits and frees the model. It is idempotent.
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

// free closes the backend, unless a run of it is stuck: then its memory is left to
// the end of the process.
func (b *Batcher) free() error {
	b.mu.Lock()
	slot, stuck := b.slot, b.stuck
	b.slot = nil
	b.mu.Unlock()
	if slot == nil {
		return nil
	}
	if stuck {
		return ErrStuck
	}
	return slot.backend.Close()
}
