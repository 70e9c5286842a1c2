package live

import (
	"errors"
	"time"

	"github.com/liveproof/liveproof/internal/check"
)

// Config holds the limits and timeouts of a session.
type Config struct {
	// TokenTTL is how long after a session's creation a client can connect to it.
	TokenTTL time.Duration `yaml:"token_ttl"`
	// RecordTTL is how long a session's record is kept.
	RecordTTL time.Duration `yaml:"record_ttl"`

	// Deadline ends an onboarding session without a verdict; a request may ask for up to MaxDeadline.
	Deadline    time.Duration `yaml:"deadline"`
	MaxDeadline time.Duration `yaml:"max_deadline"`
	// MaxCall is the longest time that a call may last.
	MaxCall time.Duration `yaml:"max_call"`

	// MaxSessions is how many sessions this server takes at once: auto, or a number from 1 to 100000. With auto
	// the server measures what a session costs, and refuses new ones (503, Retry-After) before the running ones
	// lack capacity. A number limits the connected sessions, whatever they cost.
	MaxSessions Limit `yaml:"max_sessions"`
	// ConnectTimeout is the time from the connection's first request to its first media, ICE and DTLS included.
	ConnectTimeout time.Duration `yaml:"connect_timeout"`
	// IdleTimeout ends a session that delivers no media.
	IdleTimeout time.Duration `yaml:"idle_timeout"`
	// DisconnectGrace is how long a session goes on after its signalling
	// connection was lost.
	DisconnectGrace time.Duration `yaml:"disconnect_grace"`
	// DecideTimeout is how long the server tries to write a session's end while the store is away.
	DecideTimeout time.Duration `yaml:"decide_timeout"`
	// DrainTimeout is how long running sessions may go on after SIGTERM; to end
	// and record them may take up to 20 s more.
	DrainTimeout time.Duration `yaml:"drain_timeout"`
}

// DefaultConfig suits onboarding in seconds and calls of hours.
func DefaultConfig() Config {
	return Config{
		TokenTTL: 2 * time.Minute, RecordTTL: 24 * time.Hour,
		Deadline: 15 * time.Second, MaxDeadline: time.Minute, MaxCall: 4 * time.Hour,
		MaxSessions:    Auto,
		ConnectTimeout: 10 * time.Second, IdleTimeout: 10 * time.Second,
		DisconnectGrace: 3 * time.Second, DecideTimeout: time.Minute, DrainTimeout: 20 * time.Second,
	}
}

// Validate reports every value that is out of range; each error begins with its key.
func (c Config) Validate() error {
	return errors.Join(
		check.In("token_ttl", c.TokenTTL, time.Second, time.Hour),
		check.In("record_ttl", c.RecordTTL, time.Minute, 365*24*time.Hour),
		check.That("record_ttl", c.RecordTTL >= c.MaxCall+time.Minute, "%v does not outlast max_call %v by a minute", c.RecordTTL, c.MaxCall),
		check.In("max_deadline", c.MaxDeadline, time.Second, 10*time.Minute),
		check.In("deadline", c.Deadline, time.Second, c.MaxDeadline),
		check.In("max_call", c.MaxCall, time.Second, 24*time.Hour),
		check.That("max_sessions", c.MaxSessions.valid(), "%v is neither auto nor a whole number from 1 to %d", c.MaxSessions, maxLimit),
		check.In("connect_timeout", c.ConnectTimeout, 10*time.Millisecond, time.Minute),
		check.In("idle_timeout", c.IdleTimeout, time.Second, 10*time.Minute),
		check.In("disconnect_grace", c.DisconnectGrace, 0, time.Minute),
		check.In("decide_timeout", c.DecideTimeout, time.Second, 10*time.Minute),
		check.In("drain_timeout", c.DrainTimeout, 0, 10*time.Minute),
	)
}
