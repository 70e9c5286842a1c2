package ingest

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/pion/webrtc/v4"

	"github.com/liveproof/liveproof"
	"github.com/liveproof/liveproof/ingest/live"
	"github.com/liveproof/liveproof/internal/cost"
	"github.com/liveproof/liveproof/internal/ids"
	"github.com/liveproof/liveproof/internal/strictjson"
)

// creation is the body of POST /v1/sessions.
type creation struct {
	Mode       liveproof.Mode `json:"mode"`
	ExternalID string         `json:"external_id"`
	DeadlineS  *float64       `json:"deadline_s"`
	// Calibration is a name of the server's configuration. A number would let a request lower the security.
	Calibration string `json:"calibration"`
	// Require adds to what the server's policy requires.
	Require []liveproof.Evidence `json:"require"`
}

// created is the body of its 201.
type created struct {
	ID          liveproof.SessionID `json:"id"`
	ClientToken string              `json:"client_token"`
	// ExpiresAt is until when the token can open its connection.
	ExpiresAt  time.Time          `json:"expires_at"`
	ICEServers []webrtc.ICEServer `json:"ice_servers"`
	SignalURL  string             `json:"signal_url"`
	WHIPURL    string             `json:"whip_url"`
}

func (s *Server) createSession(w http.ResponseWriter, r *http.Request) error {
	tenant := tenantOf(r)
	key := r.Header.Get("Idempotency-Key")
	if len(key) > 255 || strings.ContainsFunc(key, func(c rune) bool { return c < ' ' || c > '~' }) {
		return problem(CodeInvalidRequest, "Idempotency-Key: at most 255 printable ASCII characters")
	}
	if key != "" {
		// The tenant is part of the hash, so that two tenants never share a key.
		key = hash(tenant, key)
	}
	session, err := s.open(w, r, tenant, key, s.deps.Analyzer.Calibrations())
	if err != nil {
		return err
	}
	return s.answerCreated(w, r, session)
}

// open makes the session that the request's body asks for, or finds it again by its key.
// calibrations are the names that the body may ask for.
func (s *Server) open(w http.ResponseWriter, r *http.Request, tenant, idempotencyKey string, calibrations []string) (liveproof.Session, error) {
	body, err := s.readBody(w, r, "application/json", true)
	if err != nil {
		return liveproof.Session{}, err
	}
	session, err := s.newSession(tenant, body, calibrations)
	if err != nil {
		return session, err
	}
	r = continues(r, "") // a demo's session begins a trace
	names(r, session.ID)
	session.Trace = s.traceOf(r)
	if err := s.admit(session.ID); err != nil {
		return session, err
	}
	stored, replayed, err := s.deps.Sessions.Create(r.Context(), session, idempotencyKey, requestHash(session))
	if err != nil || replayed {
		s.live.Unbook(session.ID) // a session found by its Idempotency-Key has another id, and a place of its own
	}
	if err != nil && !errors.Is(err, liveproof.ErrNotFound) {
		return stored, err
	}
	if err != nil || replayed && !s.connectable(stored) {
		return stored, problem(CodeSessionConflict, "the session of this Idempotency-Key can no longer be connected to; use a new key")
	}
	if !replayed {
		s.metrics.created.WithLabelValues(stored.Tenant, string(stored.Mode)).Inc()
		s.log.Info("session created", "session", stored.ID, "tenant", stored.Tenant, "mode", stored.Mode)
	}
	return stored, nil
}

// requestHash tells requests apart that come with the same Idempotency-Key. Without a calibration it is that of version 0.1, so
// that keys outlive an upgrade.
func requestHash(session liveproof.Session) string {
	parts := []string{string(session.Mode), session.ExternalID, session.Deadline.String()}
	if session.Calibration != "" {
		parts = append(parts, session.Calibration)
	}
	if len(session.Require) > 1 { // passive alone was the only evidence of earlier versions
		parts = append(parts, fmt.Sprint(session.Require))
	}
	return hash(parts...)
}

