package scorer

import (
	"context"
	"errors"
	"fmt"

	"github.com/liveproof/liveproof"
	"github.com/liveproof/liveproof/onnx"
)

// Info identifies the current model, which new pins get.
func (b *Batcher) Info() liveproof.ModelInfo {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.slot == nil {
		return liveproof.ModelInfo{}
	}
	return b.slot.backend.Info()
}

// Replace loads, checks and warms up another model and then swaps it in. On any
// error the old one goes on as if nothing had been. It is refused (ErrModels)
// before it loads anything when that would make too many models in memory.
func (b *Batcher) Replace(ctx context.Context, rt *onnx.Runtime, model Model) error {
	if err := b.swappable(); err != nil {
		return fmt.Errorf("the model stays: %w", err)
	}
	next, err := Load(ctx, rt, model, b.cfg)
	if err != nil {
		return fmt.Errorf("the model stays: %w", err)
	}
	if err := b.Swap(next); err != nil {
		return errors.Join(fmt.Errorf("the model stays: %w", err), next.Close())
	}
	return nil
}

func (b *Batcher) swappable() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.hasRoom()
}

// hasRoom is nil when one more model may be in memory; b.mu is held.
func (b *Batcher) hasRoom() error {
	if b.closed || b.slot == nil {
		return ErrClosed
	}
	if n := len(b.slots()); n >= maxModels {
		return fmt.Errorf("%w: sessions still use %d replaced ones; swap again when those sessions have ended", ErrModels, n-1)
	}
	return nil
}

// Swap makes next, which must be warm, the model of all pins from now on. Sessions that
// are pinned to the old one keep it until their Release, then it is closed. At most
// maxModels are in memory, or Swap gives ErrModels. After an error next is still the caller's.
func (b *Batcher) Swap(next Backend) error {
	b.mu.Lock()
	if err := b.hasRoom(); err != nil {
		b.mu.Unlock()
		return err
	}
	old := b.slot
	b.retired = append(b.retired, old)
	b.addSlot(next)
	unused := b.forgetUnused(old)
	b.metrics.swaps.Inc()
	b.mu.Unlock()
	was, is := old.backend.Info(), next.Info()
	b.log.Info("model replaced", "old", was.Name, "new", is.Name, "sha256", is.SHA256, "old_in_use", !unused)
	if unused {
		b.closeRetired(old)
	}
	return nil
}
