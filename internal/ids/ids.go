// Package ids makes and reads the identifiers of sessions, tokens, connections
// and requests: ULIDs, 26 characters of Crockford base32 that sort by time.
package ids

import (
	"crypto/rand"
	"strings"
	"time"

	"github.com/oklog/ulid/v2"

	"github.com/liveproof/liveproof"
)

// New returns a ULID with 80 bits from the system's generator.
func New(now time.Time) string {
	return ulid.MustNew(ulid.Timestamp(now), rand.Reader).String()
}

// Bound is the smallest id of the millisecond of t: all ids made before that millisecond sort before it.
func Bound(t time.Time) string {
	var u ulid.ULID
	switch ms := t.UnixMilli(); {
	case ms < 0:
	case uint64(ms) > ulid.MaxTime():
		return "7" + strings.Repeat("Z", ulid.EncodedSize-1) // the largest id
	default:
		_ = u.SetTime(uint64(ms)) // fails above MaxTime only
	}
	return u.String()
}

// ParseSession reads a session's id; it accepts the canonical form only.
func ParseSession(s string) (liveproof.SessionID, bool) {
	u, err := ulid.ParseStrict(s)
	if err != nil || u.String() != s {
		return "", false
	}
	return liveproof.SessionID(s), true
}
