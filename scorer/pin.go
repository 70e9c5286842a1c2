package scorer

import (
	"context"
	"fmt"
	"sync"

	"github.com/liveproof/liveproof"
)

// Pinned ties one session to one model. All its crops are scored by that model,
// even after a Swap, so that one threshold and one sha256 hold for the whole
// session. It is safe for concurrent use.
type Pinned struct {
	b     *Batcher
	model *loaded
	info  liveproof.ModelInfo

	mu       sync.Mutex
	released bool
}

// Pin acquires the current model. The model stays in memory until Release, even if it is
// replaced. The error wraps liveproof.ErrUnavailable: the scorer is closed.
func (b *Batcher) Pin() (*Pinned, error) {
	current, err := b.models.pin()
	if err != nil {
		return nil, err
	}
	return &Pinned{b: b, model: current, info: current.backend.Info()}, nil
}

// Info identifies the model, even after Release.
func (p *Pinned) Info() liveproof.ModelInfo { return p.info }

// Release ends the pin; it is idempotent. Calls of Score that run are finished.
func (p *Pinned) Release() {
	if p.markReleased() {
		p.model.release()
	}
}

// markReleased is true the first time.
func (p *Pinned) markReleased() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	first := !p.released
	p.released = true
	return first
}

// Score blocks until the crop (224×224 RGB) is scored or has failed. It borrows
// the crop until then. rho is in [0,1] when err is nil. Errors wrap
// liveproof.ErrOverloaded (the crop was dropped for a newer one), ErrUnavailable
// (the model failed, the scorer is not ready, or Release was called),
// ErrScoreInvalid (NaN or outside [0,1]), ErrCrop, or are ctx's own.
func (p *Pinned) Score(ctx context.Context, id liveproof.SessionID, crop *liveproof.Image) (rho float64, err error) {
	defer func() { p.b.metrics.samples.WithLabelValues(resultOf(err)).Inc() }()
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	borrowed, err := borrow(crop)
	if err != nil {
		return 0, err
	}
	if err := p.acquire(); err != nil {
		return 0, err
	}
	return p.b.score(ctx, newItem(ctx, p.model, id, borrowed))
}

// acquire adds a use for one Score, so that the model stays until it returns,
// even after Release.
func (p *Pinned) acquire() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.released {
		return fmt.Errorf("%w: %w", liveproof.ErrUnavailable, ErrReleased)
	}
	return p.model.acquire()
}
