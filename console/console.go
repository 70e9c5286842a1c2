package console

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/liveproof/liveproof"
)

// Path is where the handler of New is mounted, with all that is below it.
const Path = "/console"

// Sessions are the records that the page shows. Every call may block on the network within ctx; liveproof.ErrUnavailable says that
// the store does not answer.
type Sessions interface {
	Get(ctx context.Context, id liveproof.SessionID) (liveproof.Session, error)
	List(ctx context.Context, q liveproof.SessionQuery) (liveproof.SessionPage, error)
	Timeline(ctx context.Context, id liveproof.SessionID) ([]liveproof.Sample, error)
}

// Deps are what the page works with; Sessions and Metrics are required.
type Deps struct {
	Sessions Sessions
	Metrics  prometheus.Gatherer
	// Login returns the tenant of an API key, in a time that does not depend on how much of the key is right. Whoever logs in sees
	// the sessions and the figures of that tenant only. With nil nobody logs in, and whoever reaches the page is an operator: for a
	// loopback address only.
	Login func(key string) (tenant string, ok bool)
	// Operator reports whether a key is an operator's, who sees the sessions of all Tenants and the figures of the whole server; nil
	// where there is none. It is asked before Login.
	Operator func(key string) bool
	// Tenants are the tenants that an operator chooses from; empty: liveproof.DefaultTenant.
	Tenants []string
	Log     *slog.Logger     // nil discards
	Now     func() time.Time // nil is time.Now
}

type console struct {
	deps    Deps
	log     *slog.Logger
	now     func() time.Time
	gate    *gate // nil: no login
	numbers *numbers
	budget  *budget

	plainKeys sync.Once // its warning is logged
}

// New returns the page's handler. It is safe for concurrent use and starts no goroutine.
func New(deps Deps) (http.Handler, error) {
	if deps.Sessions == nil || deps.Metrics == nil {
		return nil, errors.New("console: Sessions and Metrics are required")
	}
	c := &console{deps: deps, log: deps.Log, now: deps.Now}
	if c.log == nil {
		c.log = slog.New(slog.DiscardHandler)
	}
	if c.now == nil {
		c.now = time.Now
	}
	if len(c.deps.Tenants) == 0 {
		c.deps.Tenants = []string{liveproof.DefaultTenant}
	}
	c.numbers = &numbers{gather: deps.Metrics, now: c.now}
	c.budget = newBudget(c.now)
	if deps.Login != nil {
		var err error
		if c.gate, err = newGate(c.now); err != nil {
			return nil, fmt.Errorf("console: %w", err)
		}
	}
	return c.handler(), nil
}

func (c *console) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+Path+"/style.css", c.file("style.css", "text/css; charset=utf-8"))
	mux.HandleFunc("GET "+Path+"/console.js", c.file("console.js", "text/javascript; charset=utf-8"))
	mux.HandleFunc("GET "+Path+"/{$}", c.inside(c.showList))
	mux.HandleFunc("GET "+Path+"/server", c.inside(c.showServer))
	mux.HandleFunc("GET "+Path+"/sessions/{id}", c.inside(c.showSession))
	mux.Handle("GET "+Path, http.RedirectHandler(Path+"/", http.StatusSeeOther))
	if c.gate != nil {
		mux.HandleFunc("GET "+loginPath, c.answer(c.showLogin))
		mux.HandleFunc("POST "+loginPath, c.answer(c.logIn))
		mux.HandleFunc("POST "+Path+"/logout", c.answer(c.logOut))
	}
	mux.HandleFunc("GET "+Path+"/", c.answer(func(http.ResponseWriter, *http.Request) error { return errNoPage }))
	// A page of another site cannot log anybody in or out.
	return secured(http.NewCrossOriginProtection().Handler(mux))
}

// secured sets what every answer carries. The referrer policy is not no-referrer, with which browsers send a form's Origin as null.
func secured(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "+
			"form-action 'self'; base-uri 'none'; frame-ancestors 'none'")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "same-origin")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Cache-Control", "no-store")
		next.ServeHTTP(w, r)
	})
}

// scope is whose sessions a visitor sees.
type scope struct {
	Tenant  string
	Choices []string // an operator's; nil for a tenant
	// LoggedIn: the visitor can log out.
	LoggedIn bool
}

// sees reports whether the visitor may see the session.
func (s scope) sees(session liveproof.Session) bool {
	return session.Tenant == s.Tenant || slices.Contains(s.Choices, session.Tenant)
}

// inside serves a page to those who may see it; the others are sent to the login.
func (c *console) inside(page func(http.ResponseWriter, *http.Request, scope) error) http.HandlerFunc {
	return c.answer(func(w http.ResponseWriter, r *http.Request) error {
		visitor, known, err := c.visitor(r)
		if err != nil {
			return err
		}
		if !known {
			http.Redirect(w, r, loginPath, http.StatusSeeOther)
			return nil
		}
		if !c.budget.allow(visitor) {
			w.Header().Set("Retry-After", "5")
			return errTooMuch
		}
		return page(w, r, visitor)
	})
}

func (c *console) visitor(r *http.Request) (s scope, known bool, err error) {
	if c.gate != nil {
		login, known := c.gate.login(r)
		if !known || !login.operator {
			return scope{Tenant: login.tenant, LoggedIn: true}, known, nil
		}
	}
	s = scope{Tenant: c.deps.Tenants[0], Choices: c.deps.Tenants, LoggedIn: c.gate != nil}
	if asked := r.URL.Query().Get("tenant"); asked != "" {
		s.Tenant = asked
	}
	if !slices.Contains(s.Choices, s.Tenant) {
		return s, false, errNoTenant
	}
	return s, true, nil
}

// fault is an answer that is an error page.
type fault struct {
	status int
	text   string
}

// Error implements error.
func (f *fault) Error() string { return f.text }

var (
	errNoPage      = &fault{http.StatusNotFound, "There is no such page."}
	errNoSession   = &fault{http.StatusNotFound, "There is no such session. Its record has expired, it was deleted, or it belongs to another tenant."}
	errNoTenant    = &fault{http.StatusBadRequest, "No API key of the configuration belongs to that tenant."}
	errTooMuch     = &fault{http.StatusTooManyRequests, "These pages were asked for too often, or read too many records. Wait a few seconds."}
	errUnavailable = &fault{http.StatusServiceUnavailable, "The store does not answer. The log of the server says more."}
	errInternal    = &fault{http.StatusInternalServerError, "The page failed. The log of the server says why."}
)

// answer turns an error into a page.
func (c *console) answer(handle func(http.ResponseWriter, *http.Request) error) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		err := handle(w, r)
		if err == nil {
			return
		}
		f := faultOf(err)
		if f == errInternal {
			c.log.Error("console: page failed", "path", r.URL.Path, "err", err)
		}
		if err := render(w, f.status, "fault", frame{Title: http.StatusText(f.status), Content: f.text}); err != nil {
			c.log.Error("console: page failed", "path", r.URL.Path, "err", err)
		}
	}
}

func faultOf(err error) *fault {
	var f *fault
	switch {
	case errors.As(err, &f):
		return f
	case errors.Is(err, liveproof.ErrNotFound):
		return errNoSession
	case errors.Is(err, liveproof.ErrUnavailable), errors.Is(err, context.Canceled):
		return errUnavailable
	}
	return errInternal
}
