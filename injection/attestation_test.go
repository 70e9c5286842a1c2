package injection

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/liveproof/liveproof"
)

type attestor func(context.Context, string) (bool, error)

func (a attestor) Attest(ctx context.Context, _ liveproof.SessionID, s string) (bool, error) {
	return a(ctx, s)
}

type senderOf liveproof.Sender

func (s senderOf) Sender() liveproof.Sender { return liveproof.Sender(s) }

func TestAttestation(t *testing.T) {
	hangs := func(ctx context.Context, _ string) (bool, error) { <-ctx.Done(); return true, ctx.Err() }
	for name, test := range map[string]struct {
		statement string
		attestor  attestor
		require   bool
		risk      float64 // -1: none
		withheld  bool
	}{
		"verified":                     {"good", func(_ context.Context, s string) (bool, error) { return s == "good", nil }, true, 0, false},
		"refused":                      {"bad", func(context.Context, string) (bool, error) { return false, nil }, false, 1, true},
		"refused, required":            {"bad", func(context.Context, string) (bool, error) { return false, nil }, true, 1, true},
		"none came":                    {"", hangs, false, -1, false},
		"none came, required":          {"", hangs, true, -1, true},
		"the verifier fails":           {"good", func(context.Context, string) (bool, error) { return true, errors.New("down") }, false, -1, false},
		"the verifier fails, required": {"good", func(context.Context, string) (bool, error) { return true, errors.New("down") }, true, -1, true},
		"the verifier hangs, required": {"good", hangs, true, -1, true},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				cfg := DefaultConfig()
				cfg.Attestation.Require = test.require
				w := New(cfg, "session", test.attestor, nil)
				w.follow(senderOf{Attestation: test.statement})
				view := liveproof.View{Image: liveproof.NewImage(64, 48)}
				first, err := w.Examine(t.Context(), view)
				require.NoError(t, err)
				require.Equal(t, test.require, len(first.Reasons) > 0, "nothing is known yet")
				time.Sleep(time.Minute)
				found, err := w.Examine(t.Context(), view)
				require.NoError(t, err)
				risk, measured := found.Signals["injection.risk.attestation"]
				require.Equal(t, test.risk >= 0, measured)
				require.InDelta(t, max(test.risk, 0), risk, 1e-9)
				require.Equal(t, test.withheld, len(found.Reasons) > 0)
			})
		})
	}
}

func TestVerifier(t *testing.T) {
	for name, test := range map[string]struct {
		status   int
		answer   string
		verified bool
		fails    bool
	}{
		"verified":      {200, `{"verified":true,"level":3}`, true, false},
		"refused":       {200, `{"verified":false}`, false, false},
		"says nothing":  {200, `{}`, false, true},
		"no JSON":       {200, `yes`, false, true},
		"an error":      {500, `{"verified":true}`, false, true},
		"a redirect":    {302, `{"verified":true}`, false, true},
		"null":          {200, `{"verified":null}`, false, true},
		"a long answer": {200, `{"verified":true,"x":"` + strings.Repeat("x", maxAnswer) + `"}`, false, true},
	} {
		t.Run(name, func(t *testing.T) {
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				var asked map[string]string
				assert.NoError(t, json.NewDecoder(r.Body).Decode(&asked))
				assert.Equal(t, map[string]string{"session": "id", "attestation": "statement"}, asked)
				w.Header().Set("Location", "/elsewhere")
				w.WriteHeader(test.status)
				_, _ = w.Write([]byte(test.answer))
			}))
			defer server.Close()
			cfg := DefaultConfig().Attestation
			cfg.URL = server.URL
			verified, err := NewVerifier(cfg).Attest(t.Context(), "id", "statement")
			require.Equal(t, test.fails, err != nil, "%v", err)
			require.Equal(t, test.verified, verified)
		})
	}
	require.Nil(t, NewVerifier(AttestationConfig{}))
}

// FuzzVerifiersAnswer: only a JSON object with a boolean says anything.
func FuzzVerifiersAnswer(f *testing.F) {
	for _, s := range []string{`{"verified":true}`, `{"verified":false}`, `{"verified":"true"}`, `[true]`, `{"verified":true}x`, ``} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, told []byte) {
		verified, err := parseAnswer(told)
		if verified {
			var object map[string]json.RawMessage
			require.NoError(t, err)
			require.NoError(t, json.Unmarshal(told, &object))
		}
	})
}
