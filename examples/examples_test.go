// Package examples holds the tests of the examples: each is run as a user runs it, against the real server.
package examples

import (
	"context"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/liveproof/liveproof/publish"
)

// backend is an example of an integrator's backend.
type backend struct {
	name    string
	command func(t *testing.T, folder string) (program string, args []string)
}

var backends = []backend{
	{"go", func(_ *testing.T, folder string) (string, []string) { return folder + "backend-go", nil }},
	{"python", func(t *testing.T, _ string) (string, []string) {
		return python(t), []string{"examples/backend-python/backend.py"}
	}},
	{"node", func(t *testing.T, _ string) (string, []string) {
		return need(t, "node"), []string{"examples/backend-node/backend.mjs"}
	}},
}

func TestJudgeTellsThatNobodyIsThere(t *testing.T) {
	needRuntime(t)
	film := nobody(t)
	cmd := exec.CommandContext(t.Context(), build(t)+"judge", film)
	cmd.Dir, cmd.Stderr = checkout, t.Output()
	out, err := cmd.Output()
	require.NoError(t, err)
	require.Equal(t, film+": inconclusive, score 0.00, reasons [insufficient_evidence no_face]\n", string(out))
}

func TestJudgeNamesTheFileItCannotRead(t *testing.T) {
	needRuntime(t)
	cmd := exec.CommandContext(t.Context(), build(t)+"judge", "no-such-film.mp4")
	cmd.Dir = checkout
	out, err := cmd.CombinedOutput()
	require.Error(t, err)
	require.Contains(t, string(out), "no-such-film.mp4: inconclusive, score 0.00, reasons [unsupported_media]\n")
}

// outcomes are what a session can lead to. The threshold makes the recording live or spoof, whatever the model's scores are.
var outcomes = map[string]struct {
	clip        func(*testing.T) *publish.Clip
	environment []string
}{
	"accept": {person, []string{"LIVEPROOF_VERDICT_THRESHOLD=0.002", "LIVEPROOF_VERDICT_MARGIN=0.001"}},
	"reject": {person, []string{"LIVEPROOF_VERDICT_THRESHOLD=0.998", "LIVEPROOF_VERDICT_MARGIN=0.001"}},
	"retry":  {func(t *testing.T) *publish.Clip { return clip(t, nobody(t)) }, []string{"LIVEPROOF_SESSION_DEADLINE=4s"}},
}

// TestBackendDecides: from the visitor's first request to the decision, by the signed result that the page brings.
func TestBackendDecides(t *testing.T) {
	needRuntime(t)
	folder := build(t)
	for decision, c := range outcomes {
		t.Run(decision, func(t *testing.T) {
			video := c.clip(t)
			server := startServer(t, folder, c.environment)
			for _, b := range backends {
				t.Run(b.name, func(t *testing.T) {
					t.Parallel() // most of the time is the film's own
					site := b.start(t, folder, server, allowDemo)
					visitor, _ := site.visit(t)
					made, body := visitor.create()
					require.NotContains(t, body, server.key)
					send(t, made, video)
					result := ""
					require.Eventually(t, func() bool {
						result = server.result(t, made.ID, made.ClientToken)
						return result != ""
					}, 60*time.Second, 100*time.Millisecond)

					other, _ := site.visit(t)
					status, body := other.bring(result)
					require.Equal(t, http.StatusNotFound, status, "somebody else's result: %s", body)
					other.create()
					status, body = other.bring(result)
					require.Equal(t, http.StatusNotFound, status, "somebody else's, also after a check of one's own: %s", body)
					status, body = visitor.bring(altered(t, result))
					require.Equal(t, http.StatusUnauthorized, status, body)
					require.Equal(t, "wait", visitor.decision(made.ID), "nothing has been decided")
					require.Equal(t, decision, visitor.decided(visitor.bring(result)))
					require.Equal(t, decision, visitor.decision(made.ID))
				})
			}
		})
	}
}

