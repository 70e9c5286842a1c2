package ingest

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"time"

	"github.com/liveproof/liveproof"
	"github.com/liveproof/liveproof/internal/ids"
)

// Server-sent events of a session (WHATWG HTML, section 9.2), for the page or program of somebody who has to know how it stands,
// such as the agent of a call.

// typeEvents is the media type of a stream of events.
const typeEvents = "text/event-stream"

// reader is the body of the 201 to POST /v1/sessions/{id}/read_token.
type reader struct {
	ReadToken string    `json:"read_token"`
	ExpiresAt time.Time `json:"expires_at"`
	// EventsURL has the token in its query, because the EventSource of browsers sends no header.
	EventsURL string `json:"events_url"`
}

// createReadToken issues a token that reads the session's events and does nothing else, for as long as the session is kept.
func (s *Server) createReadToken(w http.ResponseWriter, r *http.Request) error {
	session, err := s.session(r)
	if err != nil {
		return err
	}
	token, err := s.readTokens.issue(session.ID, session.ExpiresAt)
	if err != nil {
		return err
	}
	base := s.baseURL(r)
	return writeJSON(w, http.StatusCreated, reader{
		ReadToken: token, ExpiresAt: session.ExpiresAt.UTC(),
		EventsURL: base + "/v1/sessions/" + string(session.ID) + "/events?token=" + url.QueryEscape(token),
	})
}

// followSession is GET /v1/sessions/{id}/events, with an API key or a read token.
func (s *Server) followSession(w http.ResponseWriter, r *http.Request) error {
	limit, read := s.perAddress, s.sessionOfReader
	if _, isKey := s.keys.find(bearer(r)); isKey {
		limit, read = s.withKey, s.session
	}
	return limit(func(w http.ResponseWriter, r *http.Request) error {
		session, err := read(r)
		if err != nil {
			return err
		}
		return s.stream(w, r, session)
	})(w, r)
}

// sessionOfReader reads the session that the path names, for the holder of one of its read tokens. Only a read token may be in the
// query, which proxies may log: it shows one session, and opens nothing.
func (s *Server) sessionOfReader(r *http.Request) (liveproof.Session, error) {
	id, ok := ids.ParseSession(r.PathValue("id"))
	if !ok {
		return liveproof.Session{}, liveproof.ErrNotFound
	}
	token := bearer(r)
	if token == "" {
		token = r.URL.Query().Get("token")
	}
	if _, err := s.readTokens.verify(token, id); err != nil {
		return liveproof.Session{}, s.countRefusal(err)
	}
	return s.deps.Sessions.Get(r.Context(), id)
}

// stream writes the session's state now and after every change, until the session or the server ends, the listener is gone or a newer one takes
// its place. A
// record that cannot be read ends the stream too: whoever hears nothing must not take the last state for the present one.
func (s *Server) stream(w http.ResponseWriter, r *http.Request, session liveproof.Session) error {
	if session.State.Terminal() && r.Header.Get("Last-Event-ID") == s.eventOf(session).id() {
		w.WriteHeader(http.StatusNoContent) // an EventSource that has seen the end asks no more
		return nil
	}
	one, err := s.listeners.join(session)
	if err != nil {
		return err
	}
	defer s.listeners.leave(one)
	out := newEventStream(w, s.listeners.pace)
	if r.Method == http.MethodHead {
		return nil
	}
	for {
		if out.show(s.eventOf(session)) != nil {
			return nil // the listener is gone or too slow
		}
		if session.State.Terminal() {
			_ = out.end(session.ID, string(session.State)) // the listener is gone: nobody to tell
			return nil
		}
		if !s.await(r, one) {
			return nil
		}
		next, err := s.deps.Sessions.Get(r.Context(), session.ID)
		if errors.Is(err, liveproof.ErrNotFound) {
			_ = out.end(session.ID, stateDeleted)
			return nil
		}
		if err != nil {
			return err
		}
		session = next
	}
}

