package ingest

import (
	"context"
	_ "embed"
	"net/http"
	"time"
)

//go:embed openapi.yaml
var openAPI []byte

func (s *Server) document(w http.ResponseWriter, _ *http.Request) error {
	w.Header().Set("Content-Type", "application/yaml")
	_, _ = w.Write(openAPI)
	return nil
}

// healthz says that the process serves; it asks nobody.
func (s *Server) healthz(w http.ResponseWriter, _ *http.Request) error {
	return writeJSON(w, http.StatusOK, map[string]string{"status": "ok"})
}

// readiness is the body of /readyz: each part is "ok" or what is wrong, without internals.
type readiness struct {
	Ready    bool   `json:"ready"`
	Store    string `json:"store"`
	Model    string `json:"model"`
	Draining bool   `json:"draining"`
	Sessions int    `json:"sessions"`
}

func (s *Server) readyz(w http.ResponseWriter, r *http.Request) error {
	ctx, cancel := context.WithTimeout(r.Context(), 3*time.Second)
	defer cancel()
	storeErr, modelErr := s.dependenciesReady(ctx)
	body := readiness{
		Ready: storeErr == nil && modelErr == nil && !s.draining.Load(),
		Store: okOr(storeErr, "unavailable"), Model: okOr(modelErr, "not_ready"),
		Draining: s.draining.Load(), Sessions: s.calls.count(),
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