// connectable reports whether a client could connect with a token issued now.
func (s *Server) connectable(session liveproof.Session) bool {
	return session.State == liveproof.StateCreated && !session.Lapsed(s.now())
}

// errNotAdmitted: nothing can be scored now.
var errNotAdmitted = errors.New("scorer is not ready")

// admit books a place for the session, or reports why the server cannot judge one more now.
func (s *Server) admit(id liveproof.SessionID) error {
	if err := s.live.Book(id); err != nil {
		return err
	}
	err := s.canScore()
	if err != nil {
		s.live.Unbook(id)
	}
	return err
}

func (s *Server) canScore() error {
	if s.deps.Admit == nil {
		return nil
	}
	err := s.deps.Admit()
	switch {
	case errors.Is(err, liveproof.ErrUnavailable):
		return fmt.Errorf("%w: %w", errNotAdmitted, err)
	case errors.Is(err, liveproof.ErrOverloaded):
		return fmt.Errorf("%w: %w", s.live.Refuse(live.RefusedQueue), err)
	}
	return err
}

func (s *Server) newSession(tenant string, body []byte, calibrations []string) (liveproof.Session, error) {
	c, err := parseCreation(body)
	if err != nil {
		return liveproof.Session{}, err
	}
	now := s.now().UTC().Truncate(time.Millisecond)
	session := liveproof.Session{
		ID: liveproof.SessionID(ids.New(now)), Tenant: tenant, Mode: c.Mode, ExternalID: c.ExternalID, Calibration: c.Calibration,
		State: liveproof.StateCreated, Verdict: liveproof.Pending(), Deadline: s.deps.Session.Deadline,
		CreatedAt: now, ExpiresAt: now.Add(s.deps.Session.RecordTTL),
		Lease:   liveproof.Lease{Until: now.Add(s.deps.Session.TokenTTL)},
		Require: s.deps.Analyzer.Required(tenant, c.Mode, c.Require), Node: s.ownURL(),
	}
	if c.Calibration != "" && !slices.Contains(calibrations, c.Calibration) {
		return session, invalidField("calibration", "calibration is not a name that may be asked for here; "+among(calibrations))
	}
	if c.DeadlineS != nil {
		least, most := s.deps.MinDeadline.Seconds(), s.deps.Session.MaxDeadline.Seconds()
		if !(*c.DeadlineS >= least && *c.DeadlineS <= most) {
			return session, invalidField("deadline_s", fmt.Sprintf("deadline_s is out of range [%g, %g] seconds", least, most))
		}
		session.Deadline = time.Duration(*c.DeadlineS * float64(time.Second))
	}
	return session, nil
}

// among lists names for a message.
func among(names []string) string {
	if len(names) == 0 {
		return "there is none"
	}
	return "there is " + strings.Join(names, ", ")
}

// parseCreation reads the body strictly; no body is an onboarding session.
func parseCreation(body []byte) (creation, error) {
	c := creation{Mode: liveproof.ModeOnboarding}
	if len(body) > 0 {
		if err := strictJSON(body, &c); err != nil {
			return c, err
		}
	}
	if c.Mode != liveproof.ModeOnboarding && c.Mode != liveproof.ModeCall {
		return c, invalidField("mode", `mode is "onboarding" or "call"`)
	}
	if err := checkRequire(c.Require); err != nil {
		return c, err
	}
	return c, checkExternalID(c.ExternalID)
}

// checkRequire accepts a list of different kinds of evidence.
func checkRequire(list []liveproof.Evidence) error {
	for i, e := range list {
		if !e.Known() || slices.Contains(list[:i], e) {
			return invalidField("require", fmt.Sprintf("require is a list without repetition of %v", liveproof.Evidences()))
		}
	}
	return nil
}

// maxExternalID is in characters, as in openapi.yaml.
const maxExternalID = 128

