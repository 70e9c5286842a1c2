package scorer

import (
	"context"
	"fmt"
	"time"

	"github.com/liveproof/liveproof"
)

// shedMemory is how long a shed crop keeps new sessions out.
const shedMemory = 2 * time.Second

// health follows the batches' success; guarded by Batcher.mu.
type health struct {
	failures int   // batches failed in a row
	cause    error // why the scorer is not ready; nil when it is
}

// Ready is nil while batches succeed; else its error wraps
// liveproof.ErrUnavailable and says why. It feeds /readyz.
func (b *Batcher) Ready() error {
	if err := b.refuses(); err != nil {
		return err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.stop == nil {
		return fmt.Errorf("%w: %w: it does not run yet", liveproof.ErrUnavailable, ErrNotReady)
	}
	return nil
}

// refuses tells why a crop is not even queued. Before Run crops may wait for it.
func (b *Batcher) refuses() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch {
	case b.closed:
		return errClosing()
	case b.health.cause != nil:
		return fmt.Errorf("%w: %w: %w", liveproof.ErrUnavailable, ErrNotReady, b.health.cause)
	}
	return nil
}

// Admit tells whether a new session may start: nil, or an error that wraps
// liveproof.ErrUnavailable (not ready) or liveproof.ErrOverloaded (crops wait
// for longer than admit_wait, or some were shed in the last 2 s).
func (b *Batcher) Admit() error {
	if err := b.Ready(); err != nil {
		return err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	now := time.Now()
	if !b.shedAt.IsZero() && now.Sub(b.shedAt) < shedMemory {
		return fmt.Errorf("%w: the scorer drops crops", liveproof.ErrOverloaded)
	}
	if oldest := b.queue.oldest(); !oldest.IsZero() && now.Sub(oldest) > b.cfg.AdmitWait {
		return fmt.Errorf("%w: crops wait for more than %v", liveproof.ErrOverloaded, b.cfg.AdmitWait)
	}
	return nil
}

// failed counts a batch of which no sample could be scored.
func (b *Batcher) failed(cause error, stuck bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.health.failures++
	if !stuck && b.health.failures < b.cfg.FailureThreshold {
		return
	}
	if b.health.cause == nil {
		b.log.Error("scorer is not ready", "failed_batches", b.health.failures, "error", cause)
	}
	b.health.cause = cause
	b.metrics.ready.Set(0)
}

// recovered notes a success.
func (b *Batcher) recovered() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.health.cause != nil {
		b.log.Info("scorer is ready again", "failed_batches", b.health.failures)
		b.metrics.ready.Set(1)
	}
	b.health = health{}
}

// probe scores a grey crop now and then while the scorer is not ready: without
// it nothing would find out that the model works again.
func (b *Batcher) probe(ctx context.Context) {
	crop := &liveproof.Image{Width: InputSize, Height: InputSize, Stride: 3 * InputSize, Pix: greyCrop()}
	ticker := time.NewTicker(b.cfg.ProbeInterval)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		if b.unhealthy() {
			_, _ = b.score(ctx, "", crop, true) // its outcome reaches the health by itself
		}
	}
}

func (b *Batcher) unhealthy() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.health.cause != nil
}
