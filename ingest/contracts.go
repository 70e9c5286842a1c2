// Package ingest is the service's outside: the sessions API, WebSocket
// signalling, WHIP (RFC 9725) and the demo backend. It speaks HTTP; what happens
// to a session once it is connected is package live's.
package ingest

import (
	"context"
	"time"

	"github.com/pion/webrtc/v4"

	"github.com/liveproof/liveproof"
	"github.com/liveproof/liveproof/ingest/live"
)

// Sessions keeps the session records. Every call may block on the network
// within ctx; liveproof.ErrUnavailable says that the store does not answer.
type Sessions interface {
	live.Sessions
	// Create stores s in StateCreated. With a non-empty idempotencyKey that was
	// seen before, it returns the first session and replayed = true if
	// requestHash is the same, liveproof.ErrIdempotencyMismatch otherwise.
	Create(ctx context.Context, s liveproof.Session, idempotencyKey, requestHash string) (stored liveproof.Session, replayed bool, err error)
	Get(ctx context.Context, id liveproof.SessionID) (liveproof.Session, error)
	Timeline(ctx context.Context, id liveproof.SessionID) ([]liveproof.Sample, error)
	Delete(ctx context.Context, id liveproof.SessionID) error
	// Ping reports whether the store answers.
	Ping(ctx context.Context) error
}

// Analyzer judges live streams and says what judges them.
type Analyzer interface {
	live.Analyzer
	// Model identifies what judges a session that begins now.
	Model() liveproof.ModelInfo
	// Detector is the name of the face detector, such as retinaface.
	Detector() string
}

// Negotiator is what the HTTP side needs of WebRTC; *rtc.API is one.
type Negotiator interface {
	// ICEServers are the STUN and TURN servers for the client, with time-limited credentials.
	ICEServers(id liveproof.SessionID, now time.Time) []webrtc.ICEServer
	// CheckOffer refuses what no peer would answer, with rtc.ErrBadSDP, before anything is spent on it.
	CheckOffer(offer string) error
}