// checkExternalID accepts text of any script. It refuses characters that change how the text around them is shown, because
// external ids stand in logs and lists.
func checkExternalID(id string) error {
	if utf8.RuneCountInString(id) > maxExternalID || strings.ContainsFunc(id, misleading) {
		return invalidField("external_id", "external_id has at most 128 characters, without control characters and line separators")
	}
	return nil
}

// misleading reports whether r is a control character, a line separator or a mark that changes the direction of text. The
// pattern in openapi.yaml says the same.
func misleading(r rune) bool {
	switch {
	case r < 0x20, r >= 0x7F && r <= 0x9F, r == 0x200E, r == 0x200F, r >= 0x2028 && r <= 0x202E, r >= 0x2066 && r <= 0x2069, r == 0xFEFF:
		return true
	}
	return false
}

// strictJSON decodes a body, which is one JSON object.
func strictJSON(body []byte, into any) error { return refusalOf(strictjson.Object(body, into)) }

// refusalOf is the problem of a body that strictjson refused, for whatever reason; nil for nil.
func refusalOf(err error) error {
	refused, known := errors.AsType[*strictjson.Error](err)
	switch {
	case err == nil:
		return nil
	case !known:
		return problem(CodeInvalidRequest, "the body could not be read")
	case refused.Field == "":
		return problem(CodeInvalidRequest, "the body is "+refused.Detail)
	}
	return invalidField(refused.Field, refused.Detail)
}

func (s *Server) answerCreated(w http.ResponseWriter, r *http.Request, session liveproof.Session) error {
	expires := session.Lease.Until // until when the client may connect
	token, err := s.tokens.issue(session.ID, expires)
	if err != nil {
		return err
	}
	servers := s.deps.RTC.ICEServers(session.ID, s.now())
	if servers == nil {
		servers = []webrtc.ICEServer{}
	}
	base, ws := s.urlsOf(r, session)
	path := "/v1/sessions/" + string(session.ID)
	w.Header().Set("Location", path)
	return writeJSON(w, http.StatusCreated, created{
		ID: session.ID, ClientToken: token, ExpiresAt: expires, ICEServers: servers,
		SignalURL: ws + path + "/signal", WHIPURL: base + path + "/whip",
	})
}

// baseURL is how the client reaches this server.
func (s *Server) baseURL(r *http.Request) string {
	if own := s.ownURL(); own != "" {
		return own
	}
	if s.secured(r) {
		return "https://" + r.Host
	}
	return "http://" + r.Host
}

// view is the body of GET /v1/sessions/{id}.
type view struct {
	ID      liveproof.SessionID   `json:"id"`
	State   liveproof.State       `json:"state"`
	Verdict liveproof.Outcome     `json:"verdict"`
	Score   float64               `json:"score"`
	Reasons []liveproof.Reason    `json:"reasons"`
	Frames  liveproof.FrameCounts `json:"frames"`
	Model   liveproof.ModelInfo   `json:"model"`
	// Threshold judges ρ; nil before streaming, and in records of 0.1.
	Threshold   *liveproof.Threshold `json:"threshold"`
	Detector    string               `json:"detector"`
	Mode        liveproof.Mode       `json:"mode"`
	ExternalID  string               `json:"external_id"`
	Calibration string               `json:"calibration"`
	// Require is the evidence without which the session does not become live; Evidence is what was given.
	Require  []liveproof.Evidence `json:"require"`
	Evidence []liveproof.Evidence `json:"evidence"`
	// InjectionRisk is in [0,1]; InjectionSignal names the strongest signal, "" while the risk is 0.
	InjectionRisk   float64    `json:"injection_risk"`
	InjectionSignal string     `json:"injection_signal"`
	CreatedAt       time.Time  `json:"created_at"`
	ExpiresAt       time.Time  `json:"expires_at"`
	DecidedAt       *time.Time `json:"decided_at"`
}

func (s *Server) readSession(w http.ResponseWriter, r *http.Request) error {
	session, err := s.session(r)
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, s.viewOf(session))
}

