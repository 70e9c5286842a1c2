package ingest

import (
	"net/http"

	lru "github.com/hashicorp/golang-lru/v2"

	"github.com/liveproof/liveproof"
)

// The demo backend does what an integrator's backend does: it creates sessions
// for its own page and reads them, so that no API key reaches a browser. Its
// sessions belong to the default tenant.

// maxDemoSessions bounds the sessions that the demo page can read, 100 bytes
// each; the longest unused is forgotten first.
const maxDemoSessions = 10_000

// demoSessions are the sessions that this server made for its demo page; no
// other is read without an API key.
type demoSessions struct {
	ids *lru.Cache[liveproof.SessionID, struct{}]
}

func newDemoSessions() (*demoSessions, error) {
	ids, err := lru.New[liveproof.SessionID, struct{}](maxDemoSessions)
	return &demoSessions{ids}, err
}

func (s *Server) demoCreate(w http.ResponseWriter, r *http.Request) error {
	session, err := s.open(w, r, liveproof.DefaultTenant, "", nil) // a visitor must not choose the laxest calibration
	if err != nil {
		return err
	}
	s.demo.ids.Add(session.ID, struct{}{})
	return s.answerCreated(w, r, session)
}

// demoView is what a demo session's own browser is told; a developer reads the whole record.
type demoView struct {
	ID      liveproof.SessionID `json:"id"`
	State   liveproof.State     `json:"state"`
	Result  liveproof.Result    `json:"result"` // pending until the end
	Reasons []liveproof.Reason  `json:"reasons"`
}

func (s *Server) demoRead(w http.ResponseWriter, r *http.Request) error {
	if !s.demo.ids.Contains(liveproof.SessionID(r.PathValue("id"))) {
		return liveproof.ErrNotFound
	}
	session, err := s.session(asTenant(r, liveproof.DefaultTenant))
	if err != nil {
		return err
	}
	v := s.viewOf(session)
	if s.deps.Dev {
		return writeJSON(w, http.StatusOK, v)
	}
	d := demoView{ID: v.ID, State: v.State, Result: "pending", Reasons: []liveproof.Reason{}}
	if v.State.Terminal() {
		d.Result, d.Reasons = v.Verdict.Result(), v.Reasons
	}
	return writeJSON(w, http.StatusOK, d)
}

// demoModel is what the page shows of the model, and the threshold that judges the page's sessions.
type demoModel struct {
	Name      string  `json:"name"`
	Demo      bool    `json:"demo"`
	Threshold float64 `json:"threshold"`
}

func (s *Server) demoConfig(w http.ResponseWriter, _ *http.Request) error {
	m := s.deps.Analyzer.Model()
	threshold, err := s.deps.Analyzer.Threshold(liveproof.Session{Tenant: liveproof.DefaultTenant})
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, struct {
		Dev      bool      `json:"dev"`
		Model    demoModel `json:"model"`
		Detector string    `json:"detector"`
	}{s.deps.Dev, demoModel{m.Name, m.Demo, threshold.Value}, s.deps.Analyzer.Detector()})
}
