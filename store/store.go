// Package store keeps sessions, their timelines and their verdicts: in Redis
// for a service, in memory for a first look or a single process. Both pass the
// same contract suite (contract_test.go).
//
// The rules that both keep:
//   - A session is claimed by one connection, once, for ever.
//   - What judges a session may be noted anew until its first sample; from then on
//     another model or detector gives liveproof.ErrConflict.
//   - A verdict is written once; the same verdict again is no error, another
//     one gives liveproof.ErrDecided.
//   - Samples carry a sequence number, so a call that is repeated after a lost
//     answer adds nothing twice.
//   - A session that is gone is never re-created by a late write.
//   - liveproof.ErrUnavailable tells that the store does not answer; nothing
//     is known then about whether the write happened, and it may be repeated.
package store

import (
	"fmt"
	"reflect"
	"slices"
	"time"

	"github.com/liveproof/liveproof"
)

// MaxTimeline is the number of samples kept of one session, the newest; at
// 5 samples a second it is an hour and a half.
const MaxTimeline = 27000

// Config chooses and tunes the store.
type Config struct {
	// Redis is a URL (redis://, rediss://, unix://); "" keeps sessions in memory.
	Redis string `yaml:"redis"`
	// DialTimeout and CallTimeout bound one connection attempt and one command.
	DialTimeout time.Duration `yaml:"dial_timeout"`
	CallTimeout time.Duration `yaml:"call_timeout"`
	// Retries of a command that got no answer, with exponential backoff.
	Retries int `yaml:"retries"`
	// EventsMaxLen bounds the stream liveproof:events, approximately.
	EventsMaxLen int64 `yaml:"events_max_len"`
	// IdempotencyTTL is how long an Idempotency-Key is remembered.
	IdempotencyTTL time.Duration `yaml:"idempotency_ttl"`
	// MaxSessions bounds the memory store; Create gives ErrOverloaded above it.
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

// Validate names the first key that is out of range.
func (c Config) Validate() error {
	switch {
	case c.DialTimeout <= 0 || c.DialTimeout > time.Minute:
		return fmt.Errorf("dial_timeout: %v is out of range (0s, 1m]", c.DialTimeout)
	case c.CallTimeout <= 0 || c.CallTimeout > time.Minute:
		return fmt.Errorf("call_timeout: %v is out of range (0s, 1m]", c.CallTimeout)
	case c.Retries < 0 || c.Retries > 10:
		return fmt.Errorf("retries: %d is out of range [0, 10]", c.Retries)
	case c.EventsMaxLen < 1:
		return fmt.Errorf("events_max_len: %d is out of range [1, ∞)", c.EventsMaxLen)
	case c.IdempotencyTTL <= 0:
		return fmt.Errorf("idempotency_ttl: %v is out of range (0s, ∞)", c.IdempotencyTTL)
	case c.MaxSessions < 1:
		return fmt.Errorf("max_sessions: %d is out of range [1, ∞)", c.MaxSessions)
	}
	if c.Redis != "" {
		if _, err := c.redisOptions(); err != nil {
			return fmt.Errorf("redis: %w", err)
		}
	}
	return nil
}

// sameVerdict tells whether v is what stands already: a write repeated after a lost answer.
func sameVerdict(old, v liveproof.Verdict) bool {
	same := slices.Equal(old.Reasons, v.Reasons)
	old.Reasons, v.Reasons = nil, nil
	return same && reflect.DeepEqual(old, v)
}
