// Command backend-go is an integrator's backend: it creates sessions at Liveproof for its page, verifies the signed
// results that the page brings, receives Liveproof's webhooks, and decides. Only the standard library is used.
package main

import (
	"cmp"
	"crypto/rand"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"html"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"strings"
	"time"
)

const (
	callTimeout = 5 * time.Second // of one call to Liveproof
	maxBody     = 64 << 10        // of a request, in bytes
)

type backend struct {
	liveproof  liveproof
	verifier   verifier
	webhookKey []byte // nil: no webhooks
	allowDemo  bool   // accept what a demo model has judged
	checks     *checks
	page       []byte
}

func main() {
	listen := flag.String("listen", "127.0.0.1:8090", "TCP address; port 0 takes a free one")
	page := flag.String("page", "examples/page/index.html", "the page that is served at /")
	flag.Parse()
	log.Fatal(serve(*listen, *page))
}

func serve(listen, page string) error {
	b, err := newBackend(page)
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", listen)
	if err != nil {
		return err
	}
	fmt.Printf("listening on http://%s\n", listener.Addr())
	server := http.Server{Handler: b.routes(), ReadTimeout: 10 * time.Second, WriteTimeout: 30 * time.Second}
	return server.Serve(listener)
}

func newBackend(page string) (*backend, error) {
	url, apiKey := strings.TrimSuffix(os.Getenv("LIVEPROOF_URL"), "/"), os.Getenv("LIVEPROOF_API_KEY")
	if url == "" || apiKey == "" {
		return nil, errors.New("set LIVEPROOF_URL (such as http://localhost:8080) and LIVEPROOF_API_KEY")
	}
	key, err := webhookKey(os.Getenv("LIVEPROOF_WEBHOOK_SECRET"))
	if err != nil {
		return nil, err
	}
	text, err := os.ReadFile(page)
	if err != nil {
		return nil, err
	}
	client := &http.Client{Timeout: callTimeout}
	return &backend{
		liveproof: liveproof{url: url, apiKey: apiKey, http: client},
		verifier: verifier{
			issuer: cmp.Or(os.Getenv("LIVEPROOF_ISSUER"), "liveproof"), tenant: cmp.Or(os.Getenv("LIVEPROOF_TENANT"), "default"),
			keys: &keySet{url: url + "/.well-known/jwks.json", http: client},
		},
		webhookKey: key,
		allowDemo:  os.Getenv("LIVEPROOF_ALLOW_DEMO_MODEL") == "true",
		checks:     newChecks(),
		page:       []byte(strings.ReplaceAll(string(text), "{{LIVEPROOF_URL}}", html.EscapeString(url))),
	}, nil
}

func (b *backend) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", b.servePage)
	mux.HandleFunc("POST /my-backend/liveness-session", b.beginCheck)
	mux.HandleFunc("POST /my-backend/result", b.receiveResult)
	mux.HandleFunc("GET /my-backend/result/{id}", b.readDecision)
	mux.HandleFunc("POST /my-backend/webhook", b.receiveWebhook)
	return mux
}

// servePage gives every new visitor a secret of their own. The cookie stands in for your login.
func (b *backend) servePage(w http.ResponseWriter, r *http.Request) {
	if visitor(r) == "" {
		http.SetCookie(w, &http.Cookie{ //nolint:gosec // Secure is for https, and this example speaks http
			Name: "visitor", Value: rand.Text(), Path: "/", HttpOnly: true, SameSite: http.SameSiteStrictMode,
		})
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_, _ = w.Write(b.page)
}

// visitor identifies who sent the request, "" for a stranger.
func visitor(r *http.Request) string {
	cookie, err := r.Cookie("visitor")
	if err != nil {
		return ""
	}
	return cookie.Value
}

// beginCheck creates a session for the visitor and remembers whose it is.
func (b *backend) beginCheck(w http.ResponseWriter, r *http.Request) {
	who := visitor(r)
	if who == "" {
		answer(w, http.StatusUnauthorized, problem{"unauthorized"})
		return
	}
	external, ok := b.checks.admit(who)
	if !ok {
		answer(w, http.StatusTooManyRequests, problem{"too_many_checks"})
		return
	}
	created, err := b.liveproof.createSession(r.Context(), external)
	if err != nil {
		fail(w, err)
		return
	}
	var session struct{ ID string }
	if err := json.Unmarshal(created, &session); err != nil {
		fail(w, err)
		return
	}
	b.checks.begin(session.ID, who, external)
	answer(w, http.StatusCreated, created)
}

// readDecision tells what a signed result or a webhook led to.
func (b *backend) readDecision(w http.ResponseWriter, r *http.Request) {
	decision, ok := b.checks.decision(r.PathValue("id"), visitor(r))
	if !ok {
		answer(w, http.StatusNotFound, problem{"session_not_found"})
		return
	}
	answer(w, http.StatusOK, map[string]string{"decision": decision})
}

type problem struct {
	Code string `json:"code"`
}

// fail logs the cause for the operator and tells the browser only whether to try again.
func fail(w http.ResponseWriter, err error) {
	if refused, ok := errors.AsType[refusal](err); ok {
		switch refused.status {
		case http.StatusTooManyRequests, http.StatusServiceUnavailable:
			refuse(w, refused.status, refused.Code, err)
			return
		}
	}
	refuse(w, http.StatusBadGateway, "liveness_unavailable", err)
}

func refuse(w http.ResponseWriter, status int, code string, err error) {
	log.Printf("%s: %v", code, err)
	answer(w, status, problem{code})
}

func answer(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body)
}

// readBody reads a request's body; false when it was too large, or did not come, and was answered.
func readBody(w http.ResponseWriter, r *http.Request) ([]byte, bool) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		refuse(w, http.StatusRequestEntityTooLarge, "body_too_large", err)
		return nil, false
	}
	return body, true
}

func logDecision(session, decision, by string) {
	log.Printf("session %s: %s, by %s", session, decision, by)
}
