package ingest

import (
	"errors"
	"fmt"
	"io"
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

	// attestationHeader carries the client's opaque statement about itself beside its offer.
	attestationHeader = "Liveproof-Attestation"

	// The two kinds of WHIP URL (RFC 9725, section 3): the endpoint, and the WHIP session that a POST to it creates.
	whipEndpoint = "/v1/sessions/{id}/whip"
	whipResource = "/v1/sessions/{id}/whip/{resource}"
)

var errNoWHIPSession = problem(CodeSessionNotFound, "no such WHIP session, or it has ended")

// firstICESession is the ICE session of the first offer.
const firstICESession = 1

// whipOffer is the POST of RFC 9725, section 4.2. A malformed offer leaves the
// session and its token as they were.
func (s *Server) whipOffer(w http.ResponseWriter, r *http.Request) error {
	session, tokenID, err := s.authorise(r, func(id liveproof.SessionID) (string, error) { return s.verifyClient(r, id, false) })
	if err != nil {
		return err
	}
	if s.elsewhere(session) && !handedOver(r) {
		return s.handOver(w, r, session, tokenID)
	}
	offer, err := s.readWHIP(w, r, typeSDP, "Accept-Post")
	if err != nil {
		return err
	}
	if err := s.deps.RTC.CheckOffer(offer); err != nil {
		return err
	}
	statement := r.Header.Get(attestationHeader)
	if len(statement) > liveproof.MaxAttestation {
		return problem(CodeInvalidRequest, attestationHeader+" is longer than 8192 bytes")
	}
	connection, err := s.live.Connect(r.Context(), session, tokenID, live.Silent{}, nil)
	if err != nil {
		return s.countRefusal(err)
	}
	if statement != "" {
		_ = connection.Attest(statement) // the connection is new: there is no other one
	}
	answer, err := connection.Answer(r.Context(), offer)
	if err != nil {
		connection.HangUp(liveproof.ReasonDisconnected)
		return err
	}
	h := w.Header()
	s.linkICEServers(h, session.ID)
	h.Set("Location", s.ownURL()+r.URL.Path+"/"+connection.ID) // absolute where the node has an address: the client may have been sent here
	h.Set("ETag", etagOf(connection, firstICESession))
	h.Set("Accept-Patch", typeFragment)
	writeSDP(w, http.StatusCreated, typeSDP, answer)
	return nil
}

// readWHIP reads a body of the type; the header tells a client that sent another one which is accepted.
func (s *Server) readWHIP(w http.ResponseWriter, r *http.Request, contentType, header string) (string, error) {
	body, err := s.readBody(w, r, contentType, false)
	if err != nil && problemOf(err).Code == CodeUnsupportedMediaType {
		w.Header().Set("Accept", contentType)
		w.Header().Set(header, contentType)
	}
	return string(body), err
}

func writeSDP(w http.ResponseWriter, status int, contentType, body string) {
	w.Header().Set("Content-Type", contentType)
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = io.Copy(w, strings.NewReader(body)) // the client is gone: nobody to tell
}

