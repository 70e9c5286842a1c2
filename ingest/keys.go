package ingest

import (
	"cmp"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"regexp"
	"strings"

	"github.com/liveproof/liveproof"
	"github.com/liveproof/liveproof/internal/check"
)

// APIKey lets a backend create and read the sessions of one tenant.
type APIKey struct {
	// Tenant owns the key: 1 to 63 characters of a-z, 0-9 and -. A tenant may have
	// several keys. "" stands for liveproof.DefaultTenant.
	Tenant string
	// Key is the secret.
	Key string
}

var tenantName = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,62}$`)

// UnmarshalText reads "tenant:key", or a key alone.
func (k *APIKey) UnmarshalText(text []byte) error {
	k.Tenant, k.Key = "", string(text)
	if tenant, key, named := strings.Cut(k.Key, ":"); named {
		k.Tenant, k.Key = tenant, key
	}
	return nil
}

// MarshalText writes what UnmarshalText reads.
func (k APIKey) MarshalText() ([]byte, error) {
	if k.Tenant == "" {
		return []byte(k.Key), nil
	}
	return []byte(k.Tenant + ":" + k.Key), nil
}

// tenant owns the key; a key without a name belongs to the default tenant.
func (k APIKey) tenant() string { return cmp.Or(k.Tenant, liveproof.DefaultTenant) }

// validateKeys checks the API keys. Its errors never show a key.
func (c Config) validateKeys() error {
	var errs []error
	unnamed := 0
	owners := make(map[string]string)
	for i, k := range c.APIKeys {
		errs = append(errs,
			check.That("api_keys", tenantName.MatchString(k.tenant()), "the name of key %d is not 1 to 63 characters of a-z, 0-9 and -", i+1),
			check.That("api_keys", len(k.Key) >= 16 && len(k.Key) <= 256, "key %d has %d characters, [16, 256] are allowed", i+1, len(k.Key)))
		if k.Tenant == "" {
			unnamed++
		}
		owner, known := owners[k.Key]
		errs = append(errs, check.That("api_keys", !known || owner == k.tenant(), "key %d belongs to another tenant too; give each tenant its own key", i+1))
		owners[k.Key] = k.tenant()
	}
	return errors.Join(append(errs, check.That("api_keys", unnamed <= 1,
		"%d keys have no name, so they would share their sessions; write each as tenant:key", unnamed))...)
}

// NewSecret returns 256 random bits as text: an API key or token secret for a
// development server, or for an operator to put into the configuration.
func NewSecret() string {
	b := make([]byte, 32)
	_, _ = rand.Read(b) // never fails: the runtime stops the program first
	return base64.RawURLEncoding.EncodeToString(b)
}

// apiKeys holds hashes only, so that the memory holds a readable key no longer than a
// request.
type apiKeys []hashedKey

type hashedKey struct {
	tenant string
	sum    [sha256.Size]byte
}

func newAPIKeys(keys []APIKey) apiKeys {
	hashed := make(apiKeys, len(keys))
	for i, k := range keys {
		hashed[i] = hashedKey{k.tenant(), sha256.Sum256([]byte(k.Key))}
	}
	return hashed
}

// TenantOf returns a function that finds the tenant of a key. It takes the same time wherever the key is in the list.
func TenantOf(keys []APIKey) func(key string) (tenant string, ok bool) {
	return newAPIKeys(keys).find
}

// find returns the key's tenant; ok is false for an unknown key. It takes the
// same time wherever the key is in the list.
func (k apiKeys) find(key string) (tenant string, ok bool) {
	sum := sha256.Sum256([]byte(key))
	for _, known := range k {
		if subtle.ConstantTimeCompare(known.sum[:], sum[:]) == 1 {
			tenant, ok = known.tenant, true
		}
	}
	return tenant, ok
}