// await waits until the record is to be read again; false ends the stream.
func (s *Server) await(r *http.Request, one *listener) bool {
	timer := time.NewTimer(s.listeners.reread)
	defer timer.Stop()
	select {
	case <-r.Context().Done():
		return false
	case <-s.listeners.closed:
		return false
	case <-one.displaced:
		return false
	case <-one.changed:
	case <-timer.C:
	}
	return true
}

// stateDeleted is the last state of a session whose record is gone.
const stateDeleted = "deleted"

// sessionEvent is the data of an event "state": what GET shows, and ρ only in dev mode.
type sessionEvent struct {
	view
	Score     *float64  `json:"score,omitempty"`
	ChangedAt time.Time `json:"changed_at"`
}

func (s *Server) eventOf(x liveproof.Session) sessionEvent {
	e := sessionEvent{view: s.viewOf(x), ChangedAt: changedAt(x, s.now()).UTC()}
	if s.deps.Dev {
		e.Score = &e.view.Score
	}
	return e
}

// changedAt is since when the state and the verdict are what they are at now.
func changedAt(s liveproof.Session, now time.Time) time.Time {
	switch {
	case s.Lapsed(now) && s.Verdict.Outcome != s.Current(now).Outcome:
		return s.Lease.Until
	case s.ChangedAt.IsZero():
		return s.CreatedAt
	}
	return s.ChangedAt
}

// id names what the event tells: the same state, verdict, reasons and time have the same id. Counts of frames do not matter.
func (e sessionEvent) id() string {
	parts := []string{string(e.State), string(e.Verdict), e.ChangedAt.Format(time.RFC3339Nano)}
	for _, reason := range e.Reasons {
		parts = append(parts, string(reason))
	}
	return hash(parts...)[:16]
}

// eventStream writes events to one listener.
type eventStream struct {
	pace
	w       http.ResponseWriter
	control *http.ResponseController
	shown   string // id of the last state
	wrote   time.Time
}

// newEventStream sets the headers of the answer.
func newEventStream(w http.ResponseWriter, p pace) *eventStream {
	h := w.Header()
	h.Set("Content-Type", typeEvents)
	h.Set("Cache-Control", "no-store")
	h.Set("X-Accel-Buffering", "no") // nginx must not hold events back
	control := http.NewResponseController(w)
	_ = control.SetReadDeadline(time.Time{}) // the server's timeouts are for requests; not supported: it has none
	return &eventStream{pace: p, w: w, control: control}
}

// show writes the state if it differs from the last one, and else a comment when nothing was written for a while.
func (o *eventStream) show(e sessionEvent) error {
	id := e.id()
	switch {
	case id != o.shown:
		o.shown = id
		return o.event("state", id, e)
	case time.Since(o.wrote) >= o.keepAlive:
		return o.write([]byte(": keep-alive\n\n"))
	}
	return nil
}

// end tells that nothing more will come, and in which state the session ended.
func (o *eventStream) end(id liveproof.SessionID, state string) error {
	return o.event("end", "", map[string]string{"id": string(id), "state": state})
}

// event writes one event. JSON has no line breaks, so it is one line of data.
func (o *eventStream) event(kind, id string, data any) error {
	text, err := json.Marshal(data)
	if err != nil {
		return err
	}
	var b bytes.Buffer
	b.WriteString("event: " + kind + "\n")
	if id != "" {
		b.WriteString("id: " + id + "\n")
	}
	b.WriteString("data: ")
	b.Write(text)
	b.WriteString("\n\n")
	return o.write(b.Bytes())
}

// write sends the bytes now, or fails when the listener does not take them in time.
func (o *eventStream) write(b []byte) error {
	o.wrote = time.Now()
	if err := o.control.SetWriteDeadline(o.wrote.Add(o.pace.write)); err != nil && !errors.Is(err, http.ErrNotSupported) {
		return err
	}
	if _, err := o.w.Write(b); err != nil {
		return err
	}
	if err := o.control.Flush(); err != nil {
		return err
	}
	_ = o.control.SetWriteDeadline(time.Time{}) // one of HTTP/2 ends a stream on which nothing is being written, too
	return nil
}
