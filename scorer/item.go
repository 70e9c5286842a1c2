package scorer

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/liveproof/liveproof"
)

// item is one crop on its way, with its own completion. Its pixels are a copy, so that
// a caller whose context ends may leave at once.
type item struct {
	ctx    context.Context
	place  place // its place in the queue
	slot   *slot // the model that scores it
	at     time.Time
	pixels *[]byte // cropBytes long, lent by Batcher.spare
	probe  bool    // made by the scorer itself; not counted
	done   chan outcome
}

type outcome struct {
	rho float32
	err error
}

// complete hands the outcome to the waiting caller; called once by whoever holds the item.
func (it *item) complete(rho float32, err error) { it.done <- outcome{rho, err} }

// copyCrop packs a 224×224 picture into pixels.
func copyCrop(pixels []byte, crop *liveproof.Image) error {
	const row = 3 * InputSize
	if crop == nil || crop.Width != InputSize || crop.Height != InputSize || crop.Stride < row ||
		len(crop.Pix) < (InputSize-1)*crop.Stride+row {
		return fmt.Errorf("%w: %s, want %d×%d RGB", ErrCrop, describe(crop), InputSize, InputSize)
	}
	for y := range InputSize {
		copy(pixels[y*row:(y+1)*row], crop.Pix[y*crop.Stride:])
	}
	return nil
}

func describe(crop *liveproof.Image) string {
	if crop == nil {
		return "no picture"
	}
	return fmt.Sprintf("%d×%d in %d bytes", crop.Width, crop.Height, len(crop.Pix))
}

// resultOf is the metric label of a completed Score.
func resultOf(err error) string {
	switch {
	case err == nil:
		return resultScored
	case errors.Is(err, ErrNotReady), errors.Is(err, ErrClosed), errors.Is(err, ErrReleased), errors.Is(err, ErrCrop):
		return resultRefused
	case errors.Is(err, liveproof.ErrOverloaded):
		return resultShed
	case errors.Is(err, liveproof.ErrScoreInvalid):
		return resultInvalid
	case errors.Is(err, liveproof.ErrUnavailable):
		return resultFailed
	}
	return resultCancelled
}
