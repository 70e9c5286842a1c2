package ingest

import (
	"context"
	"net/http"
	"sync"
	"time"
)

// healthz says that the process serves; it asks nobody.
func (s *Server) healthz(w http.ResponseWriter, _ *http.Request) error {
	return writeJSON(w, http.StatusOK, map[string]string{"status": "ok"})
}

// readyFor is how long an answer of the dependencies counts: /readyz is open
// to everyone, and must not let everyone load the store.
const readyFor = time.Second

// readiness asks the dependencies, one caller at a time.
type readiness struct {
	sessions Sessions
	model    func(context.Context) error // nil is always ready
	now      func() time.Time

	mu                 sync.Mutex
	asked              time.Time
	storeErr, modelErr error
}

func (r *readiness) ask(ctx context.Context) (storeErr, modelErr error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if age := r.now().Sub(r.asked); !r.asked.IsZero() && age >= 0 && age < readyFor {
		return r.storeErr, r.modelErr
	}
	// The answer is for others too: it does not end with this request.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 3*time.Second)
	defer cancel()
	r.storeErr = r.sessions.Ping(ctx)
	if r.model != nil {
		r.modelErr = r.model(ctx)
	}
	r.asked = r.now()
	return r.storeErr, r.modelErr
}

// readinessView is the body of /readyz: each part is "ok" or what is wrong, without internals.
type readinessView struct {
	Ready    bool   `json:"ready"`
	Store    string `json:"store"`
	Model    string `json:"model"`
	Draining bool   `json:"draining"`
	Sessions int    `json:"sessions"`
}

func (s *Server) readyz(w http.ResponseWriter, r *http.Request) error {
	storeErr, modelErr := s.ready.ask(r.Context())
	body := readinessView{
		Ready: storeErr == nil && modelErr == nil && !s.draining.Load(),
		Store: okOr(storeErr, "unavailable"), Model: okOr(modelErr, "not_ready"),
		Draining: s.draining.Load(), Sessions: s.live.Count(),
	}
	if body.Ready {
		return writeJSON(w, http.StatusOK, body)
	}
	s.log.Debug("not ready", "store", storeErr, "model", modelErr, "draining", body.Draining)
	w.Header().Set("Retry-After", "5")
	return writeJSON(w, http.StatusServiceUnavailable, body)
}

func okOr(err error, bad string) string {
	if err == nil {
		return "ok"
	}
	return bad
}
