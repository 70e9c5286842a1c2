package results

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"github.com/liveproof/liveproof"
)

var signedAt = time.Date(2026, 1, 15, 9, 0, 10, 0, time.UTC)

func newKey(t testing.TB) string {
	t.Helper()
	key, err := NewKey()
	require.NoError(t, err)
	return key
}

func newSigner(t testing.TB, keys ...string) *Signer {
	t.Helper()
	cfg := DefaultConfig()
	cfg.Keys, cfg.Issuer = keys, "https://liveness.example.org"
	s, err := New(cfg, func() time.Time { return signedAt })
	require.NoError(t, err)
	return s
}

func session(outcome liveproof.Outcome) liveproof.Session {
	return liveproof.Session{
		ID: "01JD4Z5T8Q0V9X2B3C4D5E6F7G", Tenant: "bank-a", Mode: liveproof.ModeOnboarding, ExternalID: "kunde-ü", State: liveproof.StateDecided,
		Verdict:   liveproof.Verdict{Outcome: outcome, Score: 0.987654, Final: true, Scored: 12, Evidence: []liveproof.Evidence{liveproof.EvidencePassive}},
		Model:     liveproof.ModelInfo{Name: "liveproof-demo", SHA256: "0f4c", Threshold: 0.123456, Demo: true},
		Threshold: liveproof.Threshold{Value: 0.234567, Source: liveproof.ThresholdOfTenant, Calibration: "strict", CalibrationSHA256: "9d1e"},
		DecidedAt: signedAt.Add(-3 * time.Second),
	}
}

// verified checks a result with golang-jwt, which is not the library that signs, as a backend does: with the published keys.
func verified(t testing.TB, jws string, published []byte) (map[string]any, error) {
	t.Helper()
	var set struct {
		Keys []struct{ Kid, Kty, Crv, X, Alg, Use string }
	}
	require.NoError(t, json.Unmarshal(published, &set))
	claims := jwt.MapClaims{}
	_, err := jwt.NewParser(jwt.WithValidMethods([]string{"EdDSA"}), jwt.WithIssuer("https://liveness.example.org"), jwt.WithAudience("bank-a"),
		jwt.WithExpirationRequired(), jwt.WithTimeFunc(func() time.Time { return signedAt.Add(time.Minute) })).
		ParseWithClaims(jws, claims, func(token *jwt.Token) (any, error) {
			if token.Header["typ"] != Type {
				return nil, jwt.ErrTokenUnverifiable
			}
			for _, key := range set.Keys {
				if key.Kid == token.Header["kid"] {
					x, err := base64.RawURLEncoding.DecodeString(key.X)
					return ed25519.PublicKey(x), err
				}
			}
			return nil, jwt.ErrTokenUnverifiable
		})
	return claims, err
}

func TestSignedResult(t *testing.T) {
	s := newSigner(t, newKey(t))
	keys, err := s.Keys()
	require.NoError(t, err)
	for outcome, want := range map[liveproof.Outcome]string{
		liveproof.OutcomeLive: "pass", liveproof.OutcomeSpoof: "fail", liveproof.OutcomeInconclusive: "retry",
	} {
		jws, err := s.Sign(session(outcome))
		require.NoError(t, err)
		claims, err := verified(t, jws, keys)
		require.NoError(t, err)
		require.Equal(t, map[string]any{
			"iss": "https://liveness.example.org", "aud": "bank-a", "sub": "01JD4Z5T8Q0V9X2B3C4D5E6F7G",
			"iat": float64(signedAt.Unix()), "exp": float64(signedAt.Unix() + 300), "decided_at": float64(signedAt.Unix() - 3),
			"mode": "onboarding", "external_id": "kunde-ü", "result": want, "evidence": []any{"passive"},
			"model":     map[string]any{"name": "liveproof-demo", "sha256": "0f4c", "demo": true},
			"threshold": map[string]any{"source": "tenant", "calibration": "strict", "calibration_sha256": "9d1e"},
		}, claims)
		payload, err := base64.RawURLEncoding.DecodeString(strings.Split(jws, ".")[1])
		require.NoError(t, err)
		for _, secret := range []string{"0.98", "0.12", "0.23", "rho", "score"} {
			require.NotContains(t, string(payload), secret, "ρ and θ stay on the server")
		}
	}
}

