package scorer

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/liveproof/liveproof"
)

// shedMemory is how long a shed crop keeps new sessions out.
const shedMemory = 2 * time.Second

// health follows the success of one model's batches; guarded by Batcher.mu.
type health struct {
	failures int   // batches failed in a row
	cause    error // why the model is not ready; nil when it is
}

// Ready is nil while the current model's batches succeed; else its error wraps
// liveproof.ErrUnavailable and says why. It feeds /readyz.
func (b *Batcher) Ready() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if err := b.refuses(b.slot); err != nil {
		return err
	}
	if b.stop == nil {
		return fmt.Errorf("%w: %w: it does not run yet", liveproof.ErrUnavailable, ErrNotReady)
	}
	return nil
}

// refuses tells why a crop for that model is not even queued. Before Run crops may
// wait for it. b.mu is held.
func (b *Batcher) refuses(s *slot) error {
	switch {
	case b.closed || s == nil:
		return errClosing()
	case s.health.cause != nil:
		return fmt.Errorf("%w: %w: %w", liveproof.ErrUnavailable, ErrNotReady, s.health.cause)
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
func (b *Batcher) failed(s *slot, cause error, stuck bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	s.health.failures++
	if !stuck && s.health.failures < b.cfg.FailureThreshold {
		return
	}
	if s.health.cause == nil {
		b.log.Error("model is not ready", "model", s.backend.Info().Name, "current", s == b.slot,
			"failed_batches", s.health.failures, "error", cause)
	}
	s.health.cause = cause
	b.counted()
}

// recovered notes a success.
func (b *Batcher) recovered(s *slot) {
	b.mu.Lock()
	defer b.mu.Unlock()
	was := s.health
	s.health = health{}
	if was.cause != nil {
		b.log.Info("model is ready again", "model", s.backend.Info().Name, "failed_batches", was.failures)
		b.counted()
	}
}

// probe scores a grey crop now and then with each model that is not ready:
// without it nothing would find out that the model works again.
func (b *Batcher) probe(ctx context.Context) {
	crop := &liveproof.Image{Width: InputSize, Height: InputSize, Stride: 3 * InputSize, Pix: greyCrop()}
	ticker := time.NewTicker(b.cfg.ProbeInterval)
	defer ticker.Stop()
	var probes sync.WaitGroup
	defer probes.Wait()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		for _, s := range b.toProbe() {
			probes.Go(func() {
				defer b.probed(s)
				_, _ = b.score(ctx, s, "", crop, true) // its outcome reaches the health by itself
			})
		}
	}
}

// toProbe holds the models that are not ready and not being probed. One with a run
// that hangs is left alone, or it would take one worker after the other.
func (b *Batcher) toProbe() []*slot {
	b.mu.Lock()
	defer b.mu.Unlock()
	var found []*slot
	for _, s := range b.slots() {
		if s.health.cause == nil || s.probing || s.stuck > 0 {
			continue
		}
		s.probing = true
		s.users++
		found = append(found, s)
	}
	return found
}

func (b *Batcher) probed(s *slot) {
	b.mu.Lock()
	s.probing = false
	b.mu.Unlock()
	b.release(s)
}
