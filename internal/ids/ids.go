// Package ids makes and reads the identifiers of sessions, tokens, connections
// and requests: ULIDs, 26 characters of Crockford base32 that sort by time.
package ids

import (
	"crypto/rand"
	"time"

	"github.com/oklog/ulid/v2"

	"github.com/liveproof/liveproof"
)

// New returns a ULID with 80 bits from the system's generator.
func New(now time.Time) string {
	return ulid.MustNew(ulid.Timestamp(now), rand.Reader).String()
}

// ParseSession reads a session's id; it accepts the canonical form only.
func ParseSession(s string) (liveproof.SessionID, bool) {
	u, err := ulid.ParseStrict(s)
	if err != nil || u.String() != s {
		return "", false
	}
	return liveproof.SessionID(s), true
}
