// Package ingest is the service's outside: the sessions API, WebSocket
// signalling, WHIP (RFC 9725), the demo backend, and the supervisor that owns
// every live session from its first connection to its terminal state.
package ingest

import (
	"context"

	"github.com/liveproof/liveproof"
)

// Sessions keeps the session records. Every call may block on the network
// within ctx; liveproof.ErrUnavailable tells that the store does not answer.
type Sessions interface {
	// Create stores s in StateCreated. With a non-empty idempotencyKey that was
	// seen before, it returns the first session and replayed = true if
	// requestHash is the same, liveproof.ErrIdempotencyMismatch otherwise.
	Create(ctx context.Context, s liveproof.Session, idempotencyKey, requestHash string) (stored liveproof.Session, replayed bool, err error)
	Get(ctx context.Context, id liveproof.SessionID) (liveproof.Session, error)
	Timeline(ctx context.Context, id liveproof.SessionID) ([]liveproof.Sample, error)
	Delete(ctx context.Context, id liveproof.SessionID) error
	// Claim takes the session for one connection, for ever: created → connecting.
	// liveproof.ErrTokenUsed when tokenID was used before, ErrConflict when
	// another peer has it, ErrNotFound when it is gone.
	Claim(ctx context.Context, id liveproof.SessionID, tokenID string) error
	// SetStreaming moves connecting → streaming and notes what judges it.
	SetStreaming(ctx context.Context, id liveproof.SessionID, model liveproof.ModelInfo, detector string) error
	// Decide ends the session, once; see pipeline.Recorder.
	Decide(ctx context.Context, id liveproof.SessionID, end liveproof.State, v liveproof.Verdict, counts liveproof.FrameCounts) error
	// Ping tells whether the store answers.
	Ping(ctx context.Context) error
}

// Video is one live stream's access units.
type Video interface {
	// Next blocks for the next complete access unit; io.EOF when the track ended.
	Next(ctx context.Context) (liveproof.AccessUnit, error)
	// RequestKeyFrame asks the sender for one (PLI, RFC 4585), throttled.
	RequestKeyFrame()
}

// Analyzer judges live streams.
type Analyzer interface {
	// Analyze judges one stream until it is decided, its video ends or ctx
	// ends. It records samples and the verdict itself and leaves the session in a
	// terminal state. Before it writes the verdict it tells of it (Event.Judged);
	// one that the store did not take in time it returns in a
	// *liveproof.UnrecordedError, and the caller goes on with the writing.
	// observe must not block.
	Analyze(ctx context.Context, s liveproof.Session, video Video, observe func(liveproof.Event)) (liveproof.Verdict, error)
	// Model and Detector describe what judges.
	Model() liveproof.ModelInfo
	Detector() string
}
