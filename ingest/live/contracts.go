package live

import (
	"context"

	"github.com/pion/webrtc/v4"

	"github.com/liveproof/liveproof"
	"github.com/liveproof/liveproof/ingest/rtc"
)

// Sessions keeps the records of sessions. Every call may block on the network
// within ctx; liveproof.ErrUnavailable says that the store does not answer.
type Sessions interface {
	// Claim gives the session to one connection, for ever, and the lease to its
	// server: created → connecting. The error is liveproof.ErrTokenUsed when
	// tokenID was used before, ErrConflict when another peer has the session,
	// ErrNotFound when it does not exist.
	Claim(ctx context.Context, id liveproof.SessionID, tokenID string, lease liveproof.Lease) error
	// Renew extends the lease of all these sessions. It returns those that have
	// ended, are gone or belong to another owner.
	Renew(ctx context.Context, lease liveproof.Lease, ids []liveproof.SessionID) (lost []liveproof.SessionID, err error)
	// Decide ends the session, once, and returns its record. The same ending again
	// is no error; liveproof.ErrDecided says that the record holds another one.
	Decide(ctx context.Context, id liveproof.SessionID, end liveproof.Ending) (liveproof.Session, error)
	// Lapsed returns sessions that have not ended and whose lease has run out, at most about
	// limit. When a record cannot be read, it returns the error and the other sessions.
	Lapsed(ctx context.Context, limit int) ([]liveproof.Session, error)
	// Lapse ends a session that Lapsed returned; liveproof.ErrConflict when its
	// lease was renewed since, ErrDecided when it has ended already.
	Lapse(ctx context.Context, found liveproof.Session, end liveproof.Ending) (liveproof.Session, error)
}

// Analyzer judges live streams.
type Analyzer interface {
	// Analyze judges one stream until it is decided, its units end or ctx ends (the
	// cause of ctx is the reason). The last event that observe receives is the
	// ending, exactly once; the caller writes it to the store. observe must not
	// block.
	Analyze(ctx context.Context, s liveproof.Session, units liveproof.UnitSource, observe func(liveproof.Event)) error
}

// Peer is one WebRTC connection that receives video.
type Peer interface {
	// Answer takes the first offer; an SDP that cannot be used wraps rtc.ErrBadSDP.
	Answer(ctx context.Context, offer string) (answer string, err error)
	// Restart takes a later offer that restarts ICE; any other offer gives rtc.ErrNegotiated.
	Restart(ctx context.Context, offer string) (answer string, err error)
	AddCandidate(c webrtc.ICECandidateInit) error
	// AddFragment takes a trickle-ice-sdpfrag (RFC 8840). When it restarts ICE, the
	// result is this side's fragment. matches says whether the fragment is meant for the
	// current ICE session; if not, the error is rtc.ErrOtherICESession.
	AddFragment(ctx context.Context, fragment string, matches func(session int) bool) (*rtc.Restarted, error)
	// Video blocks for the first video track.
	Video(ctx context.Context) (liveproof.UnitSource, error)
	// Done is closed when the connection is lost for good or closed; then Err says
	// why.
	Done() <-chan struct{}
	Err() error
	Close() error
}

// Dialer makes peers. With a nil onCandidate the answer carries all candidates.
type Dialer func(id liveproof.SessionID, onCandidate func(webrtc.ICECandidateInit)) (Peer, error)

// Listener is told of a connection's state, its events and its end. State and
// Ended may block for a write deadline at most, Event not at all.
type Listener interface {
	State(s liveproof.State)
	Event(e liveproof.Event)
	// Ended is called last, with the session's final record.
	Ended(s liveproof.Session)
}

// Silent is a Listener that does nothing.
type Silent struct{}

// State implements Listener.
func (Silent) State(liveproof.State) {}

// Event implements Listener.
func (Silent) Event(liveproof.Event) {}

// Ended implements Listener.
func (Silent) Ended(liveproof.Session) {}
