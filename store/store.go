// Package store keeps sessions, their timelines and their verdicts: in Redis
// for a service, in memory for a trial or a single process. Both pass the same
// contract suite (contract_test.go).
//
// Both follow these rules:
//   - A session is claimed by one connection, once, for ever; the claim gives its
//     server a lease, which that server alone renews.
//   - A session that is not ended and whose lease has run out is found by Lapsed
//     and ended by Lapse, unless its lease was renewed in between.
//   - A session's model, threshold and detector may be set again until its first sample;
//     from then on another one gives liveproof.ErrConflict.
//   - A verdict is written once; the same verdict again is no error, another
//     one gives liveproof.ErrDecided.
//   - List gives a tenant's sessions in the order of their ids, newest first: an id is a ULID of the time of creation.
//   - Samples carry a sequence number, so a call that is repeated after a lost
//     answer adds nothing twice.
//   - A session that is gone is never re-created by a late write.
//   - Watch tells the ids of sessions whose state or outcome changed, on any server. It may miss a change, so its caller also reads
//     records from time to time. ChangedAt in the record is the time of the last one.
//   - liveproof.ErrUnavailable says that the store does not answer; nothing
//     is known then about whether the write happened, and it may be repeated.
package store

import (
	"errors"
	"fmt"
	"time"

	"github.com/liveproof/liveproof"
	"github.com/liveproof/liveproof/internal/check"
)

// MaxTimeline is the number of samples kept of one session, the newest; at
// 5 samples a second it is an hour and a half.
const MaxTimeline = 27000

// Config chooses and tunes the store.
type Config struct {
	// Redis is an address; "" keeps sessions in memory. redis://user:password@host:6379/0 or unix:///run/redis.sock is one server;
	// redis-sentinel://host1:26379,host2:26379/0#name is the master that these sentinels know by that name;
	// redis-cluster://host1:6379,host2:6379 is a cluster. rediss://, rediss-sentinel:// and rediss-cluster:// use TLS.
	Redis string `yaml:"redis"`
	// RedisCA is a file with the certificates (PEM) that may sign those of the servers; "" takes the system's.
	RedisCA string `yaml:"redis_ca"`
	// RedisCert and RedisKey are files with the client's certificate and key (PEM), for servers that ask for one.
	RedisCert string `yaml:"redis_cert"`
	RedisKey  string `yaml:"redis_key"`
	// Replicas is how many replicas must have a verdict, its event, its place in the list of sessions and its webhook before a client is told it or the
	// event counts as handled, [0, 5]. A server that fails with all the replicas that have a write loses that write; 0 waits for none.
	Replicas int `yaml:"replicas"`
	// DialTimeout and CallTimeout bound one connection attempt and one command.
	DialTimeout time.Duration `yaml:"dial_timeout"`
	CallTimeout time.Duration `yaml:"call_timeout"`
	// Retries of a command that got no answer, with exponential backoff.
	Retries int `yaml:"retries"`
	// EventsMaxLen is about how many events are kept. Each event is added at least once.
	EventsMaxLen int64 `yaml:"events_max_len"`
	// EventStreams is how many streams events are spread over, [0, 64]: liveproof:events, liveproof:{events:1}, …. 0 is 16 on a cluster, where one
	// stream would burden one server with the events of all sessions, and 1 otherwise. All servers need the same number.
	EventStreams int `yaml:"event_streams"`
	// IdempotencyTTL is how long an Idempotency-Key is remembered.
	IdempotencyTTL time.Duration `yaml:"idempotency_ttl"`
	// MaxSessions bounds the memory store; above it a new session is refused as overloaded.
	MaxSessions int `yaml:"max_sessions"`
}

// DefaultConfig is the memory store, with Redis timings that suit a local network.
func DefaultConfig() Config {
	return Config{
		DialTimeout:    2 * time.Second,
		CallTimeout:    time.Second,
		Retries:        2,
		EventsMaxLen:   100_000,
		IdempotencyTTL: 24 * time.Hour,
		MaxSessions:    10_000,
	}
}

// Validate reports every value that is out of range; each error begins with its key.
func (c Config) Validate() error {
	return errors.Join(
		check.Above("dial_timeout", c.DialTimeout, 0, time.Minute),
		check.Above("call_timeout", c.CallTimeout, 0, time.Minute),
		check.In("retries", c.Retries, 0, 10),
		check.AtLeast("events_max_len", c.EventsMaxLen, 1),
		check.AtLeast("idempotency_ttl", c.IdempotencyTTL, 1),
		check.AtLeast("max_sessions", c.MaxSessions, 1),
		check.In("replicas", c.Replicas, 0, 5),
		check.In("event_streams", c.EventStreams, 0, 64),
		c.validateRedis(),
	)
}

func (c Config) validateRedis() error {
	if c.Redis == "" {
		return nil
	}
	if _, err := c.redisOptions(); err != nil {
		return fmt.Errorf("redis: %w", err)
	}
	return nil
}

// stands reports whether the record already holds this end, because a write is
// repeated after a lost answer.
func stands(s liveproof.Session, end liveproof.Ending) bool {
	return s.State == end.State && s.Verdict.Equal(end.Verdict)
}

// checkThreshold refuses a threshold that cannot have judged a session. The zero value is none at all.
func checkThreshold(t liveproof.Threshold) error {
	if t != (liveproof.Threshold{}) && !t.Valid() {
		return fmt.Errorf("threshold %+v: not a value in (0, 1) with a source and, where the source needs one, a calibration", t)
	}
	return nil
}

// framesOr returns the ending's counts, or those of the record when the ending
// has none.
func framesOr(end, stored liveproof.FrameCounts) liveproof.FrameCounts {
	if end == (liveproof.FrameCounts{}) {
		return stored
	}
	return end
}

// idempotency is what an Idempotency-Key stands for.
type idempotency struct {
	id      liveproof.SessionID
	hash    string    // of the request that it came with
	expires time.Time // memory only: Redis forgets by itself
	making  bool      // Redis only: the record may not have been written yet
}

// replay answers a request whose key made a session already.
func (i idempotency) replay(stored liveproof.Session, hash string) (liveproof.Session, bool, error) {
	if i.hash != hash {
		return liveproof.Session{}, false, liveproof.ErrIdempotencyMismatch
	}
	return stored, true, nil
}