func TestResultWithoutPictures(t *testing.T) {
	s := newSigner(t, newKey(t))
	x := session(liveproof.OutcomeInconclusive)
	x.State, x.Model, x.Threshold = liveproof.StateExpired, liveproof.ModelInfo{}, liveproof.Threshold{}
	jws, err := s.Sign(x)
	require.NoError(t, err)
	keys, err := s.Keys()
	require.NoError(t, err)
	claims, err := verified(t, jws, keys)
	require.NoError(t, err)
	require.Equal(t, "retry", claims["result"])
	require.NotContains(t, claims, "model")
	require.NotContains(t, claims, "threshold")
	for _, state := range []liveproof.State{liveproof.StateCreated, liveproof.StateConnecting, liveproof.StateStreaming} {
		x.State = state
		_, err := s.Sign(x)
		require.ErrorIs(t, err, ErrRunning)
	}
}

// TestAlteredResultIsRefused: a change of any character of header or payload makes a result worthless, and so does another key.
func TestAlteredResultIsRefused(t *testing.T) {
	s := newSigner(t, newKey(t))
	jws, err := s.Sign(session(liveproof.OutcomeSpoof))
	require.NoError(t, err)
	keys, err := s.Keys()
	require.NoError(t, err)
	parts := strings.Split(jws, ".")
	payload, err := base64.RawURLEncoding.DecodeString(parts[1])
	require.NoError(t, err)
	forged := base64.RawURLEncoding.EncodeToString([]byte(strings.Replace(string(payload), `"fail"`, `"pass"`, 1)))
	none := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"none","typ":"` + Type + `"}`))
	for name, altered := range map[string]string{
		"another result": parts[0] + "." + forged + "." + parts[2],
		"no signature":   parts[0] + "." + parts[1] + ".",
		"unsigned":       none + "." + forged + ".",
	} {
		_, err := verified(t, altered, keys)
		require.Error(t, err, name)
	}
	for i, char := range []byte(jws[:strings.LastIndexByte(jws, '.')]) {
		altered := []byte(jws)
		altered[i] = 'A'
		if char == 'A' {
			altered[i] = 'B'
		}
		_, err := verified(t, string(altered), keys)
		require.Error(t, err, "character %d", i)
	}
	others, err := newSigner(t, newKey(t)).Keys()
	require.NoError(t, err)
	_, err = verified(t, jws, others)
	require.Error(t, err, "of another service")
}

// TestRotation: verifiers know the next key before it signs, and results of the old key stay valid while it is published.
func TestRotation(t *testing.T) {
	file := filepath.Join(t.TempDir(), "keys.pem")
	write := func(keys ...string) { require.NoError(t, os.WriteFile(file, []byte(strings.Join(keys, "")), 0o600)) }
	old, next := newKey(t), newKey(t)
	write(old)
	s := newSigner(t, file)
	first, err := s.Sign(session(liveproof.OutcomeLive))
	require.NoError(t, err)
	oldID := s.KeyID()

	write(old, next)
	require.NoError(t, s.Reload())
	require.Equal(t, oldID, s.KeyID(), "the first key signs")
	early, err := s.Keys()
	require.NoError(t, err)

	write(next, publicOf(t, old))
	require.NoError(t, s.Reload())
	require.NotEqual(t, oldID, s.KeyID())
	second, err := s.Sign(session(liveproof.OutcomeLive))
	require.NoError(t, err)
	_, err = verified(t, second, early)
	require.NoError(t, err, "by keys that were read before the change")
	late, err := s.Keys()
	require.NoError(t, err)
	_, err = verified(t, first, late)
	require.NoError(t, err, "the old key verifies")

	write(next)
	require.NoError(t, s.Reload())
	last, err := s.Keys()
	require.NoError(t, err)
	_, err = verified(t, first, last)
	require.Error(t, err, "the old key is gone")

	write("rubbish")
	require.ErrorContains(t, s.Reload(), "results.keys: entry 1")
	_, err = s.Sign(session(liveproof.OutcomeLive))
	require.NoError(t, err, "the keys that were good stay")
}

func publicOf(t testing.TB, key string) string {
	t.Helper()
	block, _ := pem.Decode([]byte(key))
	_, public := parseKey(block)
	der, err := x509.MarshalPKIXPublicKey(public)
	require.NoError(t, err)
	return string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))
}

// TestThumbprint is the example of RFC 8037, A.3.
func TestThumbprint(t *testing.T) {
	x, err := base64.RawURLEncoding.DecodeString("11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo")
	require.NoError(t, err)
	key, err := webKey(x)
	require.NoError(t, err)
	require.Equal(t, "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k", key.KeyID)
}

func TestConfig(t *testing.T) {
	require.NoError(t, DefaultConfig().Validate())
	var back Config
	b, err := yaml.Marshal(DefaultConfig())
	require.NoError(t, err)
	require.NoError(t, yaml.Unmarshal(b, &back))
	require.Equal(t, DefaultConfig(), back)
	key := newKey(t)
	curve, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	other, err := x509.MarshalPKCS8PrivateKey(curve)
	require.NoError(t, err)
	for want, change := range map[string]func(*Config){
		"ttl:":                         func(c *Config) { c.TTL = 0 },
		"issuer:":                      func(c *Config) { c.Issuer = strings.Repeat("x", 257) },
		"keys: entry 1: open":          func(c *Config) { c.Keys = []string{"/no/such/file"} },
		"keys: entry 1: not an Ed":     func(c *Config) { c.Keys = []string{"-----BEGIN PRIVATE KEY-----\nAAAA"} },
		"keys: entry 1: the first key": func(c *Config) { c.Keys = []string{publicOf(t, key), key} },
		"keys: entry 2: the key with":  func(c *Config) { c.Keys = []string{key, publicOf(t, key)} },
		"keys: entry 2: not an Ed25519 key in PEM": func(c *Config) {
			c.Keys = []string{key, string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: other}))}
		},
	} {
		cfg := DefaultConfig()
		change(&cfg)
		err := cfg.Validate()
		require.Error(t, err, want)
		require.True(t, strings.HasPrefix(err.Error(), want), "%s: %v", want, err)
		require.NotContains(t, err.Error(), strings.Split(key, "\n")[1], "an error never shows a key")
	}
}

// foreignVerifiers are programs of other languages and libraries that print the claims of a result; what make test-integrations-api installs
// is in .cache/integrations, or where the environment says.
func foreignVerifiers(t *testing.T) map[string][]string {
	t.Helper()
	cache, err := filepath.Abs("../.cache/integrations")
	require.NoError(t, err)
	if given := os.Getenv("INTEGRATIONS_CACHE"); given != "" {
		cache = given
	}
	return map[string][]string{
		"node":   {"node", "testdata/verify.mjs"},
		"jose":   {"env", "NODE_PATH=" + filepath.Join(cache, "node_modules"), "node", "testdata/verify_jose.cjs"},
		"python": {filepath.Join(cache, "venv/bin/python"), "testdata/verify.py"},
	}
}

func needVerifier(t *testing.T, name string, command []string) {
	t.Helper()
	if _, err := exec.LookPath(command[0]); err != nil {
		t.Skipf("%s is not installed (make test-integrations-api)", command[0])
	}
	if name != "jose" {
		return
	}
	if _, err := os.Stat(strings.TrimPrefix(command[1], "NODE_PATH=") + "/jose"); err != nil {
		t.Skip("jose is not installed (make test-integrations-api)")
	}
}

// TestForeignVerifiers: they verify a result, also over a rotation, and refuse an altered one and one whose key is withdrawn.
func TestForeignVerifiers(t *testing.T) {
	old, next := newKey(t), newKey(t)
	before, after := newSigner(t, old, next), newSigner(t, next, publicOf(t, old))
	sign := func(s *Signer) string {
		jws, err := s.Sign(session(liveproof.OutcomeLive))
		require.NoError(t, err)
		return jws
	}
	published := func(s *Signer) string {
		keys, err := s.Keys()
		require.NoError(t, err)
		return string(keys)
	}
	first, second := sign(before), sign(after)
	parts := strings.Split(first, ".")
	parts[1] = base64.RawURLEncoding.EncodeToString([]byte(`{"result":"pass"}`))
	for name, command := range foreignVerifiers(t) {
		t.Run(name, func(t *testing.T) {
			needVerifier(t, name, command)
			run := func(jws, keys string) ([]byte, error) {
				return exec.Command(command[0], append(command[1:], jws, keys)...).Output()
			}
			for _, jws := range []string{first, second} {
				out, err := run(jws, published(before))
				require.NoError(t, err)
				var claims map[string]any
				require.NoError(t, json.Unmarshal(out, &claims))
				require.Equal(t, "pass", claims["result"])
			}
			_, err := run(strings.Join(parts, "."), published(before))
			require.Error(t, err, "altered")
			_, err = run(first, published(newSigner(t, next)))
			require.Error(t, err, "its key is withdrawn")
		})
	}
}

// FuzzKeys: whatever a file of keys holds, it is refused or gives a key that signs.
func FuzzKeys(f *testing.F) {
	key := newKey(f)
	for _, s := range []string{key, key + publicOf(f, newKey(f)), publicOf(f, key), "-----BEGIN PRIVATE KEY-----\n-----END PRIVATE KEY-----\n", "x"} {
		f.Add([]byte(strings.TrimPrefix(s, "-----BEGIN")))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		ring, err := readKeys([]string{"-----BEGIN" + string(text)})
		if err != nil {
			return
		}
		require.NotEmpty(t, ring.public.Keys)
		require.Len(t, ring.signing.Key, ed25519.PrivateKeySize)
	})
}
