package store

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash/fnv"

	"github.com/liveproof/liveproof"
)

// Redis keys. All keys of a session carry the hash tag {id}, so that a cluster
// holds them in one slot, and no script touches the keys of two slots. What is
// not of one session is written by commands of its own:
//
//   - liveproof:events, the stream of changes, fed after the change itself. A
//     change that is not in the stream yet is noted in the session's field
//     "untold", so it gets there at least once.
//   - liveproof:{expiry:n}, sorted sets of session ids by the time at which their
//     lease runs out. They are an index: the session's own record decides.
//   - liveproof:idempotency:…, a hash for each Idempotency-Key.
const (
	eventsKey    = "liveproof:events"
	expiryShards = 16
)

func sessionKey(id liveproof.SessionID) string  { return "liveproof:{" + string(id) + "}:session" }
func timelineKey(id liveproof.SessionID) string { return "liveproof:{" + string(id) + "}:timeline" }

// idempotencyKey bounds what a caller can make of Redis's key space.
func idempotencyKey(key string) string {
	sum := sha256.Sum256([]byte(key))
	return "liveproof:idempotency:" + hex.EncodeToString(sum[:])
}

// expiryKey is the sorted set that holds the session's lease.
func expiryKey(id liveproof.SessionID) string {
	h := fnv.New32a()
	_, _ = h.Write([]byte(id)) // never fails
	return expiryShard(h.Sum32() % expiryShards)
}

func expiryShard(n uint32) string { return fmt.Sprintf("liveproof:{expiry:%d}", n) }
