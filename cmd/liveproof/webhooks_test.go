package main

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
	"github.com/stretchr/testify/require"

	"github.com/liveproof/liveproof/internal/redistest"
)

const webhookSecret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"

// hook is a receiver that answers with status and counts the messages whose signature is right.
type hook struct {
	*httptest.Server
	status atomic.Int64
	ids    chan string
}

func newHook(t *testing.T, status int64) *hook {
	t.Helper()
	verifier, err := standardwebhooks.NewWebhook(webhookSecret)
	require.NoError(t, err)
	h := &hook{ids: make(chan string, 1000)}
	h.status.Store(status)
	h.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if verifier.Verify(body, r.Header) == nil {
			h.ids <- r.Header.Get("webhook-id")
		}
		w.WriteHeader(int(h.status.Load()))
	}))
	t.Cleanup(h.Close)
	t.Setenv("LIVEPROOF_WEBHOOKS_URLS", `{bank-a: "`+h.URL+`"}`)
	t.Setenv("LIVEPROOF_WEBHOOKS_SECRETS", `{bank-a: "`+webhookSecret+`"}`)
	t.Setenv("LIVEPROOF_WEBHOOKS_ALLOW_PRIVATE", "true")
	t.Setenv("LIVEPROOF_WEBHOOKS_FIRST_RETRY", "100ms")
	t.Setenv("LIVEPROOF_SESSION_TOKEN_TTL", "1s")
	return h
}

func (h *hook) next(t *testing.T) string {
	t.Helper()
	select {
	case id := <-h.ids:
		return id
	case <-time.After(90 * time.Second):
		t.Fatal("no webhook came")
		return ""
	}
}

// TestWebhookOutlivesItsServer: a session ends, its webhook cannot be delivered, and the server is killed. Another server delivers
// it, with the same id.
func TestWebhookOutlivesItsServer(t *testing.T) {
	h := newHook(t, http.StatusServiceUnavailable)
	db := redistest.Start(t)
	killed := startProcess(t, db.URL())
	made := killed.create("")
	want := made.ID + "-session-expired"
	require.Equal(t, want, h.next(t), "an attempt that the receiver refused")
	killed.kill()
	for len(h.ids) > 0 {
		<-h.ids
	}
	h.status.Store(http.StatusNoContent)
	startProcess(t, db.URL())
	require.Equal(t, want, h.next(t))
}

// TestWebhooksCommand: a dead letter is listed, and sent again on demand.
func TestWebhooksCommand(t *testing.T) {
	h := newHook(t, http.StatusServiceUnavailable)
	t.Setenv("LIVEPROOF_WEBHOOKS_ATTEMPTS", "1")
	db := redistest.Start(t)
	s := startProcess(t, db.URL())
	want := s.create("").ID + "-session-expired"
	require.Equal(t, want, h.next(t))
	command := func(args ...string) (string, error) {
		var out bytes.Buffer
		root := newRootCommand()
		root.SetArgs(append([]string{"webhooks"}, args...))
		root.SetOut(&out)
		err := root.ExecuteContext(t.Context())
		return out.String(), err
	}
	// The receiver's tenant has its key in the environment of the server alone.
	t.Setenv("LIVEPROOF_INGEST_API_KEYS", processKey)
	require.Eventually(t, func() bool {
		out, err := command("list", "--redis", db.URL(), "--json")
		return err == nil && bytes.Contains([]byte(out), []byte(want))
	}, 90*time.Second, 100*time.Millisecond)
	table, err := command("list", "--redis", db.URL())
	require.NoError(t, err)
	require.Contains(t, table, "the receiver answered 503")
	_, err = command("replay", "--redis", db.URL())
	require.ErrorContains(t, err, "--all")
	_, err = command("list")
	require.ErrorContains(t, err, "kept in Redis")
	h.status.Store(http.StatusOK)
	out, err := command("replay", "--redis", db.URL(), want)
	require.NoError(t, err)
	require.Contains(t, out, "1 will be sent again")
	require.Equal(t, want, h.next(t))
	table, err = command("list", "--redis", db.URL())
	require.NoError(t, err)
	require.Contains(t, table, "no dead letters")
}