// session reads the record that the path names. A session of another tenant is
// not found, as if it did not exist.
func (s *Server) session(r *http.Request) (liveproof.Session, error) {
	id, ok := ids.ParseSession(r.PathValue("id"))
	if !ok {
		return liveproof.Session{}, liveproof.ErrNotFound
	}
	session, err := s.deps.Sessions.Get(r.Context(), id)
	if err == nil && session.Tenant != tenantOf(r) {
		return liveproof.Session{}, liveproof.ErrNotFound
	}
	if err == nil {
		names(r, id)
	}
	return session, err
}

func (s *Server) viewOf(x liveproof.Session) view {
	current := x.Current(s.now())
	v := view{
		ID: x.ID, State: x.State, Verdict: current.Outcome, Score: finite(current.Score), Reasons: current.Reasons,
		Frames: x.Frames, Model: x.Model, Detector: x.Detector, Mode: x.Mode, ExternalID: x.ExternalID, Calibration: x.Calibration,
		Require: evidenceList(x.Require), Evidence: evidenceList(current.Evidence),
		InjectionRisk: current.Injection.Risk, InjectionSignal: current.Injection.Signal,
		CreatedAt: x.CreatedAt.UTC(), ExpiresAt: x.ExpiresAt.UTC(),
	}
	if v.Reasons == nil {
		v.Reasons = []liveproof.Reason{}
	}
	if x.Threshold != (liveproof.Threshold{}) {
		v.Threshold = &x.Threshold
	}
	if v.Verdict == "" {
		v.Verdict = liveproof.OutcomePending
	}
	if !x.DecidedAt.IsZero() {
		at := x.DecidedAt.UTC()
		v.DecidedAt = &at
	}
	return v
}

// evidenceList turns nil into an empty list, which JSON writes as [].
func evidenceList(kinds []liveproof.Evidence) []liveproof.Evidence {
	return append([]liveproof.Evidence{}, kinds...)
}

// timeline is the body of GET /v1/sessions/{id}/timeline.
type timeline struct {
	ID      liveproof.SessionID `json:"id"`
	Samples []liveproof.Sample  `json:"samples"`
}

func (s *Server) readTimeline(w http.ResponseWriter, r *http.Request) error {
	session, err := s.session(r)
	if err != nil {
		return err
	}
	samples, err := s.deps.Sessions.Timeline(r.Context(), session.ID)
	if err != nil {
		return err
	}
	s.charge(w, r, cost.Samples(len(samples)))
	return writeJSON(w, http.StatusOK, timeline{ID: session.ID, Samples: append([]liveproof.Sample{}, samples...)})
}

// deleteSession removes the record, on any node. A running session ends: here at once, on another node when it renews its leases, a second later. Late
// writes find nothing to write to.
func (s *Server) deleteSession(w http.ResponseWriter, r *http.Request) error {
	session, err := s.session(r)
	if err != nil {
		return err
	}
	if err := s.deps.Sessions.Delete(r.Context(), session.ID); err != nil {
		return err
	}
	if c := s.live.Find(session.ID); c != nil {
		c.Abort(liveproof.ReasonDisconnected)
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// readBody reads at most MaxBody bytes of the content type given; optional allows none.
func (s *Server) readBody(w http.ResponseWriter, r *http.Request, contentType string, optional bool) ([]byte, error) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, s.cfg.MaxBody))
	if err != nil {
		if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
			return nil, err
		}
		return nil, problem(CodeInvalidRequest, "the body could not be read")
	}
	if optional && len(body) == 0 {
		return nil, nil
	}
	got, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || got != contentType {
		return nil, problem(CodeUnsupportedMediaType, "the Content-Type must be "+contentType)
	}
	return body, nil
}

func writeJSON(w http.ResponseWriter, status int, v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = w.Write(append(b, '\n')) // the client is gone: nobody to tell
	return nil
}

// hash of parts that cannot run into each other.
func hash(parts ...string) string {
	h := sha256.New()
	for _, p := range parts {
		fmt.Fprintf(h, "%d:%s", len(p), p)
	}
	return hex.EncodeToString(h.Sum(nil))
}
