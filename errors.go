package liveproof

import (
	"context"
	"errors"
	"io"
)

// Errors that cross package boundaries; test with errors.Is.
var (
	// ErrNotFound: no such session, or it expired.
	ErrNotFound = errors.New("session not found")
	// ErrConflict: the session's state does not allow the operation.
	ErrConflict = errors.New("session state conflict")
	// ErrTokenUsed: the client token has opened its one connection already.
	ErrTokenUsed = errors.New("client token already used")
	// ErrDecided: the verdict is written; it is written once.
	ErrDecided = errors.New("verdict already written")
	// ErrIdempotencyMismatch: the same Idempotency-Key came with another request.
	ErrIdempotencyMismatch = errors.New("idempotency key reused with a different request")
	// ErrUnavailable: a dependency (Redis, scorer) does not answer; try again later.
	ErrUnavailable = errors.New("dependency unavailable")
	// ErrOverloaded: no capacity for this work now.
	ErrOverloaded = errors.New("overloaded")
	// ErrScoreInvalid: the model returned NaN or ρ outside [0,1].
	ErrScoreInvalid = errors.New("score is not a number in [0,1]")
	// ErrPictureTooLarge: a picture is above the pixel cap.
	ErrPictureTooLarge = errors.New("picture exceeds the pixel cap")
	// ErrUnsupportedCodec: the stream's codec is not one that can be decoded.
	ErrUnsupportedCodec = errors.New("unsupported codec")
	// ErrIdle: the peer sent nothing for too long, or never connected.
	ErrIdle = errors.New("no media received")
	// ErrDisconnected: the peer left, or the connection to it was lost.
	ErrDisconnected = errors.New("peer disconnected")
)

// EndError is the cause (context.Cause) with which a session's context ends.
type EndError struct{ Reason Reason }

// Error implements error.
func (e *EndError) Error() string { return "session ended: " + string(e.Reason) }

// ReasonOf is the verdict's reason for an error that ended a session's context
// or its media. Any other error is an internal error.
func ReasonOf(err error) Reason {
	var end *EndError
	switch {
	case errors.As(err, &end):
		return end.Reason
	case errors.Is(err, ErrIdle):
		return ReasonNoMedia
	case errors.Is(err, ErrUnsupportedCodec), errors.Is(err, ErrPictureTooLarge):
		return ReasonUnsupportedMedia
	case errors.Is(err, context.DeadlineExceeded):
		return ReasonDeadline
	case errors.Is(err, ErrDisconnected), errors.Is(err, context.Canceled), errors.Is(err, io.EOF):
		return ReasonDisconnected
	}
	return ReasonInternalError
}
