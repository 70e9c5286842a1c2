package examples

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"html"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
	"github.com/stretchr/testify/require"

	"github.com/liveproof/liveproof"
	"github.com/liveproof/liveproof/results"
)

// post is a tenant's address, to which a real server sends webhooks.
type post struct {
	url      string
	messages chan message
}

type message struct {
	headers http.Header
	body    string
}

func newPost(t *testing.T) post {
	t.Helper()
	p := post{messages: make(chan message, 8)}
	receiver := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		p.messages <- message{r.Header, string(body)}
	}))
	t.Cleanup(receiver.Close)
	p.url = receiver.URL
	return p
}

// environment makes a server send its messages here.
func (p post) environment() []string {
	return []string{
		`LIVEPROOF_WEBHOOKS_URLS={default: "` + p.url + `"}`, `LIVEPROOF_WEBHOOKS_SECRETS={default: "` + webhookSecret + `"}`,
		"LIVEPROOF_WEBHOOKS_ALLOW_PRIVATE=true",
	}
}

func (p post) next(t *testing.T) message {
	t.Helper()
	select {
	case m := <-p.messages:
		return m
	case <-time.After(60 * time.Second):
		require.Fail(t, "no webhook came")
		return message{}
	}
}

// altered is a signed result that says pass, with the signature of another one.
func altered(t *testing.T, result string) string {
	t.Helper()
	parts := strings.Split(result, ".")
	payload, err := base64.RawURLEncoding.DecodeString(parts[1])
	require.NoError(t, err)
	var claims map[string]any
	require.NoError(t, json.Unmarshal(payload, &claims))
	claims["result"], claims["altered"] = "pass", true
	payload, err = json.Marshal(claims)
	require.NoError(t, err)
	parts[1] = base64.RawURLEncoding.EncodeToString(payload)
	return strings.Join(parts, ".")
}

// service stands for a Liveproof server whose results can be made at will.
type service struct {
	process
	signer   *results.Signer
	external string // external_id of the last session
	made     int
	asked    atomic.Int64 // for the keys
	broken   atomic.Bool  // has no keys to give
}

func newService(t *testing.T, signer *results.Signer) *service {
	t.Helper()
	s := &service{signer: signer}
	keys, err := signer.Keys()
	require.NoError(t, err)
	mux := http.NewServeMux()
	mux.HandleFunc("GET /.well-known/jwks.json", func(w http.ResponseWriter, _ *http.Request) {
		s.asked.Add(1)
		if s.broken.Load() {
			w.WriteHeader(http.StatusInternalServerError)
			return
		}
		_, _ = w.Write(keys)
	})
	mux.HandleFunc("POST /v1/sessions", func(w http.ResponseWriter, r *http.Request) {
		var creation struct {
			ExternalID string `json:"external_id"`
		}
		_ = json.NewDecoder(r.Body).Decode(&creation)
		s.external = creation.ExternalID
		s.made++
		_, _ = fmt.Fprintf(w, `{"id":"01JD4Z5T8Q0V9X2B3C4D5E6F%02d"}`, s.made)
	})
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	s.process = process{server.URL, "key"}
	return s
}

func newSigner(t *testing.T, issuer string, now func() time.Time) *results.Signer {
	t.Helper()
	cfg := results.DefaultConfig()
	key, err := results.NewKey()
	require.NoError(t, err)
	cfg.Keys, cfg.Issuer = []string{key}, issuer
	signer, err := results.New(cfg, now)
	require.NoError(t, err)
	return signer
}

// passed is a session that somebody has passed just now, before a model that is no demo.
func passed(id, external string) liveproof.Session {
	return liveproof.Session{
		ID: liveproof.SessionID(id), Tenant: "default", Mode: liveproof.ModeOnboarding, ExternalID: external, State: liveproof.StateDecided,
		Model:   liveproof.ModelInfo{Name: "some-model", SHA256: "0f4c"},
		Verdict: liveproof.Verdict{Outcome: liveproof.OutcomeLive, Final: true}, DecidedAt: time.Now(),
	}
}

