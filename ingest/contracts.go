// Package ingest is the HTTP side of the service: the sessions API, WebSocket
// signalling, WHIP (RFC 9725) and the demo backend. Package live runs the
// sessions that are connected.
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
	// List returns a page of a tenant's sessions, newest first, with bounded work.
	List(ctx context.Context, q liveproof.SessionQuery) (liveproof.SessionPage, error)
	Timeline(ctx context.Context, id liveproof.SessionID) ([]liveproof.Sample, error)
	Delete(ctx context.Context, id liveproof.SessionID) error
	// Watch calls tell with the id of every session whose state or outcome changes, on any server, until ctx ends or the store
	// cannot be watched; it returns why. It may miss changes. tell must not block, and may be called by several
	// goroutines.
	Watch(ctx context.Context, tell func(liveproof.SessionID)) error
	// Ping reports whether the store answers.
	Ping(ctx context.Context) error
}

// Analyzer judges live streams and names what judges them.
type Analyzer interface {
	live.Analyzer
	// Model identifies the model that scores a session that begins now.
	Model() liveproof.ModelInfo
	// Detector is the name of the face detector, such as retinaface.
	Detector() string
	// Threshold is what judges a session that begins now.
	Threshold(s liveproof.Session) (liveproof.Threshold, error)
	// Calibrations are the names that a session's creator may ask for.
	Calibrations() []string
	// Required is the evidence that a session of this tenant and mode requires if its creator asks for asked.
	Required(tenant string, mode liveproof.Mode, asked []liveproof.Evidence) []liveproof.Evidence
}

// Results signs the results of sessions that have ended; *results.Signer implements it.
type Results interface {
	// Sign returns the result of a session in a terminal state as a compact JWS.
	Sign(s liveproof.Session) (jws string, err error)
	// Keys is the JWK Set that verifies it.
	Keys() ([]byte, error)
}

// Negotiator is what the HTTP side needs from WebRTC; *rtc.API implements it.
type Negotiator interface {
	// ICEServers are the STUN and TURN servers for the client, with time-limited credentials.
	ICEServers(id liveproof.SessionID, now time.Time) []webrtc.ICEServer
	// CheckOffer refuses an offer that no peer would answer, with rtc.ErrBadSDP, before any resource is
	// used for it.
	CheckOffer(offer string) error
}
