package ingest

import (
	"errors"
	"net"
	"net/netip"
	"net/url"

	"github.com/liveproof/liveproof/internal/check"
)

// Config is everything of the HTTP side that an operator may change.
type Config struct {
	// Listen is the TCP address; port 0 takes a free one.
	Listen string `yaml:"listen"`
	// PublicURL is what clients reach the server by (https://liveness.example.org); "" takes it from each request. Where several servers
	// share one Redis, give each its own: clients are then told the address of the server that has their session.
	PublicURL string `yaml:"public_url"`
	// Hosts are further host names that requests may use, such as the name of the service in a cluster. The server
	// also answers to the host of public_url, to localhost, to the names and addresses of its machine and to
	// webrtc.public_ips. A request for any other host gets 421, which stops DNS rebinding. "*" allows every host.
	Hosts []string `yaml:"hosts"`
	// TLSCert and TLSKey are PEM files; both empty serves plain HTTP, for a proxy in front.
	TLSCert string `yaml:"tls_cert"`
	TLSKey  string `yaml:"tls_key"`

	// APIKeys let backends create and read sessions. Each is written as tenant:key, the key with at least 16
	// characters; a tenant can access only its own sessions. One key may be written without a name; its tenant
	// is "default".
	APIKeys []APIKey `yaml:"api_keys"`
	// TokenSecret signs client tokens (HMAC-SHA-256), ≥ 32 characters; all servers of a service share it.
	TokenSecret string `yaml:"token_secret"`

	// MaxBody and MaxMessage bound an HTTP body (SDP too) and a signalling message, in bytes.
	MaxBody    int64 `yaml:"max_body"`
	MaxMessage int64 `yaml:"max_message"`
	// Rates in requests (signalling: messages) per second with their bursts. Of a tenant's rate, each 20 records that a list reads and
	// each 500 samples of a timeline count as one request.
	RatePerTenant Rate `yaml:"rate_per_tenant"`
	RatePerIP     Rate `yaml:"rate_per_ip"`
	MessageRate   Rate `yaml:"message_rate"`
	// Listeners bounds the open streams of events of a server, /v1/sessions/{id}/events.
	Listeners   ListenerLimits `yaml:"listeners"`
	RateEntries int            `yaml:"rate_entries"` // tenants and addresses remembered; the one unused for longest is forgotten first

	// CORSOrigins may use WHIP, and read results and events, from a page elsewhere; "*" is any.
	CORSOrigins []string `yaml:"cors_origins"`
	// WSOrigins may open signalling from a page elsewhere, besides the server's own origin; "*" is any.
	WSOrigins []string `yaml:"ws_origins"`
	// TrustedProxies are CIDRs whose X-Forwarded-For and -Proto count.
	TrustedProxies []string `yaml:"trusted_proxies"`
}

// ListenerLimits are the most streams of events that are open at a time.
type ListenerLimits struct {
	// PerSession: one more ends the session's oldest stream.
	PerSession int `yaml:"per_session"`
	// PerTenant: one more gets 429.
	PerTenant int `yaml:"per_tenant"`
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
		Listen:  ":8080",
		MaxBody: 64 << 10, MaxMessage: 64 << 10,
		RatePerTenant: Rate{100, 200}, RatePerIP: Rate{50, 100}, MessageRate: Rate{20, 100},
		RateEntries: 10_000, Listeners: ListenerLimits{PerSession: 10, PerTenant: 1000},
		APIKeys: []APIKey{}, Hosts: []string{}, CORSOrigins: []string{}, WSOrigins: []string{}, TrustedProxies: []string{},
	}
}

// Validate reports every key that is out of range. It accepts missing keys and
// secrets, because a development server may do without; New checks them.
func (c Config) Validate() error {
	return errors.Join(c.validateKeys(), c.validateSecrets(), c.validateLimits(), c.validateAddresses())
}

func (c Config) validateSecrets() error {
	return errors.Join(
		check.That("token_secret", c.TokenSecret == "" || len(c.TokenSecret) >= 32, "%d characters, at least 32 are needed", len(c.TokenSecret)),
		check.That("tls_cert", (c.TLSCert == "") == (c.TLSKey == ""), "tls_cert and tls_key belong together"),
	)
}

func (c Config) validateLimits() error {
	return errors.Join(
		check.In("max_body", c.MaxBody, 1<<10, 1<<20),
		check.In("max_message", c.MaxMessage, 1<<10, 1<<20),
		check.In("rate_entries", c.RateEntries, 1, 1_000_000),
		check.In("listeners.per_session", c.Listeners.PerSession, 1, 1000),
		check.In("listeners.per_tenant", c.Listeners.PerTenant, 1, 100_000),
		c.RatePerTenant.validate("rate_per_tenant"),
		c.RatePerIP.validate("rate_per_ip"),
		c.MessageRate.validate("message_rate"),
	)
}

func (r Rate) validate(key string) error {
	return errors.Join(
		check.Above(key+".per_second", r.PerSecond, 0, 1e6),
		check.In(key+".burst", r.Burst, 1, 1_000_000),
	)
}

func (c Config) validateAddresses() error {
	errs := []error{
		check.That("listen", validListen(c.Listen), "%q is not an address such as :8080 or 127.0.0.1:8080", c.Listen),
		check.That("public_url", c.PublicURL == "" || validURL(c.PublicURL), "%q is not an http or https URL", c.PublicURL),
	}
	for _, h := range c.Hosts {
		errs = append(errs, check.That("hosts", ValidHost(h), "%q is not a name such as liveproof.example.org, without scheme, port and path", h))
	}
	for _, p := range c.TrustedProxies {
		_, err := netip.ParsePrefix(p)
		errs = append(errs, check.That("trusted_proxies", err == nil, "%q is not a CIDR such as 10.0.0.0/8", p))
	}
	for key, origins := range map[string][]string{"cors_origins": c.CORSOrigins, "ws_origins": c.WSOrigins} {
		for _, o := range origins {
			errs = append(errs, check.That(key, validOrigin(o), "%q is not an origin such as https://example.org", o))
		}
	}
	return errors.Join(errs...)
}

func validListen(address string) bool {
	_, _, err := net.SplitHostPort(address)
	return err == nil
}

func validURL(s string) bool {
	u, err := url.Parse(s)
	return err == nil && u.Host != "" && (u.Scheme == "http" || u.Scheme == "https")
}

// validOrigin reports whether the configuration may list s: an origin, or "*" for any.
func validOrigin(s string) bool {
	_, ok := parseOrigin(s)
	return ok || s == "*"
}

// parseOrigin takes an origin as browsers write it: scheme and host alone (RFC 6454, 6.1).
func parseOrigin(s string) (u *url.URL, ok bool) {
	u, err := url.Parse(s)
	return u, err == nil && u.Host != "" && u.Scheme+"://"+u.Host == s
}
