package examples

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
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
	signer  *results.Signer
	visitor string // external_id of the last session
	made    int
}

func newService(t *testing.T, signer *results.Signer) *service {
	t.Helper()
	s := &service{signer: signer}
	keys, err := signer.Keys()
	require.NoError(t, err)
	mux := http.NewServeMux()
	mux.HandleFunc("GET /.well-known/jwks.json", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(keys) })
	mux.HandleFunc("POST /v1/sessions", func(w http.ResponseWriter, r *http.Request) {
		var creation struct {
			ExternalID string `json:"external_id"`
		}
		_ = json.NewDecoder(r.Body).Decode(&creation)
		s.visitor = creation.ExternalID
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

// passed is a session that the visitor has passed.
func passed(id, visitor string) liveproof.Session {
	return liveproof.Session{
		ID: liveproof.SessionID(id), Tenant: "default", Mode: liveproof.ModeOnboarding, ExternalID: visitor, State: liveproof.StateDecided,
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
				session := passed(made.ID, s.visitor)
				change(&session)
				result, err := s.signer.Sign(session)
				require.NoError(t, err)
				return result
			}
			good := sign(func(*liveproof.Session) {})
			stranger, err := newSigner(t, "liveproof", time.Now).Sign(passed(made.ID, s.visitor))
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
				result, err := signer.Sign(passed("01JD4Z5T8Q0V9X2B3C4D5E6F7G", "somebody"))
				require.NoError(t, err)
				status, body := visitor.bring(result)
				require.Equal(t, http.StatusUnauthorized, status, body)
			})
		}
	}
}

// hook is a signed message that a session was passed.
func hook(t *testing.T, secret, id string, sent time.Time, session, visitor string) message {
	t.Helper()
	signer, err := standardwebhooks.NewWebhook(secret)
	require.NoError(t, err)
	body := fmt.Sprintf(`{"type":"session.decided","data":{"id":%q,"external_id":%q,"result":"pass"}}`, session, visitor)
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
			now, good := time.Now(), func(id, session string) message { return hook(t, webhookSecret, id, time.Now(), session, s.visitor) }
			changed, unsigned, renamed := good("a", made.ID), good("a", made.ID), good("a", made.ID)
			changed.body = strings.Replace(changed.body, "pass", "fail", 1)
			unsigned.headers.Del("webhook-signature")
			renamed.headers.Set("webhook-id", "b")
			for what, m := range map[string]message{
				"another secret":      hook(t, "whsec_bm90IHRoZSBzZWNyZXQgdGhhdCBpcyBzaGFyZWQ=", "a", now, made.ID, s.visitor),
				"too old":             hook(t, webhookSecret, "a", now.Add(-6*time.Minute), made.ID, s.visitor),
				"from the future":     hook(t, webhookSecret, "a", now.Add(6*time.Minute), made.ID, s.visitor),
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
