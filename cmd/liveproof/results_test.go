package main

import (
	"crypto/ed25519"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/stretchr/testify/require"

	"github.com/liveproof/liveproof/results"
)

// TestSignedResultOfAServer: a real server signs the result of a session that nobody connected to.
func TestSignedResultOfAServer(t *testing.T) {
	key, err := results.NewKey()
	require.NoError(t, err)
	file := filepath.Join(t.TempDir(), "key.pem")
	require.NoError(t, os.WriteFile(file, []byte(key), 0o600))
	t.Setenv("LIVEPROOF_SESSION_TOKEN_TTL", "1s")
	t.Setenv("LIVEPROOF_RESULTS_KEYS", file)
	s := startServer(t)
	made := s.create(`{"external_id":"kunde-1"}`)
	s.await(made.ID, "the end", sessionView.terminal)

	req, err := http.NewRequest(http.MethodGet, s.url+"/v1/sessions/"+made.ID+"/result", nil)
	require.NoError(t, err)
	req.Header.Set("Authorization", "Bearer "+made.ClientToken)
	resp, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	defer resp.Body.Close()
	signed, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, resp.StatusCode, "%s", signed)
	private, err := jwt.ParseEdPrivateKeyFromPEM([]byte(key))
	require.NoError(t, err)
	claims := jwt.MapClaims{}
	_, err = jwt.ParseWithClaims(string(signed), claims, func(*jwt.Token) (any, error) { return private.(ed25519.PrivateKey).Public(), nil })
	require.NoError(t, err)
	require.Equal(t, "retry", claims["result"])
	require.Equal(t, "kunde-1", claims["external_id"])
	require.Equal(t, "liveproof", claims["iss"])
	require.Equal(t, "default", claims["aud"])
	require.WithinDuration(t, time.Now(), time.Unix(int64(claims["decided_at"].(float64)), 0), time.Minute)
	require.Equal(t, http.StatusOK, s.api(http.MethodGet, "/.well-known/jwks.json", "", nil))
}

func TestDevelopmentKeyIsAnnounced(t *testing.T) {
	s := startServer(t)
	require.Equal(t, http.StatusOK, s.api(http.MethodGet, "/.well-known/jwks.json", "", nil))
	require.NotEmpty(t, s.log.lines("results are signed with a development key"))
}

// TestServersOfOneRedisHaveOneIssuer: a backend expects one "iss", whichever server signs.
func TestServersOfOneRedisHaveOneIssuer(t *testing.T) {
	key, err := results.NewKey()
	require.NoError(t, err)
	cfg := DefaultConfig()
	cfg.Store.Redis, cfg.Ingest.PublicURL = "redis://redis:6379", "https://node-1.example"
	require.NoError(t, cfg.Validate(), "results are not signed")
	cfg.Results.Keys = []string{key}
	require.ErrorContains(t, cfg.Validate(), "results.issuer: it is empty")
	cfg.Results.Issuer = "https://liveness.example"
	require.NoError(t, cfg.Validate())
	cfg.Results.Issuer, cfg.Store.Redis = "", ""
	require.NoError(t, cfg.Validate(), "one server is its own issuer")
}