// TestBackendHearsOfTheEnd: the page brings nothing, and Liveproof's own message decides.
func TestBackendHearsOfTheEnd(t *testing.T) {
	needRuntime(t)
	folder := build(t)
	video, post := person(t), newPost(t)
	server := startServer(t, folder, append(outcomes["accept"].environment, post.environment()...))
	for _, b := range backends {
		t.Run(b.name, func(t *testing.T) {
			site := b.start(t, folder, server, allowDemo)
			visitor, _ := site.visit(t)
			made, _ := visitor.create()
			send(t, made, video)
			message := post.next(t)
			require.Contains(t, message.body, made.ID)

			receiver := browser{t, http.DefaultClient, site.url}
			status, body := receiver.send(http.MethodPost, "/my-backend/webhook", message.body+" ", message.headers)
			require.Equal(t, http.StatusUnauthorized, status, "an altered message: %s", body)
			require.Equal(t, "wait", visitor.decision(made.ID))
			for range 2 { // a message may come again
				status, body = receiver.send(http.MethodPost, "/my-backend/webhook", message.body, message.headers)
				require.Equal(t, http.StatusNoContent, status, body)
				require.Equal(t, "accept", visitor.decision(made.ID))
			}
		})
	}
}

// send publishes the clip to a session until it or the test ends.
func send(t *testing.T, to publish.Session, clip *publish.Clip) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	p, err := publish.Connect(ctx, publish.Options{}, to, clip)
	require.NoError(t, err)
	var sent sync.WaitGroup
	sent.Go(func() { _ = p.Send(ctx, clip) }) // the server hangs up when it has decided
	t.Cleanup(func() {
		cancel()
		sent.Wait()
		require.NoError(t, p.Abandon())
	})
}

// TestEnvironmentOfTheReadme: a server with examples/server.env serves a backend with examples/backend.env, and its page.
func TestEnvironmentOfTheReadme(t *testing.T) {
	needRuntime(t)
	folder := build(t)
	environment := func(name string) string {
		out, err := exec.CommandContext(t.Context(), "bash", "-c", `. ./server.env; . ./backend.env; echo -n "${!1}"`, "-", name).Output()
		require.NoError(t, err)
		require.NotEmpty(t, out, name)
		return string(out)
	}
	server := start(t, nil, "bash", "-c", `set -a; . examples/server.env; exec "$@"`, "-",
		folder+"liveproof", "serve", "--listen", "127.0.0.1:0", "--udp-port", "0")
	backend := browser{t, http.DefaultClient, server.url}
	status, body := backend.send(http.MethodPost, "/v1/sessions", "", http.Header{"Authorization": {"Bearer " + environment("LIVEPROOF_API_KEY")}})
	require.Equal(t, http.StatusCreated, status, body)
	require.Equal(t, webhookSecret, environment("LIVEPROOF_WEBHOOK_SECRET"))
	require.Contains(t, environment("LIVEPROOF_WEBHOOKS_SECRETS"), `"`+webhookSecret+`"`)
	require.Equal(t, environment("LIVEPROOF_INGEST_WS_ORIGINS"), environment("LIVEPROOF_INGEST_CORS_ORIGINS"))
	require.Contains(t, environment("LIVEPROOF_WEBHOOKS_URLS"), environment("LIVEPROOF_INGEST_CORS_ORIGINS")+"/my-backend/webhook")
}

