package ingest

import (
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"time"
)

// Config is everything of the HTTP side that an operator may change.
type Config struct {
	// Listen is the TCP address; port 0 takes a free one.
	Listen string `yaml:"listen"`
	// PublicURL is what clients reach the server by (https://liveness.example.org);
	// "" takes it from each request.
	PublicURL string `yaml:"public_url"`
	// TLSCert and TLSKey are PEM files; both empty serves plain HTTP, for a proxy in front.
	TLSCert string `yaml:"tls_cert"`
	TLSKey  string `yaml:"tls_key"`

	// APIKeys let a backend create and read sessions, ≥ 16 characters each.
	APIKeys []string `yaml:"api_keys"`
	// TokenSecret signs client tokens (HMAC-SHA-256), ≥ 32 characters; all servers of a service share it.
	TokenSecret string `yaml:"token_secret"`
	// TokenTTL is how long after its creation a session can be connected to.
	TokenTTL time.Duration `yaml:"token_ttl"`
	// SessionTTL is how long a session's record is kept.
	SessionTTL time.Duration `yaml:"session_ttl"`

	// Deadline ends an onboarding session without a verdict; a request may ask for up to MaxDeadline.
	Deadline    time.Duration `yaml:"deadline"`
	MaxDeadline time.Duration `yaml:"max_deadline"`
	// MaxCall ends a call.
	MaxCall time.Duration `yaml:"max_call"`

	// MaxSessions bounds the sessions connected to this server at once.
	MaxSessions int `yaml:"max_sessions"`
	// ConnectTimeout is the time from the connection's first request to its first
	// media; webrtc.connect_timeout bounds ICE and DTLS alone, the shorter counts.
	ConnectTimeout time.Duration `yaml:"connect_timeout"`
	// DisconnectGrace is how long a session outlives its signalling connection.
	DisconnectGrace time.Duration `yaml:"disconnect_grace"`
	// DecideTimeout bounds the retries with which an end is written while the
	// store is away, after pipeline.decide_timeout has passed.
	DecideTimeout time.Duration `yaml:"decide_timeout"`
	// DrainTimeout is what running sessions are given after SIGTERM; to be ended
	// and written down takes them up to 20 s more.
	DrainTimeout time.Duration `yaml:"drain_timeout"`

	// MaxBody and MaxMessage bound an HTTP body (SDP too) and a signalling message, in bytes.
	MaxBody    int64 `yaml:"max_body"`
	MaxMessage int64 `yaml:"max_message"`
	// Rates in requests (signalling: messages) per second with their bursts.
	RatePerKey  Rate `yaml:"rate_per_key"`
	RatePerIP   Rate `yaml:"rate_per_ip"`
	MessageRate Rate `yaml:"message_rate"`
	RateEntries int  `yaml:"rate_entries"` // keys and addresses remembered; the longest unused is forgotten first

	// CORSOrigins may use WHIP from a page elsewhere; "*" is any.
	CORSOrigins []string `yaml:"cors_origins"`
	// WSOrigins may open signalling from a page elsewhere, besides the server's own origin; "*" is any.
	WSOrigins []string `yaml:"ws_origins"`
	// TrustedProxies are CIDRs whose X-Forwarded-For and -Proto count.
	TrustedProxies []string `yaml:"trusted_proxies"`
}

// Rate is a token bucket.
type Rate struct {
	PerSecond float64 `yaml:"per_second"`
	Burst     int     `yaml:"burst"`
}

// DefaultConfig serves on port 8080. It has no API key and no token secret:
// only a development server starts with it as it is.
func DefaultConfig() Config {
	return Config{
		Listen:   ":8080",
		TokenTTL: 2 * time.Minute, SessionTTL: 24 * time.Hour,
		Deadline: 15 * time.Second, MaxDeadline: time.Minute, MaxCall: 4 * time.Hour,
		MaxSessions:     200,
		ConnectTimeout:  10 * time.Second,
		DisconnectGrace: 3 * time.Second, DecideTimeout: time.Minute, DrainTimeout: 20 * time.Second,
		MaxBody: 64 << 10, MaxMessage: 64 << 10,
		RatePerKey: Rate{100, 200}, RatePerIP: Rate{50, 100}, MessageRate: Rate{20, 100},
		RateEntries: 10_000,
		APIKeys:     []string{}, CORSOrigins: []string{}, WSOrigins: []string{}, TrustedProxies: []string{},
	}
}

// Validate names the first key that is out of range. That keys and secrets
// are missing is New's to refuse: a development server may go without.
func (c Config) Validate() error {
	return errors.Join(c.validateSecrets(), c.validateTimes(), c.validateLimits(), c.validateAddresses())
}

