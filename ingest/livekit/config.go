// Package livekit judges the cameras of a LiveKit room. It joins as a hidden participant that only subscribes, runs a session of mode call for each
// camera track that it watches, and tells the room the verdicts.
package livekit

import (
	"cmp"
	"context"
	"errors"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/livekit/protocol/livekit"
	"github.com/pion/webrtc/v4"

	"github.com/liveproof/liveproof"
	"github.com/liveproof/liveproof/ingest/live"
	"github.com/liveproof/liveproof/internal/check"
)

// Errors of this package; test with errors.Is.
var (
	// ErrRefused: the server does not accept the API key or its secret, or they may not do what is needed.
	ErrRefused = errors.New("the LiveKit server refuses the API key or its secret")
	// ErrRemoved: somebody removed the watcher from the room, or another one has its identity.
	ErrRemoved = errors.New("the watcher was removed from the room")
)

// Config says which room is watched and how.
type Config struct {
	// URL of the LiveKit server: ws, wss, http or https.
	URL string
	// Key and Secret are an API key of the server; it must be allowed to administer the room.
	Key, Secret string
	Room        string
	// Watch holds the identities of the participants whose cameras are judged; empty: all standard participants.
	Watch []string
	// As is the identity of the watcher itself.
	As string
	// Tenant owns the sessions.
	Tenant string
	// Attributes and Data choose how the room is told: by attributes of the participant, by data messages.
	Attributes, Data bool
	// DataTo holds the identities that get data messages; empty: everybody in the room.
	DataTo []string
	// IdleTimeout ends a session whose track brings no packets.
	IdleTimeout time.Duration
	// RecordTTL is how long a session's record is kept.
	RecordTTL time.Duration
}

// maxName bounds names of rooms and identities, in bytes.
const maxName = 256

// Validate reports everything that is missing or wrong.
func (c Config) Validate() error {
	u, err := url.Parse(c.URL)
	scheme := err == nil && slices.Contains([]string{"ws", "wss", "http", "https"}, u.Scheme) && u.Host != ""
	return errors.Join(
		check.That("url", scheme, "an address of a LiveKit server is needed, such as wss://livekit.example.org"),
		check.That("api-key", c.Key != "", "a LiveKit API key is needed (LIVEKIT_API_KEY)"),
		check.That("api-secret", c.Secret != "", "the secret of the LiveKit API key is needed (LIVEKIT_API_SECRET)"),
		check.That("room", c.Room != "" && len(c.Room) <= maxName, "the name of a room is needed, at most %d bytes", maxName),
		check.That("as", c.As != "" && len(c.As) <= maxName, "the watcher needs an identity, at most %d bytes", maxName),
		check.That("identity", !slices.Contains(c.Watch, c.As), "%q is the watcher itself", c.As),
		check.That("idle", c.IdleTimeout > 0 && c.RecordTTL > 0, "timeouts must be positive"),
	)
}

// Sessions makes the records of sessions.
type Sessions interface {
	Create(ctx context.Context, s liveproof.Session, idempotencyKey, requestHash string) (stored liveproof.Session, replayed bool, err error)
}

// Supervisor runs sessions; live.Supervisor does.
type Supervisor interface {
	Book(id liveproof.SessionID) error
	Unbook(id liveproof.SessionID)
	Connect(ctx context.Context, s liveproof.Session, tokenID string, l live.Listener, onCandidate func(webrtc.ICECandidateInit)) (*live.Connection, error)
}

// Rooms is LiveKit's server API; lksdk.RoomServiceClient implements it.
type Rooms interface {
	ListParticipants(ctx context.Context, req *livekit.ListParticipantsRequest) (*livekit.ListParticipantsResponse, error)
	UpdateParticipant(ctx context.Context, req *livekit.UpdateParticipantRequest) (*livekit.ParticipantInfo, error)
	SendData(ctx context.Context, req *livekit.SendDataRequest) (*livekit.SendDataResponse, error)
}

// externalID is the integrator's name of a session: room/identity. Characters that a record's external id may not have are replaced.
func externalID(room, identity string) string {
	const most = 128 // characters, as in ingest/openapi.yaml
	clean := strings.Map(func(r rune) rune {
		if r < 0x20 || r >= 0x7F && r <= 0x9F || r >= 0x200E && r <= 0x200F || r >= 0x2028 && r <= 0x202E || r >= 0x2066 && r <= 0x2069 || r == 0xFEFF {
			return '?'
		}
		return r
	}, room+"/"+identity)
	runes := []rune(clean)
	return string(runes[:min(len(runes), most)])
}

// watches reports whether a participant's cameras are judged.
func (c Config) watches(identity string, kind livekit.ParticipantInfo_Kind) bool {
	if len(c.Watch) > 0 {
		return slices.Contains(c.Watch, identity)
	}
	return identity != c.As && kind == livekit.ParticipantInfo_STANDARD
}

// sideOf is the shorter side of a layer in pixels.
func sideOf(l *livekit.VideoLayer) int { return int(min(l.GetWidth(), l.GetHeight())) }

// bySize orders layers, the smallest first.
func bySize(a, b *livekit.VideoLayer) int { return cmp.Compare(sideOf(a), sideOf(b)) }
