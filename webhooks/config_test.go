package webhooks

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"
)

func TestConfig(t *testing.T) {
	require.NoError(t, DefaultConfig().Validate())
	var back Config
	b, err := yaml.Marshal(DefaultConfig())
	require.NoError(t, err)
	require.NoError(t, yaml.Unmarshal(b, &back))
	require.Equal(t, DefaultConfig(), back)
	const secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
	good := func() Config {
		c := DefaultConfig()
		c.URLs, c.Secrets = map[string]string{"a": "https://bank.example/x?y=1"}, map[string]string{"a": secret}
		return c
	}
	require.NoError(t, good().Validate())
	for want, change := range map[string]func(*Config){
		"timeout:":                           func(c *Config) { c.Timeout = 0 },
		"first_retry:":                       func(c *Config) { c.FirstRetry = 0 },
		"max_retry:":                         func(c *Config) { c.MaxRetry = time.Millisecond },
		"attempts:":                          func(c *Config) { c.Attempts = 0 },
		"urls.a: not an address":             func(c *Config) { c.URLs["a"] = "bank.example" },
		"urls.a: http sends":                 func(c *Config) { c.URLs["a"] = "http://bank.example" },
		`secrets: tenant "a" has an address`: func(c *Config) { c.Secrets = nil },
		`secrets: tenant "b" has a secret`:   func(c *Config) { c.Secrets["b"] = secret },
		`secrets: tenants "a" and "b" share a secret`: func(c *Config) {
			c.URLs["b"] = "https://b.example/"
			c.Secrets["b"] = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYX " + secret // the old one is a secret too
		},
		"secrets.a: secret 1":                 func(c *Config) { c.Secrets["a"] = "whsec_c2hvcnQ=" },
		"secrets.a: secret 2":                 func(c *Config) { c.Secrets["a"] = secret + " " + secret[6:] },
		"secrets.a: 3 secrets":                func(c *Config) { c.Secrets["a"] = strings.Repeat(secret+" ", 3) },
		"urls.a: not an address such as http": func(c *Config) { c.URLs["a"] = "https://user:word@bank.example" },
	} {
		c := good()
		change(&c)
		err := c.Validate()
		require.Error(t, err, want)
		require.True(t, strings.HasPrefix(err.Error(), want), "%s: %v", want, err)
		require.NotContains(t, err.Error(), secret[6:], "an error never shows a secret")
	}
}

func TestPauses(t *testing.T) {
	c := DefaultConfig()
	var all time.Duration
	for failed := 1; failed < c.Attempts; failed++ {
		all += c.pause(failed)
	}
	require.Equal(t, 5*time.Second, c.pause(1))
	require.Equal(t, 10*time.Second, c.pause(2))
	require.Equal(t, 4*time.Hour, c.pause(1000))
	require.InDelta(t, 36, all.Hours(), 12, "a day and a half")
}

// TestPrivateAddressesAreRefused: package addresses has the list and its tests.
func TestPrivateAddressesAreRefused(t *testing.T) {
	for _, address := range []string{"not an address", "127.0.0.1:443", "[::1]:443", "10.0.0.1:443", "169.254.169.254:80"} {
		require.Error(t, refusePrivate("tcp", address, nil), address)
	}
	require.NoError(t, refusePrivate("tcp", "1.1.1.1:443", nil))
}

// FuzzSecrets: whatever stands in the configuration, an accepted secret signs, and the error for another never shows it.
func FuzzSecrets(f *testing.F) {
	for _, s := range []string{"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_", "", "whsec_AAAA whsec_AAAA", "x"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, secrets string) {
		signers, err := signersOf(secrets)
		if err != nil {
			for secret := range strings.FieldsSeq(secrets) {
				require.False(t, len(secret) > 12 && strings.Contains(err.Error(), secret))
			}
			return
		}
		require.LessOrEqual(t, len(signers), maxSecrets)
		for _, signer := range signers {
			signature, err := signer.Sign("id", time.Now(), []byte("{}"))
			require.NoError(t, err)
			require.True(t, strings.HasPrefix(signature, "v1,"))
		}
	})
}
