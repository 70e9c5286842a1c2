package store

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash/fnv"

	"github.com/liveproof/liveproof"
)

// Redis keys. All keys of a session carry the hash tag {id}, so that a cluster
// holds them in one slot, and no script touches the keys of two slots. Keys
// that do not belong to one session are written by separate commands:
//
//   - liveproof:events and liveproof:{events:n}, the streams of changes (redis_streams.go). A change
//     is added after it was made; until then the session's field "untold" holds it, so that every
//     change is added at least once.
//   - liveproof:{expiry:n}, sorted sets of session ids by the time at which their
//     lease runs out. They are an index; only the lease in the session's record counts.
//   - liveproof:{tenant:…}:…, the lists of a tenant's sessions (redis_list.go).
//   - liveproof:idempotency:…, a hash for each Idempotency-Key.
const (
	eventsKey    = "liveproof:events"
	expiryShards = 16
)

func sessionKey(id liveproof.SessionID) string  { return "liveproof:{" + string(id) + "}:session" }
func timelineKey(id liveproof.SessionID) string { return "liveproof:{" + string(id) + "}:timeline" }

// idempotencyKey hashes the caller's key, so that the caller cannot choose the
// length or content of a Redis key.
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

// streamKey is a stream of events; one alone has the name that earlier versions gave it.
func streamKey(n int) string {
	if n == 0 {
		return eventsKey
	}
	return fmt.Sprintf("liveproof:{events:%d}", n)
}

func expiryShard(n uint32) string { return fmt.Sprintf("liveproof:{expiry:%d}", n) }
