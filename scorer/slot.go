package scorer

import (
	"context"
	"fmt"
	"slices"

	"github.com/liveproof/liveproof"
)

// maxModels is the most models in memory at once: the current one, and replaced
// ones that sessions are still pinned to.
const maxModels = 3

// slot is one model in memory, with its own health, so that a broken model fails
// its own sessions only. Batcher.mu guards it.
type slot struct {
	backend Backend
	number  uint64 // counts models from 1
	users   int    // pins, Scores under way, batches
	stuck   int    // batches whose run did not stop after its timeout
	probing bool
	health  health
}

// addSlot makes backend the current model; b.mu is held, but in New.
func (b *Batcher) addSlot(backend Backend) {
	b.models++
	b.slot = &slot{backend: backend, number: b.models}
	b.counted()
}

// slots are all models in memory, the current one first; b.mu is held.
func (b *Batcher) slots() []*slot {
	if b.slot == nil {
		return b.retired
	}
	return append([]*slot{b.slot}, b.retired...)
}

// counted tells the metrics what changed about the models; b.mu is held.
func (b *Batcher) counted() {
	b.metrics.models.Set(float64(len(b.slots())))
	ready := 0.0
	if b.stop != nil && !b.closed && b.slot != nil && b.slot.health.cause == nil {
		ready = 1
	}
	b.metrics.ready.Set(ready)
}

// release ends one use of a model. The last one frees a replaced model.
func (b *Batcher) release(s *slot) {
	b.mu.Lock()
	s.users--
	unused := b.forgetUnused(s)
	b.mu.Unlock()
	if unused {
		b.closeRetired(s)
	}
}

// forgetUnused takes a replaced model that nothing uses off the books; the caller
// then closes it. b.mu is held.
func (b *Batcher) forgetUnused(s *slot) bool {
	at := slices.Index(b.retired, s)
	if at < 0 || s.users > 0 {
		return false
	}
	b.retired = slices.Delete(b.retired, at, at+1)
	b.closing.Add(1)
	b.counted()
	return true
}

func (b *Batcher) closeRetired(s *slot) {
	defer b.closing.Done()
	info := s.backend.Info()
	if err := s.backend.Close(); err != nil {
		b.log.Warn("replaced model was not freed", "model", info.Name, "error", err)
		return
	}
	b.log.Info("replaced model freed", "model", info.Name, "sha256", info.SHA256)
}

// Pinned is one session's hold on one model. All its crops are scored by that
// model, whatever Swap does meanwhile, so that one threshold and one sha256
// hold for the whole session. It is safe for concurrent use.
type Pinned struct {
	b        *Batcher
	slot     *slot
	info     liveproof.ModelInfo
	released bool // guarded by b.mu
}

// Pin takes hold of the current model. It stays in memory until Release, even if it
// is replaced meanwhile. The error wraps liveproof.ErrUnavailable: the scorer is closed.
func (b *Batcher) Pin() (*Pinned, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed || b.slot == nil {
		return nil, errClosing()
	}
	b.slot.users++
	return &Pinned{b: b, slot: b.slot, info: b.slot.backend.Info()}, nil
}

// Info identifies the model, after Release too.
func (p *Pinned) Info() liveproof.ModelInfo { return p.info }

// Release lets go of the model; it is idempotent. Scores under way are finished.
func (p *Pinned) Release() {
	p.b.mu.Lock()
	if p.released {
		p.b.mu.Unlock()
		return
	}
	p.released = true
	p.b.mu.Unlock()
	p.b.release(p.slot)
}

// Score blocks until the crop (224×224 RGB) is scored or has failed; crop is
// borrowed until it returns. rho is in [0,1] when err is nil. Errors wrap
// liveproof.ErrOverloaded (gave way to a newer crop), ErrUnavailable (the model
// failed, or the scorer is not ready, or Release was called), ErrScoreInvalid (NaN
// or outside [0,1]), ErrCrop, or are ctx's own.
func (p *Pinned) Score(ctx context.Context, id liveproof.SessionID, crop *liveproof.Image) (rho float64, err error) {
	defer func() { p.b.metrics.samples.WithLabelValues(resultOf(err)).Inc() }()
	if err := p.hold(); err != nil {
		return 0, err
	}
	defer p.b.release(p.slot)
	return p.b.score(ctx, p.slot, id, crop, false)
}

// hold keeps the model for one Score, also past a Release meanwhile.
func (p *Pinned) hold() error {
	p.b.mu.Lock()
	defer p.b.mu.Unlock()
	if p.released {
		return fmt.Errorf("%w: %w", liveproof.ErrUnavailable, ErrReleased)
	}
	if err := p.b.refuses(p.slot); err != nil {
		return err
	}
	p.slot.users++
	return nil
}
