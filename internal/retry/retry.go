// Package retry repeats calls to a dependency that is away for a while.
package retry

import (
	"context"
	"errors"
	"time"

	"github.com/liveproof/liveproof"
)

// The pauses between two attempts double from the first to the longest.
const (
	firstPause = 50 * time.Millisecond
	maxPause   = 2 * time.Second
)

// WhileUnavailable calls do until it succeeds, fails for another reason than
// liveproof.ErrUnavailable, or ctx ends. It returns do's last error.
func WhileUnavailable(ctx context.Context, do func() error) error {
	for pause := firstPause; ; pause = min(2*pause, maxPause) {
		err := do()
		if !errors.Is(err, liveproof.ErrUnavailable) {
			return err
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(pause):
		}
	}
}
