package results

import (
	"errors"
	"time"

	"github.com/liveproof/liveproof/internal/check"
)

// Config is how results are signed. docs/integration.md says how a backend verifies them.
type Config struct {
	// Keys are Ed25519 keys in PEM: files, or the PEM text itself (LIVEPROOF_RESULTS_KEYS from a secret); "openssl genpkey
	// -algorithm ed25519" makes one. A file may hold several. The first key signs and must be a private one; all are published
	// at /.well-known/jwks.json. SIGHUP reads the files again. To rotate, append the next key, wait until backends have it
	// (5 minutes), then move it to the front, and remove the old one when ttl has passed; a key that only verifies may be a
	// public one. Without keys, results are not signed; a development server makes a key of its own.
	Keys []string `yaml:"keys"`
	// Issuer is the claim "iss"; empty: ingest.public_url or, without it, liveproof. With store.redis and ingest.public_url it must be set, to
	// the same value at all servers: ingest.public_url differs from one to the other.
	Issuer string `yaml:"issuer"`
	// TTL is how long a signed result is valid (claim "exp"); the page can ask for another one while the session's record is
	// kept.
	TTL time.Duration `yaml:"ttl"`
}

// DefaultConfig signs nothing.
func DefaultConfig() Config { return Config{Keys: []string{}, TTL: 5 * time.Minute} }

// Validate reports every value that is out of range and every key that cannot be used; each error begins with its key.
func (c Config) Validate() error {
	_, err := readKeys(c.Keys)
	return errors.Join(
		check.In("ttl", c.TTL, time.Second, 24*time.Hour),
		check.That("issuer", len(c.Issuer) <= 256, "%d characters, at most 256 are allowed", len(c.Issuer)),
		check.Prefix("keys: ", err),
	)
}
