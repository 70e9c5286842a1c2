package ingest

import "net/http"

// The demo backend stands where a customer's backend stands: it makes sessions
// for its own page and reads them, so that no API key reaches a browser.

func (s *Server) demoCreate(w http.ResponseWriter, r *http.Request) error { return s.create(w, r, "") }

func (s *Server) demoRead(w http.ResponseWriter, r *http.Request) error { return s.readSession(w, r) }

// demoModel is what the page shows of the model.
type demoModel struct {
	Name      string  `json:"name"`
	Demo      bool    `json:"demo"`
	Threshold float64 `json:"threshold"`
}

func (s *Server) demoConfig(w http.ResponseWriter, _ *http.Request) error {
	m := s.deps.Analyzer.Model()
	return writeJSON(w, http.StatusOK, struct {
		Dev      bool      `json:"dev"`
		Model    demoModel `json:"model"`
		Detector string    `json:"detector"`
	}{s.deps.Dev, demoModel{m.Name, m.Demo, m.Threshold}, s.deps.Analyzer.Detector()})
}
