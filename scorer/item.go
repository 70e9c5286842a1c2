package scorer

import (
	"context"
	"errors"
	"time"

	"github.com/liveproof/liveproof"
)

// item is one crop on its way to a score. The code that takes it out of the queue must
// finish it, once. Until then the item keeps its model in memory.
type item struct {
	ctx   context.Context
	place place // its place in the queue
	model *loaded
	crop  *Crop
	at    time.Time // when it was queued
	probe bool      // made by the scorer itself; not counted
	done  chan outcome
}

type outcome struct {
	rho float32
	err error
}

// newItem owns one use of the model from now on; finish ends it.
func newItem(ctx context.Context, m *loaded, id liveproof.SessionID, crop *Crop) *item {
	return &item{ctx: ctx, place: place{id, m.number}, model: m, crop: crop, done: make(chan outcome, 1)}
}

// finish ends the item's use of the model and hands the outcome to the caller, who
// may have left.
func (it *item) finish(rho float32, err error) {
	it.model.release()
	it.done <- outcome{rho, err}
}

// failAll finishes items with the same error.
func failAll(items []*item, err error) {
	for _, it := range items {
		it.finish(0, err)
	}
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
