// Command backend-go is an integrator's backend: it creates sessions at Liveproof for its page, reads
// their verdicts server to server and decides. Only the standard library is used.
package main

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"html"
	"log"
	"net"
	"net/http"
	"os"
	"regexp"
	"strings"
	"time"
)

// callTimeout bounds one call to Liveproof.
const callTimeout = 5 * time.Second

// sessionID is the form of Liveproof's session ids. Nothing else that a browser sends may get
// into a URL.
var sessionID = regexp.MustCompile(`^[0-9A-HJKMNP-TV-Z]{26}$`)

type backend struct {
	liveproof liveproof
	page      []byte
}

func main() {
	listen := flag.String("listen", "127.0.0.1:8090", "TCP address; port 0 takes a free one")
	page := flag.String("page", "examples/page/index.html", "the page that is served at /")
	flag.Parse()
	log.Fatal(serve(*listen, *page))
}

func serve(listen, page string) error {
	b, err := newBackend(os.Getenv("LIVEPROOF_URL"), os.Getenv("LIVEPROOF_API_KEY"), page)
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

func newBackend(url, apiKey, page string) (*backend, error) {
	url = strings.TrimSuffix(url, "/")
	if url == "" || apiKey == "" {
		return nil, errors.New("set LIVEPROOF_URL (such as http://localhost:8080) and LIVEPROOF_API_KEY")
	}
	text, err := os.ReadFile(page)
	if err != nil {
		return nil, err
	}
	return &backend{
		liveproof: liveproof{url: url, apiKey: apiKey, http: &http.Client{Timeout: callTimeout}},
		page:      []byte(strings.ReplaceAll(string(text), "{{LIVEPROOF_URL}}", html.EscapeString(url))),
	}, nil
}

func (b *backend) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", b.servePage)
	mux.HandleFunc("POST /my-backend/liveness-session", b.createSession)
	mux.HandleFunc("GET /my-backend/result/{id}", b.readResult)
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

func (b *backend) createSession(w http.ResponseWriter, r *http.Request) {
	who := visitor(r)
	if who == "" {
		answer(w, http.StatusUnauthorized, problem{"unauthorized"})
		return
	}
	created, err := b.liveproof.create(r.Context(), who)
	if err != nil {
		fail(w, err)
		return
	}
	answer(w, http.StatusCreated, created)
}

// readResult trusts nothing that the browser says: the verdict is Liveproof's, and it counts
// only for the visitor for whom the session was created.
func (b *backend) readResult(w http.ResponseWriter, r *http.Request) {
	who, id := visitor(r), r.PathValue("id")
	if who == "" || !sessionID.MatchString(id) {
		answer(w, http.StatusNotFound, problem{"session_not_found"})
		return
	}
	s, err := b.liveproof.read(r.Context(), id)
	if err != nil {
		fail(w, err)
		return
	}
	if s.ExternalID != who {
		answer(w, http.StatusNotFound, problem{"session_not_found"})
		return
	}
	decision := decide(s)
	if t := s.Threshold; t != nil && decision != wait {
		log.Printf("session %s: %s, by the threshold %v of the %s %s", id, decision, t.Value, t.Source, t.CalibrationSHA256) //nolint:gosec // the id matched sessionID
	}
	answer(w, http.StatusOK, map[string]string{"decision": decision})
}

type problem struct {
	Code string `json:"code"`
}

// fail logs the cause for the operator and tells the browser only whether to try again.
func fail(w http.ResponseWriter, err error) {
	log.Print(err)
	if refused, ok := errors.AsType[refusal](err); ok {
		switch refused.status {
		case http.StatusNotFound, http.StatusTooManyRequests, http.StatusServiceUnavailable:
			answer(w, refused.status, problem{refused.Code})
			return
		}
	}
	answer(w, http.StatusBadGateway, problem{"liveness_unavailable"})
}

func answer(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body)
}