func TestBackendTrustsNoBrowser(t *testing.T) {
	needRuntime(t)
	folder := build(t)
	server := startServer(t, folder, nil)
	for _, b := range backends {
		t.Run(b.name, func(t *testing.T) {
			site := b.start(t, folder, server)
			visitor, page := site.visit(t)
			require.Contains(t, page, `src="`+server.url+`/liveness-check.js"`)
			require.NotContains(t, page, server.key)
			made, _ := visitor.create()
			require.Equal(t, "wait", visitor.decision(made.ID))

			stranger := browser{t, http.DefaultClient, site.url}
			other, _ := site.visit(t)
			for what, refused := range map[string]struct {
				who          browser
				method, path string
				status       int
			}{
				"a session of a stranger":  {stranger, http.MethodPost, "/my-backend/liveness-session", http.StatusUnauthorized},
				"a result for a stranger":  {stranger, http.MethodGet, "/my-backend/result/" + made.ID, http.StatusNotFound},
				"somebody else's result":   {other, http.MethodGet, "/my-backend/result/" + made.ID, http.StatusNotFound},
				"no such session":          {visitor, http.MethodGet, "/my-backend/result/" + strings.Repeat("0", 26), http.StatusNotFound},
				"no result":                {visitor, http.MethodPost, "/my-backend/result", http.StatusUnauthorized},
				"a result of a stranger":   {stranger, http.MethodPost, "/my-backend/result", http.StatusNotFound},
				"a path in place of an id": {visitor, http.MethodGet, "/my-backend/result/" + made.ID + "%2Ftimeline", http.StatusNotFound},
			} {
				status, body := refused.who.do(refused.method, refused.path)
				require.Equal(t, refused.status, status, "%s: %s", what, body)
				require.Contains(t, body, `"code"`, what)
			}
		})
	}
}

// TestBackendAsksAgainWithTheSameKey: the answer to the first request is lost, so a session may have been made.
func TestBackendAsksAgainWithTheSameKey(t *testing.T) {
	folder := build(t)
	for _, b := range backends {
		t.Run(b.name, func(t *testing.T) {
			var mu sync.Mutex
			var keys []string
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				mu.Lock()
				defer mu.Unlock()
				if keys = append(keys, r.Header.Get("Idempotency-Key")); len(keys) == 1 {
					panic(http.ErrAbortHandler) // hangs up without an answer
				}
				w.WriteHeader(http.StatusCreated)
				_, _ = w.Write([]byte(`{"id":"7"}`))
			}))
			t.Cleanup(server.Close)
			visitor, _ := b.start(t, folder, process{server.URL, "key"}).visit(t)
			made, _ := visitor.create()
			require.Equal(t, "7", made.ID)
			require.Len(t, keys, 2)
			require.NotEmpty(t, keys[0])
			require.Equal(t, keys[0], keys[1])
			visitor.create()
			require.NotEqual(t, keys[0], keys[2], "another session, another key")
		})
	}
}

// TestBackendWithoutLiveproof: the browser is told only whether to try again.
func TestBackendWithoutLiveproof(t *testing.T) {
	folder := build(t)
	for _, b := range backends {
		t.Run(b.name, func(t *testing.T) {
			for problem, want := range map[int]int{
				http.StatusUnauthorized:       http.StatusBadGateway,
				http.StatusTooManyRequests:    http.StatusTooManyRequests,
				http.StatusServiceUnavailable: http.StatusServiceUnavailable,
			} {
				server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
					w.WriteHeader(problem)
					_, _ = w.Write([]byte(`{"code":"some_code","detail":"a secret of the operator's"}`))
				}))
				visitor, _ := b.start(t, folder, process{server.URL, "key"}).visit(t)
				for range 2 { // with Liveproof's refusal, and with Liveproof gone
					status, body := visitor.do(http.MethodPost, "/my-backend/liveness-session")
					require.Equal(t, want, status, body)
					require.NotContains(t, body, "secret")
					server.Close()
					want = http.StatusBadGateway
				}
			}
		})
	}
}

func TestBackendNeedsItsEnvironment(t *testing.T) {
	folder := build(t)
	for _, b := range backends {
		t.Run(b.name, func(t *testing.T) {
			program, args := b.command(t, folder)
			cmd := exec.CommandContext(t.Context(), program, args...)
			cmd.Dir, cmd.Env = checkout, append(os.Environ(), "LIVEPROOF_URL=http://localhost:8080", "LIVEPROOF_API_KEY=")
			out, err := cmd.CombinedOutput()
			require.Error(t, err)
			require.Contains(t, string(out), "LIVEPROOF_API_KEY")
		})
	}
}
