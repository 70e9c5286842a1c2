package scorer

import (
	"errors"
	"fmt"
	"strings"

	"github.com/liveproof/liveproof"
)

// Errors of this package; test with errors.Is. A failed sample's error also wraps
// one of liveproof.ErrUnavailable, ErrOverloaded, ErrScoreInvalid, or is its
// own context's.
var (
	// ErrContract: the model differs from the contract; see ContractError.
	ErrContract = errors.New("model breaks the contract")
	// ErrTimeout: a run of the network took longer than batch_timeout.
	ErrTimeout = errors.New("inference timed out")
	// ErrPanic: the backend panicked.
	ErrPanic = errors.New("inference panicked")
	// ErrCrop: the crop is not 224×224 RGB.
	ErrCrop = errors.New("face crop has the wrong size")
	// ErrStuck: a run of the network did not even stop after its timeout.
	ErrStuck = errors.New("inference does not return")
	// ErrClosed: the scorer was closed.
	ErrClosed = errors.New("scorer is closed")
	// ErrReleased: the session let go of its model already.
	ErrReleased = errors.New("model was released")
	// ErrModels: a swap would make too many models in memory.
	ErrModels = errors.New("too many models in use")
	// ErrNotReady: too many batches failed in a row, or the scorer does not run yet.
	ErrNotReady = errors.New("scorer is not ready")
)

func errClosing() error { return fmt.Errorf("%w: %w", liveproof.ErrUnavailable, ErrClosed) }

// Difference is one point in which a model is not what the contract says.
type Difference struct {
	What            string // "input faces", "metadata liveproof.schema", …
	Expected, Found string
}

// ContractError lists all differences of a refused model.
type ContractError struct {
	Model       string
	Differences []Difference
}

func (e *ContractError) Error() string {
	parts := make([]string, len(e.Differences))
	for i, d := range e.Differences {
		parts[i] = fmt.Sprintf("%s: expected %s, found %s", d.What, d.Expected, d.Found)
	}
	return fmt.Sprintf("model %s breaks the contract: %s", e.Model, strings.Join(parts, "; "))
}

// Unwrap makes errors.Is(err, ErrContract) true.
func (e *ContractError) Unwrap() error { return ErrContract }
