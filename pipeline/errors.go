package pipeline

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/liveproof/liveproof"
)

var (
	// ErrShutdown as the cause of Run's context: the server drains.
	ErrShutdown = errors.New("server is shutting down")
	// ErrDisconnected as the cause of Run's context: the peer left.
	ErrDisconnected = errors.New("peer disconnected")
	// ErrPanic: a stage panicked; its session failed, the others go on.
	ErrPanic = errors.New("stage panicked")
	// ErrRan: Run was called a second time.
	ErrRan = errors.New("session has run already")

	// errEnded stops the stages once the judgement has ended.
	errEnded = errors.New("session ended")
)

// endReason maps why a context or a source ended to the verdict's reason.
// Unknown errors are internal errors.
func endReason(err error) liveproof.Reason {
	switch {
	case errors.Is(err, ErrShutdown):
		return liveproof.ReasonServerShutdown
	case errors.Is(err, liveproof.ErrIdle):
		return liveproof.ReasonNoMedia
	case errors.Is(err, liveproof.ErrPictureTooLarge), errors.Is(err, liveproof.ErrUnsupportedCodec):
		return liveproof.ReasonUnsupportedMedia
	case errors.Is(err, context.DeadlineExceeded):
		return liveproof.ReasonDeadline
	case errors.Is(err, ErrDisconnected), errors.Is(err, context.Canceled), errors.Is(err, io.EOF):
		return liveproof.ReasonDisconnected
	}
	return liveproof.ReasonInternalError
}

// permanent tells that trying to record again cannot help.
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