func (c Config) validateSecrets() error {
	for i, k := range c.APIKeys {
		if len(k) < 16 || len(k) > 256 {
			return fmt.Errorf("api_keys: key %d has %d characters, [16, 256] are allowed", i+1, len(k))
		}
	}
	if c.TokenSecret != "" && len(c.TokenSecret) < 32 {
		return fmt.Errorf("token_secret: %d characters, at least 32 are needed", len(c.TokenSecret))
	}
	if (c.TLSCert == "") != (c.TLSKey == "") {
		return errors.New("tls_cert: tls_cert and tls_key belong together")
	}
	return nil
}

func (c Config) validateTimes() error {
	for _, d := range []struct {
		key      string
		v        time.Duration
		min, max time.Duration
	}{
		{"token_ttl", c.TokenTTL, time.Second, time.Hour},
		{"session_ttl", c.SessionTTL, time.Minute, 365 * 24 * time.Hour},
		{"max_deadline", c.MaxDeadline, time.Second, 10 * time.Minute},
		{"deadline", c.Deadline, time.Second, c.MaxDeadline},
		{"max_call", c.MaxCall, time.Second, 24 * time.Hour},
		{"connect_timeout", c.ConnectTimeout, 10 * time.Millisecond, time.Minute},
		{"disconnect_grace", c.DisconnectGrace, 0, time.Minute},
		{"decide_timeout", c.DecideTimeout, time.Second, 10 * time.Minute},
		{"drain_timeout", c.DrainTimeout, 0, 10 * time.Minute},
	} {
		if d.v < d.min || d.v > d.max {
			return fmt.Errorf("%s: %v is out of range [%v, %v]", d.key, d.v, d.min, d.max)
		}
	}
	return nil
}

func (c Config) validateLimits() error {
	for _, n := range []struct {
		key      string
		v        int64
		min, max int64
	}{
		{"max_sessions", int64(c.MaxSessions), 1, 100_000},
		{"max_body", c.MaxBody, 1 << 10, 1 << 20},
		{"max_message", c.MaxMessage, 1 << 10, 1 << 20},
		{"rate_entries", int64(c.RateEntries), 1, 1_000_000},
		{"rate_per_key.burst", int64(c.RatePerKey.Burst), 1, 1_000_000},
		{"rate_per_ip.burst", int64(c.RatePerIP.Burst), 1, 1_000_000},
		{"message_rate.burst", int64(c.MessageRate.Burst), 1, 1_000_000},
	} {
		if n.v < n.min || n.v > n.max {
			return fmt.Errorf("%s: %d is out of range [%d, %d]", n.key, n.v, n.min, n.max)
		}
	}
	for key, r := range map[string]Rate{"rate_per_key": c.RatePerKey, "rate_per_ip": c.RatePerIP, "message_rate": c.MessageRate} {
		if !(r.PerSecond > 0 && r.PerSecond <= 1e6) {
			return fmt.Errorf("%s.per_second: %v is out of range (0, 1e6]", key, r.PerSecond)
		}
	}
	return nil
}

func (c Config) validateAddresses() error {
	if c.Listen == "" {
		return errors.New("listen: an address is needed, such as :8080")
	}
	if c.PublicURL != "" {
		if u, err := url.Parse(c.PublicURL); err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") {
			return fmt.Errorf("public_url: %q is not an http or https URL", c.PublicURL)
		}
	}
	for _, p := range c.TrustedProxies {
		if _, err := netip.ParsePrefix(p); err != nil {
			return fmt.Errorf("trusted_proxies: %q is not a CIDR such as 10.0.0.0/8", p)
		}
	}
	if err := validateOrigins("cors_origins", c.CORSOrigins); err != nil {
		return err
	}
	return validateOrigins("ws_origins", c.WSOrigins)
}

func validateOrigins(key string, origins []string) error {
	for _, o := range origins {
		if o == "*" {
			continue
		}
		u, err := url.Parse(o)
		if err != nil || u.Host == "" || u.Scheme+"://"+u.Host != o {
			return fmt.Errorf("%s: %q is not an origin such as https://example.org", key, o)
		}
	}
	return nil
}

// NewSecret returns 256 random bits as text: an API key or token secret for a
// development server, or for an operator to put into the configuration.
func NewSecret() string {
	b := make([]byte, 32)
	_, _ = rand.Read(b) // never fails: the runtime stops the program first
	return base64.RawURLEncoding.EncodeToString(b)
}