// TestBackendRefusesResults: only a valid result of this Liveproof, for this tenant, session and visitor, counts.
func TestBackendRefusesResults(t *testing.T) {
	folder := build(t)
	for _, b := range backends {
		t.Run(b.name, func(t *testing.T) {
			s := newService(t, newSigner(t, "liveproof", time.Now))
			visitor, _ := b.start(t, folder, s.process).visit(t)
			made, _ := visitor.create()
			sign := func(change func(*liveproof.Session)) string {
				session := passed(made.ID, s.external)
				change(&session)
				result, err := s.signer.Sign(session)
				require.NoError(t, err)
				return result
			}
			good := sign(func(*liveproof.Session) {})
			stranger, err := newSigner(t, "liveproof", time.Now).Sign(passed(made.ID, s.external))
			require.NoError(t, err)
			parts := strings.Split(good, ".")
			header := func(text string) string {
				return base64.RawURLEncoding.EncodeToString([]byte(text)) + "." + parts[1] + "."
			}
			for what, c := range map[string]struct {
				result string
				status int
			}{
				"nothing":                {"", http.StatusUnauthorized},
				"no result":              {"a.b.c", http.StatusUnauthorized},
				"four parts":             {good + ".x", http.StatusUnauthorized},
				"altered":                {altered(t, good), http.StatusUnauthorized},
				"no signature":           {parts[0] + "." + parts[1] + ".", http.StatusUnauthorized},
				"algorithm none":         {header(`{"alg":"none","typ":"liveproof-result+jwt"}`), http.StatusUnauthorized},
				"a symmetric signature":  {header(`{"alg":"HS256","typ":"liveproof-result+jwt"}`) + parts[2], http.StatusUnauthorized},
				"another kind of token":  {header(`{"alg":"EdDSA","typ":"JWT"}`) + parts[2], http.StatusUnauthorized},
				"another service's key":  {stranger, http.StatusUnauthorized},
				"another tenant's":       {sign(func(s *liveproof.Session) { s.Tenant = "bank-b" }), http.StatusUnauthorized},
				"a demo model's":         {sign(func(s *liveproof.Session) { s.Model.Demo = true }), http.StatusUnauthorized},
				"no model's":             {sign(func(s *liveproof.Session) { s.Model = liveproof.ModelInfo{} }), http.StatusUnauthorized},
				"of a while ago":         {sign(func(s *liveproof.Session) { s.DecidedAt = time.Now().Add(-11 * time.Minute) }), http.StatusUnauthorized},
				"of a session to come":   {sign(func(s *liveproof.Session) { s.DecidedAt = time.Now().Add(2 * time.Minute) }), http.StatusUnauthorized},
				"another person's":       {sign(func(s *liveproof.Session) { s.ExternalID = "somebody" }), http.StatusNotFound},
				"a session never begun":  {sign(func(s *liveproof.Session) { s.ID = "01JD4Z5T8Q0V9X2B3C4D5E6F7G" }), http.StatusNotFound},
				"a call, not onboarding": {sign(func(s *liveproof.Session) { s.Mode = liveproof.ModeCall }), http.StatusNotFound},
			} {
				status, body := visitor.bring(c.result)
				require.Equal(t, c.status, status, "%s: %s", what, body)
				require.Equal(t, "wait", visitor.decision(made.ID), what)
			}
			require.Equal(t, "accept", visitor.decided(visitor.bring(good)))
		})
	}
}

// TestBackendRefusesResultsOfOtherTimesAndServices: signed by the right key, with an end that is over or another issuer.
func TestBackendRefusesResultsOfOtherTimesAndServices(t *testing.T) {
	folder := build(t)
	for what, signer := range map[string]*results.Signer{
		"expired":         newSigner(t, "liveproof", func() time.Time { return time.Now().Add(-results.DefaultConfig().TTL - time.Second) }),
		"another service": newSigner(t, "https://liveness.example.org", time.Now),
	} {
		for _, b := range backends {
			t.Run(what+"/"+b.name, func(t *testing.T) {
				visitor, _ := b.start(t, folder, newService(t, signer).process).visit(t)
				visitor.create()
				result, err := signer.Sign(passed("01JD4Z5T8Q0V9X2B3C4D5E6F7G", "somebody"))
				require.NoError(t, err)
				status, body := visitor.bring(result)
				require.Equal(t, http.StatusUnauthorized, status, body)
			})
		}
	}
}

// hook is a signed message that a session was passed just now.
func hook(t *testing.T, secret, id string, sent time.Time, session, external string) message {
	t.Helper()
	return signed(t, secret, id, sent, told(session, external, time.Now(), false))
}

// told is the body of a message that a session was passed.
func told(session, external string, decided time.Time, demo bool) string {
	return fmt.Sprintf(`{"type":"session.decided","data":{"id":%q,"external_id":%q,"result":"pass","decided_at":%q,`+
		`"model":{"name":"some-model","sha256":"0f4c","demo":%v}}}`, session, external, decided.UTC().Format(time.RFC3339Nano), demo)
}

