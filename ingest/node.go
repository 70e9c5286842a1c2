package ingest

import (
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/gorilla/websocket"

	"github.com/liveproof/liveproof"
	"github.com/liveproof/liveproof/ingest/live"
	"github.com/liveproof/liveproof/internal/ids"
)

// A session belongs to the node that created it: the server whose ingest.public_url is in the session's record. The session's client is told
// addresses of that node, so a load balancer in front of the API need not be sticky. A client that comes to another node is sent to the owner.

const (
	// handoverParameter is the query parameter with a handover token.
	handoverParameter = "handover"
	// handoverFor is how long a handover token is good: a redirect is followed at once, and proxies may log the URL.
	handoverFor = 30 * time.Second
	// closeMoved is the WebSocket close code after the message "moved" (4000 to 4999 are for applications; RFC 6455, 7.4.2).
	closeMoved = 4307
)

// ownURL is how clients reach this node; "" when ingest.public_url does not say it.
func (s *Server) ownURL() string { return strings.TrimSuffix(s.cfg.PublicURL, "/") }

// elsewhere reports whether another node owns the session. Nodes with the same public_url, or without one, are not told apart.
func (s *Server) elsewhere(session liveproof.Session) bool {
	own := s.ownURL()
	return own != "" && session.Node != "" && session.Node != own
}

// urlsOf are how the session's client reaches the node that owns it, for HTTP and for WebSocket.
func (s *Server) urlsOf(r *http.Request, session liveproof.Session) (base, ws string) {
	base = session.Node
	if base == "" {
		base = s.baseURL(r)
	}
	return base, socketURL(base)
}

func socketURL(base string) string { return "ws" + strings.TrimPrefix(base, "http") }

// handOver sends the request to the node that owns the session. Browsers drop Authorization when a redirect leads to another origin (Fetch,
// HTTP-redirect fetch), so the URL has a token: of this session alone, and with the id of the client token, so that it opens no second connection.
func (s *Server) handOver(w http.ResponseWriter, r *http.Request, session liveproof.Session, tokenID string) error {
	token, err := s.handovers.issueAs(session.ID, tokenID, s.now().Add(handoverFor))
	if err != nil {
		return err
	}
	query := r.URL.Query()
	query.Set(handoverParameter, token)
	s.metrics.handovers.WithLabelValues("whip").Inc()
	w.Header().Set("Location", session.Node+(&url.URL{Path: r.URL.Path, RawQuery: query.Encode()}).String())
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(http.StatusTemporaryRedirect)
	return nil
}

// handedOver reports whether another node sent the request here. Such a request is not sent on, so nodes that disagree make no loop.
func handedOver(r *http.Request) bool { return r.URL.Query().Has(handoverParameter) }

// handedOverHere reports whether the request has a handover token of the session in its path.
func (s *Server) handedOverHere(r *http.Request) bool {
	id, ok := ids.ParseSession(r.PathValue("id"))
	if !ok || !handedOver(r) {
		return false
	}
	_, err := s.handovers.verify(r.URL.Query().Get(handoverParameter), id)
	return err == nil
}

// verifyClient returns the id of the request's client token, from the header or from a handover token. connected is for the connection that the
// token opened, which may outlive the token.
func (s *Server) verifyClient(r *http.Request, id liveproof.SessionID, connected bool) (tokenID string, err error) {
	raw := bearer(r)
	switch {
	case raw == "" && handedOver(r):
		return s.handovers.verify(r.URL.Query().Get(handoverParameter), id)
	case connected:
		return s.tokens.verifyConnected(raw, id)
	}
	return s.tokens.verify(raw, id)
}

// toOwner hands a request over whose session is not connected to this node, if another node owns it; answered says that it did.
func (s *Server) toOwner(w http.ResponseWriter, r *http.Request, id liveproof.SessionID, tokenID string) (answered bool, err error) {
	if handedOver(r) || s.ownURL() == "" {
		return false, nil
	}
	session, err := s.deps.Sessions.Get(r.Context(), id)
	if err != nil {
		return false, err
	}
	if session.State.Terminal() || !s.elsewhere(session) {
		return false, nil
	}
	return true, s.handOver(w, r, session, tokenID)
}

// moved tells a client of signalling the address at the owner, where its token is still unused. It does so over the WebSocket, because browsers
// show pages neither the status nor the headers of a refused handshake.
func (s *Server) moved(w http.ResponseWriter, r *http.Request, session liveproof.Session) error {
	if !s.live.Hold() {
		return live.ErrDraining
	}
	defer s.live.Unhold()
	ws, err := upgrader.Upgrade(w, r, nil)
	if err != nil {
		return problem(CodeInvalidRequest, "the WebSocket handshake is not valid")
	}
	defer func() { _ = ws.Close() }()
	s.metrics.handovers.WithLabelValues("signal").Inc()
	deadline := time.Now().Add(writeWait)
	_ = ws.SetWriteDeadline(deadline)
	_ = ws.SetReadDeadline(deadline)
	_, ownerWS := s.urlsOf(r, session)
	if ws.WriteJSON(message{"type": "moved", "signal_url": ownerWS + r.URL.Path}) == nil {
		_ = ws.WriteControl(websocket.CloseMessage, websocket.FormatCloseMessage(closeMoved, "another node owns the session"), deadline)
	}
	ws.SetReadLimit(s.cfg.MaxMessage)
	for err == nil { // until the client has closed: closing over unread input would reset the connection before the client reads the address
		_, _, err = ws.ReadMessage()
	}
	return nil
}
