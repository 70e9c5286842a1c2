package scorer

import (
	"context"
	"errors"
	"fmt"

	"github.com/liveproof/liveproof"
	"github.com/liveproof/liveproof/onnx"
)

// Info identifies the current model.
func (b *Batcher) Info() liveproof.ModelInfo {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.slot == nil {
		return liveproof.ModelInfo{}
	}
	return b.slot.backend.Info()
}

// Replace loads, checks and warms up another model and then swaps it in. On any
// error the old one goes on as if nothing had been.
func (b *Batcher) Replace(ctx context.Context, rt *onnx.Runtime, model Model) error {
	next, err := Load(ctx, rt, model, b.cfg)
	if err != nil {
		return fmt.Errorf("the model stays: %w", err)
	}
	if err := b.Swap(next); err != nil {
		return errors.Join(err, next.Close())
	}
	return nil
}

// Swap makes next, which must be warm, the model of all batches that start from now on;
// the old one is closed after its last batch. After an error next is still the caller's.
func (b *Batcher) Swap(next Backend) error {
	b.mu.Lock()
	if b.closed || b.slot == nil {
		b.mu.Unlock()
		return ErrClosed
	}
	old := b.slot
	was, is := old.backend.Info(), next.Info()
	b.slot = &slot{backend: next}
	old.retired = true
	unused := old.users == 0
	b.mu.Unlock()
	b.metrics.swaps.Inc()
	b.recovered()
	if unused {
		b.closeRetired(old)
	}
	b.log.Info("model replaced", "old", was.Name, "new", is.Name, "sha256", is.SHA256)
	return nil
}