func signed(t *testing.T, secret, id string, sent time.Time, body string) message {
	t.Helper()
	signer, err := standardwebhooks.NewWebhook(secret)
	require.NoError(t, err)
	signature, err := signer.Sign(id, sent, []byte(body))
	require.NoError(t, err)
	headers := http.Header{}
	headers.Set("webhook-id", id)
	headers.Set("webhook-timestamp", fmt.Sprint(sent.Unix()))
	headers.Set("webhook-signature", "v1,c2lnbmF0dXJl "+signature) // of an old secret, and of the current one
	return message{headers, body}
}

// TestBackendRefusesWebhooks: only a message that Liveproof signed just now counts, and only once.
func TestBackendRefusesWebhooks(t *testing.T) {
	folder := build(t)
	for _, b := range backends {
		t.Run(b.name, func(t *testing.T) {
			s := newService(t, newSigner(t, "liveproof", time.Now))
			site := b.start(t, folder, s.process)
			visitor, _ := site.visit(t)
			made, _ := visitor.create()
			receive := func(m message) int {
				receiver := browser{t, http.DefaultClient, site.url}
				status, _ := receiver.send(http.MethodPost, "/my-backend/webhook", m.body, m.headers)
				return status
			}
			now, good := time.Now(), func(id, session string) message { return hook(t, webhookSecret, id, time.Now(), session, s.external) }
			changed, unsigned, renamed := good("a", made.ID), good("a", made.ID), good("a", made.ID)
			changed.body = strings.Replace(changed.body, "pass", "fail", 1)
			unsigned.headers.Del("webhook-signature")
			renamed.headers.Set("webhook-id", "b")
			for what, m := range map[string]message{
				"another secret":      hook(t, "whsec_bm90IHRoZSBzZWNyZXQgdGhhdCBpcyBzaGFyZWQ=", "a", now, made.ID, s.external),
				"too old":             hook(t, webhookSecret, "a", now.Add(-6*time.Minute), made.ID, s.external),
				"from the future":     hook(t, webhookSecret, "a", now.Add(6*time.Minute), made.ID, s.external),
				"changed":             changed,
				"unsigned":            unsigned,
				"under another id":    renamed,
				"without any headers": {nil, changed.body},
			} {
				require.Equal(t, http.StatusUnauthorized, receive(m), what)
				require.Equal(t, "wait", visitor.decision(made.ID), what)
			}
			require.Equal(t, http.StatusNoContent, receive(good("a", "01JD4Z5T8Q0V9X2B3C4D5E6F7G")), "of a session that was not begun here")
			require.Equal(t, http.StatusNoContent, receive(good("a", made.ID)))
			require.Equal(t, "wait", visitor.decision(made.ID), "an id that was handled is not handled again")
			require.Equal(t, http.StatusNoContent, receive(good("b", made.ID)))
			require.Equal(t, "accept", visitor.decision(made.ID))
		})
	}
}

// TestBackendDecidesByMessages: what must not count lets nobody in and nobody wait, and what failed is handled when it comes again.
func TestBackendDecidesByMessages(t *testing.T) {
	folder := build(t)
	for _, b := range backends {
		t.Run(b.name, func(t *testing.T) {
			s := newService(t, newSigner(t, "liveproof", time.Now))
			strict, trial := b.start(t, folder, s.process), b.start(t, folder, s.process, allowDemo)
			for what, c := range map[string]struct {
				site  process
				age   time.Duration
				demo  bool
				wants string
			}{
				"a demo model's":                {strict, 0, true, "retry"},
				"a demo model's where allowed":  {trial, 0, true, "accept"},
				"of a while ago":                {strict, 11 * time.Minute, false, "retry"},
				"as old where demos are tried":  {trial, 11 * time.Minute, true, "retry"},
				"of a moment ago":               {strict, time.Minute, false, "accept"},
				"of a moment ago, by the trial": {trial, time.Minute, false, "accept"},
			} {
				visitor, _ := c.site.visit(t)
				made, _ := visitor.create()
				receive := func(id, body string) int {
					m := signed(t, webhookSecret, id, time.Now(), body)
					status, _ := browser{t, http.DefaultClient, c.site.url}.send(http.MethodPost, "/my-backend/webhook", m.body, m.headers)
					return status
				}
				id := made.ID + "-session-decided"
				for _, broken := range []string{`{"type":"session.decided"}`, `{"type":"session.decided","data":null}`, `[]`, `{`} {
					require.Equal(t, http.StatusBadRequest, receive(id, broken), broken)
					require.Equal(t, "wait", visitor.decision(made.ID), what)
				}
				require.Equal(t, http.StatusNoContent, receive(id, told(made.ID, s.external, time.Now().Add(-c.age), c.demo)), what)
				require.Equal(t, c.wants, visitor.decision(made.ID), what)
			}
		})
	}
}

