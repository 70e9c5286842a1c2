// Package scorer turns face crops into ρ, the expected liveness score. One
// Batcher serves all sessions of a process: it gathers crops into batches, runs
// the network on ONNX Runtime and gives every crop its own answer. It fails
// closed: every fault becomes an error of the samples concerned.
//
// A Batcher has three parts: queue holds the waiting crops, models holds the
// networks in memory, and runner takes batches from the queue and runs them. queue
// and models each have their own lock; neither of them uses the other or the
// runner.
package scorer

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/liveproof/liveproof"
	"github.com/liveproof/liveproof/onnx"
)

// Batcher is the process-wide scorer. Each session scores through a pin of its own
// (Pin), from any number of goroutines.
type Batcher struct {
	cfg     Config
	workers int
	metrics *Metrics
	queue   *queue
	models  *models
	runner  *runner
	life    lifecycle
}

// New takes over backend, which Close closes. metrics and log may be nil. The
// number of workers and what fills a batch stay what this first backend says.
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
	queue := newQueue(cfg, backend.Fill, metrics)
	return &Batcher{
		cfg: cfg, workers: backend.Workers(), metrics: metrics,
		queue:  queue,
		models: newModels(cfg, backend, metrics, log),
		runner: &runner{queue: queue, timeout: cfg.BatchTimeout, metrics: metrics, log: log},
		life:   newLifecycle(),
	}, nil
}

// Run forms batches until ctx ends or Close is called, then fails what waits.
// It returns nil, or ErrStuck when a run of the network did not stop. Once.
func (b *Batcher) Run(ctx context.Context) error {
	ctx, err := b.life.begin(ctx)
	if err != nil {
		return err
	}
	defer b.life.returned()
	b.models.start()
	b.life.begun()
	var owned sync.WaitGroup
	for range b.workers {
		owned.Go(func() { b.runner.work(ctx) })
	}
	owned.Go(func() { b.probe(ctx) })
	<-ctx.Done()
	b.refuse()
	owned.Wait()
	if b.models.anyStuck() {
		return ErrStuck
	}
	return nil
}

// Started is closed when Run has begun to score. It stays open if Run is never called.
func (b *Batcher) Started() <-chan struct{} { return b.life.started }

// refuse fails the waiting crops and all later ones.
func (b *Batcher) refuse() {
	b.models.close()
	b.queue.close()
}

// Close ends Run, waits for it, fails the waiting crops and frees the models,
// pinned or not. It is idempotent.
func (b *Batcher) Close() error {
	b.refuse()
	b.life.end()
	return b.models.freeAll()
}

// Info identifies the current model, which new pins get.
func (b *Batcher) Info() liveproof.ModelInfo { return b.models.info() }

// Ready is nil while the current model's batches succeed; else its error wraps
// liveproof.ErrUnavailable and says why. It feeds /readyz.
func (b *Batcher) Ready() error { return b.models.ready() }

// Admit reports whether a new session may start: nil, or an error that wraps
// liveproof.ErrUnavailable (not ready) or liveproof.ErrOverloaded (crops wait
// for longer than admit_wait, or some were shed in the last 2 s).
func (b *Batcher) Admit() error {
	if err := b.models.ready(); err != nil {
		return err
	}
	return b.queue.overload(b.cfg.AdmitWait)
}

// Utilisation is the rate of scored crops in the last seconds, as a share of what the workers could score: 0 is
// idle, 1 is all. It can be above 1 for a moment.
func (b *Batcher) Utilisation() float64 {
	return b.runner.load.utilisation(time.Now(), b.workers, b.cfg.MaxBatch)
}

// Swap makes next, which must be warmed up, the model of all pins from now on. Sessions that
// are pinned to the old model keep it until their Release; then it is closed. Swap returns
// ErrModels when more than maxModels would be in memory. After an error the caller still owns
// next.
func (b *Batcher) Swap(next Backend) error { return b.models.swap(next) }

// Replace loads, checks and warms up another model and then swaps it in. On any
// error the old model stays. When too many models would be in memory, Replace
// returns ErrModels before it loads anything.
func (b *Batcher) Replace(ctx context.Context, rt *onnx.Runtime, model Model) error {
	if err := b.models.room(); err != nil {
		return fmt.Errorf("the model stays: %w", err)
	}
	next, err := Open(ctx, rt, model, b.cfg, b.models.log)
	if err != nil {
		return fmt.Errorf("the model stays: %w", err)
	}
	if err := b.Swap(next); err != nil {
		return errors.Join(fmt.Errorf("the model stays: %w", err), next.Close())
	}
	return nil
}

// score queues an item and waits for its outcome.
func (b *Batcher) score(ctx context.Context, it *item) (float64, error) {
	defer it.crop.giveBack() // a stuck run may still read the crop later
	if err := b.queue.submit(it); err != nil {
		it.finish(0, err)
		return 0, err
	}
	select {
	case out := <-it.done:
		return float64(out.rho), out.err
	case <-ctx.Done():
		if b.queue.withdraw(it) {
			it.finish(0, ctx.Err())
		}
		return 0, ctx.Err()
	}
}