// whipNothing is GET and HEAD: WHIP's resources have no representation (RFC 9725,
// section 4.1). Nothing is looked up, so the answer says nothing about a session.
func (s *Server) whipNothing(w http.ResponseWriter, _ *http.Request) error {
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(http.StatusNoContent)
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

// etagOf is the strong entity tag of one of the connection's ICE sessions (RFC 9725, section 4.3.1).
func etagOf(c *live.Connection, iceSession int) string {
	return fmt.Sprintf(`"%s-%d"`, c.ID, iceSession)
}

// whipToken checks the token of a request to a WHIP session's URL. It stays valid for as long as the session's record lives.
func (s *Server) whipToken(r *http.Request) (liveproof.SessionID, string, error) {
	id, ok := ids.ParseSession(r.PathValue("id"))
	if !ok {
		return "", "", liveproof.ErrNotFound
	}
	tokenID, err := s.verifyClient(r, id, true)
	if err != nil {
		return "", "", s.countRefusal(err)
	}
	return id, tokenID, nil
}

// ofWHIP checks that the path names this connection, and that the token opened it. There may be none.
func (s *Server) ofWHIP(r *http.Request, c *live.Connection, tokenID string) error {
	if c == nil || c.ID != r.PathValue("resource") {
		return errNoWHIPSession
	}
	if !c.OpenedBy(tokenID) {
		return s.countRefusal(problem(CodeTokenInvalid, "another client token opened this WHIP session"))
	}
	return nil
}

// whipPatch is the PATCH of RFC 9725, section 4.3.1: candidates for the ICE
// session that If-Match names (204), or an ICE restart (200, section 4.3.3).
func (s *Server) whipPatch(w http.ResponseWriter, r *http.Request) error {
	id, tokenID, err := s.whipToken(r)
	if err != nil {
		return err
	}
	c := s.live.Find(id)
	if c == nil {
		if answered, err := s.toOwner(w, r, id, tokenID); answered || err != nil {
			return err
		}
	}
	if err := s.ofWHIP(r, c, tokenID); err != nil {
		return err
	}
	fragment, err := s.readWHIP(w, r, typeFragment, "Accept-Patch")
	if err != nil {
		return err
	}
	match, err := parseIfMatch(r.Header.Values("If-Match"))
	if err != nil {
		return err
	}
	restarted, err := c.AddFragment(r.Context(), fragment, func(iceSession int) bool { return match.matches(etagOf(c, iceSession)) })
	switch {
	case errors.Is(err, liveproof.ErrDisconnected): // the resource ended with its connection
		return errNoWHIPSession
	case errors.Is(err, rtc.ErrBadCandidate): // dropped, and counted by the peer; the others were taken
		c.Log.Debug("trickled candidates", "err", err)
	case err != nil:
		return err
	}
	w.Header().Set("Accept-Patch", typeFragment)
	if restarted == nil {
		w.WriteHeader(http.StatusNoContent) // without an ETag: section 4.3.2
		return nil
	}
	w.Header().Set("ETag", etagOf(c, restarted.Session))
	writeSDP(w, http.StatusOK, typeFragment, restarted.Fragment)
	return nil
}

// whipEnd is the DELETE of RFC 9725, section 4.2. It is idempotent while the session's record lives.
// An If-Match is ignored, as section 4.3.1 wants it.
func (s *Server) whipEnd(w http.ResponseWriter, r *http.Request) error {
	id, tokenID, err := s.whipToken(r)
	if err != nil {
		return err
	}
	c := s.live.Find(id)
	if c == nil {
		if answered, err := s.toOwner(w, r, id, tokenID); answered || err != nil {
			return err
		}
		return s.whipEnded(w, r, id)
	}
	if err := s.ofWHIP(r, c, tokenID); err != nil {
		return err
	}
	c.HangUp(liveproof.ReasonDisconnected)
	w.WriteHeader(http.StatusOK)
	return nil
}

// whipEnded answers a DELETE whose session is not connected to this server.
func (s *Server) whipEnded(w http.ResponseWriter, r *http.Request, id liveproof.SessionID) error {
	session, err := s.deps.Sessions.Get(r.Context(), id)
	if err != nil {
		return err
	}
	if !session.State.Terminal() {
		return problem(CodeSessionNotFound, "no such WHIP session on this server")
	}
	w.WriteHeader(http.StatusOK)
	return nil
}

// whipOptions is OPTIONS (RFC 9725, section 4.2), also as a CORS preflight. A
// client with a valid token, which a preflight never has, is told the STUN and
// TURN servers (section 4.6), because some cannot take them after their offer.
func (s *Server) whipOptions(w http.ResponseWriter, r *http.Request) error {
	w.Header().Set("Accept-Post", typeSDP)
	if r.PathValue("resource") != "" {
		w.Header().Set("Accept-Patch", typeFragment)
	}
	if id, ok := ids.ParseSession(r.PathValue("id")); ok {
		if _, err := s.verifyClient(r, id, false); err == nil {
			s.linkICEServers(w.Header(), id)
		}
	}
	w.WriteHeader(http.StatusOK)
	return nil
}