// TestBackendAcceptsADemoModelWhereAllowed: and still no result that is old.
func TestBackendAcceptsADemoModelWhereAllowed(t *testing.T) {
	folder := build(t)
	for _, b := range backends {
		t.Run(b.name, func(t *testing.T) {
			s := newService(t, newSigner(t, "liveproof", time.Now))
			visitor, _ := b.start(t, folder, s.process, allowDemo).visit(t)
			made, _ := visitor.create()
			for _, c := range []struct {
				age    time.Duration
				status int
			}{{11 * time.Minute, http.StatusUnauthorized}, {0, http.StatusOK}} {
				session := passed(made.ID, s.external)
				session.Model.Demo, session.DecidedAt = true, time.Now().Add(-c.age)
				result, err := s.signer.Sign(session)
				require.NoError(t, err)
				status, body := visitor.bring(result)
				require.Equal(t, c.status, status, body)
			}
		})
	}
}

// TestBackendAsksForKeysSeldom: whoever sends results with unknown keys makes the backend ask Liveproof once in a while, also while
// that fails; a stranger does not at all.
func TestBackendAsksForKeysSeldom(t *testing.T) {
	folder := build(t)
	for _, b := range backends {
		for name, broken := range map[string]bool{"answered": false, "broken": true} {
			t.Run(b.name+"/"+name, func(t *testing.T) {
				s := newService(t, newSigner(t, "liveproof", time.Now))
				s.broken.Store(broken)
				site := b.start(t, folder, s.process)
				forged, err := newSigner(t, "liveproof", time.Now).Sign(passed("01JD4Z5T8Q0V9X2B3C4D5E6F01", "somebody"))
				require.NoError(t, err)
				stranger, _ := site.visit(t)
				status, _ := stranger.bring(forged)
				require.Equal(t, http.StatusNotFound, status)
				require.Zero(t, s.asked.Load(), "for a visitor without a check")
				visitor, _ := site.visit(t)
				visitor.create()
				begun := time.Now()
				for range 20 {
					status, body := visitor.bring(forged)
					require.Equal(t, http.StatusUnauthorized, status, body)
				}
				require.LessOrEqual(t, s.asked.Load(), 1+int64(time.Since(begun)/(5*time.Second)), "one attempt in 5 s")
			})
		}
	}
}

// TestBackendTellsLiveproofNoCredential: the name of a check at Liveproof is not what identifies the visitor here.
func TestBackendTellsLiveproofNoCredential(t *testing.T) {
	folder := build(t)
	for _, b := range backends {
		t.Run(b.name, func(t *testing.T) {
			s := newService(t, newSigner(t, "liveproof", time.Now))
			visitor, _ := b.start(t, folder, s.process).visit(t)
			at, err := url.Parse(visitor.site)
			require.NoError(t, err)
			visitor.create()
			first := s.external
			visitor.create()
			require.NotEmpty(t, first)
			require.NotEqual(t, first, s.external, "each check has its own name")
			for _, cookie := range visitor.http.Jar.Cookies(at) {
				require.NotContains(t, first+s.external, cookie.Value)
			}
		})
	}
}

// TestBackendBoundsChecks: a visitor cannot begin any number of sessions, which cost the tenant.
func TestBackendBoundsChecks(t *testing.T) {
	folder := build(t)
	for _, b := range backends {
		t.Run(b.name, func(t *testing.T) {
			s := newService(t, newSigner(t, "liveproof", time.Now))
			site := b.start(t, folder, s.process)
			visitor, _ := site.visit(t)
			for range 10 {
				visitor.create()
			}
			status, body := visitor.do(http.MethodPost, "/my-backend/liveness-session")
			require.Equal(t, http.StatusTooManyRequests, status, body)
			require.Equal(t, 10, s.made)
			other, _ := site.visit(t)
			other.create()
		})
	}
}

// TestPageTakesAnyAddress: the address stands in attributes, where HTML's escapes are enough, and never in a script.
func TestPageTakesAnyAddress(t *testing.T) {
	folder := build(t)
	const address = "http://127.0.0.1:1/`${alert(1)}'\"><script>"
	for _, b := range backends {
		t.Run(b.name, func(t *testing.T) {
			_, page := b.start(t, folder, process{address, "key"}).visit(t)
			require.NotContains(t, page, "{{")
			require.NotContains(t, page, address)
			require.Contains(t, html.UnescapeString(page), `data-liveproof="`+address+`"`)
			_, script, found := strings.Cut(page, `<script type="module">`)
			require.True(t, found)
			require.NotContains(t, script, "127.0.0.1:1")
		})
	}
}
