package pipeline

import (
	"errors"
	"fmt"

	"github.com/liveproof/liveproof"
)

var (
	// ErrPanic says that a stage panicked; its session failed, and the other
	// sessions go on.
	ErrPanic = errors.New("stage panicked")
	// ErrRan says that Run was called a second time.
	ErrRan = errors.New("session has run already")

	// errEnded stops the stages once the judgement has ended.
	errEnded = errors.New("session ended")
)

// permanent reports whether to write again cannot help.
func permanent(err error) bool {
	return errors.Is(err, liveproof.ErrDecided) || errors.Is(err, liveproof.ErrNotFound) ||
		errors.Is(err, liveproof.ErrConflict)
}

// guard turns a panic in do into an error that names where.
func guard(where string, do func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("%s: %v: %w", where, p, ErrPanic)
		}
	}()
	return do()
}
