package ingest

import (
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/pion/webrtc/v4"

	"github.com/liveproof/liveproof"
	"github.com/liveproof/liveproof/ingest/live"
	"github.com/liveproof/liveproof/ingest/rtc"
	"github.com/liveproof/liveproof/internal/ids"
)

const (
	typeSDP      = "application/sdp"
	typeFragment = "application/trickle-ice-sdpfrag"
)

// whipOffer is the POST of RFC 9725, section 4.2. A malformed offer leaves the
// session and its token as they were.
func (s *Server) whipOffer(w http.ResponseWriter, r *http.Request) error {
	session, tokenID, err := s.authorise(r, bearer(r))
	if err != nil {
		return err
	}
	offer, err := s.readBody(w, r, typeSDP, false)
	if err != nil {
		return err
	}
	if err := s.deps.RTC.CheckOffer(string(offer)); err != nil {
		return err
	}
	connection, err := s.live.Connect(r.Context(), session, tokenID, live.Silent{}, nil)
	if err != nil {
		return s.countRefusal(err)
	}
	answer, err := connection.Answer(r.Context(), string(offer))
	if err != nil {
		connection.HangUp(liveproof.ReasonDisconnected)
		return err
	}
	h := w.Header()
	s.linkICEServers(h, session.ID)
	h.Set("Location", r.URL.Path+"/"+connection.ID)
	h.Set("ETag", etagOf(connection))
	h.Set("Accept-Patch", typeFragment)
	h.Set("Content-Type", typeSDP)
	h.Set("Cache-Control", "no-store")
	w.WriteHeader(http.StatusCreated)
	_, _ = w.Write([]byte(answer)) //nolint:gosec // an SDP answer of our own with its own content type, never shown as a page
	return nil
}

// linkICEServers tells the STUN and TURN servers as RFC 9725, section 4.6, wants it.
func (s *Server) linkICEServers(h http.Header, id liveproof.SessionID) {
	for _, server := range s.deps.RTC.ICEServers(id, s.now()) {
		for _, u := range server.URLs {
			h.Add("Link", iceLink(u, server))
		}
	}
}

func iceLink(url string, server webrtc.ICEServer) string {
	link := fmt.Sprintf(`<%s>; rel="ice-server"`, url)
	if password, ok := server.Credential.(string); ok && strings.HasPrefix(url, "turn") {
		link += fmt.Sprintf(`; username=%q; credential=%q; credential-type="password"`, server.Username, password)
	}
	return link
}

// etagOf names the connection's one ICE session (RFC 9725, section 4.3.1).
func etagOf(c *live.Connection) string { return `"` + c.ID + `"` }

// whipSession finds the connection that the path names, for the token that opened it.
func (s *Server) whipSession(r *http.Request) (*live.Connection, error) {
	id, ok := ids.ParseSession(r.PathValue("id"))
	if !ok {
		return nil, liveproof.ErrNotFound
	}
	tokenID, err := s.tokens.verifyConnected(bearer(r), id)
	if err != nil {
		return nil, s.countRefusal(err)
	}
	c := s.live.Find(id)
	if c == nil || c.ID != r.PathValue("resource") {
		return nil, problem(CodeSessionNotFound, "no such WHIP session, or it has ended")
	}
	if !c.OpenedBy(tokenID) {
		return nil, s.countRefusal(problem(CodeTokenInvalid, "another client token opened this WHIP session"))
	}
	return c, nil
}

// whipTrickle is the PATCH of RFC 9725, section 4.3.1: candidates for the ICE
// session that If-Match names. An ICE restart (If-Match: "*" and new
// credentials) gets 422, as that section asks of a server without them.
func (s *Server) whipTrickle(w http.ResponseWriter, r *http.Request) error {
	c, err := s.whipSession(r)
	if err != nil {
		return err
	}
	w.Header().Set("Accept-Patch", typeFragment)
	fragment, err := s.readBody(w, r, typeFragment, false)
	if err != nil {
		return err
	}
	switch match := r.Header.Get("If-Match"); match {
	case "":
		return problem(CodePreconditionRequired, "If-Match with the ETag of the 201 is needed")
	case "*", etagOf(c):
	default:
		return problem(CodePreconditionFailed, "If-Match names another ICE session")
	}
	switch err := c.AddFragment(string(fragment)); {
	case errors.Is(err, liveproof.ErrDisconnected): // the resource ended with its connection
		return problem(CodeSessionNotFound, "no such WHIP session, or it has ended")
	case errors.Is(err, rtc.ErrRestartUnsupported), errors.Is(err, rtc.ErrTooManyCandidates), errors.Is(err, rtc.ErrBadSDP):
		return err
	case err != nil: // a candidate that cannot be used is dropped, and counted by the peer
		c.Log.Debug("trickled candidates", "err", err)
	}
	w.Header().Set("ETag", etagOf(c))
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// whipEnd is the DELETE of RFC 9725, section 4.2.
func (s *Server) whipEnd(w http.ResponseWriter, r *http.Request) error {
	c, err := s.whipSession(r)
	if err != nil {
		return err
	}
	c.HangUp(liveproof.ReasonDisconnected)
	w.WriteHeader(http.StatusOK)
	return nil
}

// options answers OPTIONS, also as a CORS preflight.
func (s *Server) options(w http.ResponseWriter, _ *http.Request, path, allow string) error {
	w.Header().Set("Allow", allow)
	if strings.HasSuffix(path, "/whip") {
		w.Header().Set("Accept-Post", typeSDP)
	} else {
		w.Header().Set("Accept-Patch", typeFragment)
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}
