package webhooks

import (
	"errors"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"github.com/liveproof/liveproof/internal/check"
)

// Config says which tenant's backend is told of its sessions (docs/integration.md). Without URLs nothing is sent.
type Config struct {
	// URLs are the addresses, as {bank-a: "https://bank.example/liveness"}: one for each tenant that has a key in ingest.api_keys.
	URLs map[string]string `yaml:"urls"`
	// Secrets sign the messages (Standard Webhooks): for each tenant of urls one secret, "whsec_" and the base64 of 24 to 64
	// bytes, which no other tenant has. While a secret is replaced, write the new and the old one with a space between them: messages
	// carry both signatures.
	Secrets map[string]string `yaml:"secrets"`
	// Timeout bounds one attempt.
	Timeout time.Duration `yaml:"timeout"`
	// FirstRetry is the pause after the first attempt that failed; each further pause is twice as long, up to MaxRetry.
	FirstRetry time.Duration `yaml:"first_retry"`
	MaxRetry   time.Duration `yaml:"max_retry"`
	// Attempts is how often a message is sent before it becomes a dead letter ("liveproof webhooks list").
	Attempts int `yaml:"attempts"`
	// AllowPrivate permits http, and receivers at private and loopback addresses. Without it they are refused when the connection
	// is made, whatever the name of the receiver resolves to.
	AllowPrivate bool `yaml:"allow_private"`
}

// DefaultConfig sends nothing. A receiver that is away may come back within a day and a half.
func DefaultConfig() Config {
	return Config{
		URLs: map[string]string{}, Secrets: map[string]string{},
		Timeout: 10 * time.Second, FirstRetry: 5 * time.Second, MaxRetry: 4 * time.Hour, Attempts: 18,
	}
}

// Validate reports every value that is out of range; each error begins with its key. It never shows a secret.
func (c Config) Validate() error {
	errs := []error{
		check.In("timeout", c.Timeout, time.Millisecond, time.Minute),
		check.In("first_retry", c.FirstRetry, time.Millisecond, time.Hour),
		check.In("max_retry", c.MaxRetry, c.FirstRetry, 24*time.Hour),
		check.In("attempts", c.Attempts, 1, 100),
	}
	for _, tenant := range slices.Sorted(maps.Keys(c.URLs)) {
		errs = append(errs, check.Prefix("urls."+tenant+": ", c.validateURL(c.URLs[tenant])),
			check.That("secrets", c.Secrets[tenant] != "", "tenant %q has an address in urls and no secret", tenant))
	}
	for _, tenant := range slices.Sorted(maps.Keys(c.Secrets)) {
		_, err := signersOf(c.Secrets[tenant])
		errs = append(errs, check.Prefix("secrets."+tenant+": ", err),
			check.That("secrets", c.URLs[tenant] != "", "tenant %q has a secret and no address in urls", tenant))
	}
	return errors.Join(append(errs, c.validateShared())...)
}

// validateShared refuses a secret of two tenants: each of them could sign messages that the other one takes for Liveproof's.
func (c Config) validateShared() error {
	var errs []error
	owners := make(map[string]string)
	for _, tenant := range slices.Sorted(maps.Keys(c.Secrets)) {
		for secret := range strings.FieldsSeq(c.Secrets[tenant]) {
			bits := strings.TrimRight(secret, "=") // padding does not make it another one
			owner, known := owners[bits]
			errs = append(errs, check.That("secrets", !known || owner == tenant,
				"tenants %q and %q share a secret, so each could forge messages to the other; give each its own", owner, tenant))
			owners[bits] = tenant
		}
	}
	return errors.Join(errs...)
}

func (c Config) validateURL(address string) error {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || u.User != nil || u.Fragment != "" || u.Scheme != "https" && u.Scheme != "http" {
		return errors.New("not an address such as https://bank.example/liveness")
	}
	if u.Scheme == "http" && !c.AllowPrivate {
		return errors.New("http sends results in the clear: use https, or allow_private in a lab")
	}
	return nil
}

// maxSecrets of one tenant: the new one and the old one.
const maxSecrets = 2

// signersOf reads the secrets of one tenant.
func signersOf(secrets string) (signers []*standardwebhooks.Webhook, err error) {
	for i, secret := range strings.Fields(secrets) {
		signer, err := standardwebhooks.NewWebhook(secret)
		size := (len(strings.TrimRight(secret, "=")) - len("whsec_")) * 3 / 4
		if err != nil || !strings.HasPrefix(secret, "whsec_") || size < 24 || size > 64 {
			return nil, fmt.Errorf("secret %d is not whsec_ and the base64 of 24 to 64 bytes; echo \"whsec_$(openssl rand -base64 32)\" makes one", i+1)
		}
		signers = append(signers, signer)
	}
	if len(signers) > maxSecrets {
		return nil, fmt.Errorf("%d secrets, at most %d are allowed", len(signers), maxSecrets)
	}
	return signers, nil
}

// pause is how long to wait after so many attempts that failed.
func (c Config) pause(failed int) time.Duration {
	pause := c.FirstRetry
	for range failed - 1 {
		if pause *= 2; pause >= c.MaxRetry {
			return c.MaxRetry
		}
	}
	return pause
}
