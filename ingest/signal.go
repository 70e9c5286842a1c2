package ingest

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/gorilla/websocket"
	"github.com/pion/webrtc/v4"

	"github.com/liveproof/liveproof"
	"github.com/liveproof/liveproof/ingest/live"
	"github.com/liveproof/liveproof/internal/ids"
)

const (
	subprotocol  = "liveproof.v1"
	bearerPrefix = "bearer."
	writeWait    = 5 * time.Second
	pingEvery    = 10 * time.Second
	pongWait     = 25 * time.Second
	outQueue     = 128 // messages to a client before the unimportant ones are dropped
)

var upgrader = websocket.Upgrader{
	HandshakeTimeout: writeWait, Subprotocols: []string{subprotocol},
	CheckOrigin: func(*http.Request) bool { return true }, // done before, with problem JSON
	Error:       func(http.ResponseWriter, *http.Request, int, error) {},
}

// signal is GET /v1/sessions/{id}/signal. Whatever refuses the client does so
// in HTTP, before the upgrade.
func (s *Server) signal(w http.ResponseWriter, r *http.Request) error {
	if !websocket.IsWebSocketUpgrade(r) {
		w.Header().Set("Upgrade", "websocket")
		return problem(CodeUpgradeRequired, "this is a WebSocket endpoint")
	}
	if !s.originAllowed(r) {
		return problem(CodeOriginForbidden, "this page's origin may not open signalling here")
	}
	raw, offered := signalToken(r)
	if !offered {
		return problem(CodeInvalidRequest, "the subprotocol "+subprotocol+" must be offered")
	}
	session, tokenID, err := s.authorise(r, func(id liveproof.SessionID) (string, error) { return s.tokens.verify(raw, id) })
	if err != nil {
		return err
	}
	if s.elsewhere(session) {
		return s.moved(w, r, session)
	}
	if !s.live.Hold() { // http.Server does not wait for hijacked connections
		return live.ErrDraining
	}
	defer s.live.Unhold()
	c := newSignalConn(s)
	connection, err := s.live.Connect(r.Context(), session, tokenID, c, c.localCandidate)
	if err != nil {
		return s.countRefusal(err)
	}
	ws, err := upgrader.Upgrade(w, r, nil)
	if err != nil {
		c.leave()
		connection.HangUp(liveproof.ReasonDisconnected)
		return problem(CodeInvalidRequest, "the WebSocket handshake is not valid")
	}
	c.serve(ws, connection)
	return nil
}

// authorise checks the client token against the session that the path names, and reads the session.
func (s *Server) authorise(r *http.Request, verify func(liveproof.SessionID) (tokenID string, err error)) (liveproof.Session, string, error) {
	id, ok := ids.ParseSession(r.PathValue("id"))
	if !ok {
		return liveproof.Session{}, "", liveproof.ErrNotFound
	}
	tokenID, err := verify(id)
	if err != nil {
		return liveproof.Session{}, "", s.countRefusal(err)
	}
	session, err := s.deps.Sessions.Get(r.Context(), id)
	if err == nil {
		names(r, id)
		continues(r, session.Trace)
	}
	return session, tokenID, err
}

// countRefusal counts a refused token by its code.
func (s *Server) countRefusal(err error) error {
	p := problemOf(err)
	if p.Status == http.StatusUnauthorized || p.Status == http.StatusConflict {
		s.metrics.tokens.WithLabelValues(string(p.Code)).Inc()
	}
	return err
}

// originAllowed accepts programs (no Origin), the server's own pages and the configured ones.
func (s *Server) originAllowed(r *http.Request) bool {
	origin := r.Header.Get("Origin")
	if origin == "" || listed(s.cfg.WSOrigins, origin) {
		return true
	}
	u, ok := parseOrigin(origin)
	if !ok {
		return false
	}
	if own, err := url.Parse(s.cfg.PublicURL); err == nil && own.Host != "" && strings.EqualFold(u.Host, own.Host) {
		return true
	}
	return strings.EqualFold(u.Host, r.Host)
}

// signalToken is the client token: from the header, or from the subprotocols, where browsers can put it.
func signalToken(r *http.Request) (token string, offered bool) {
	token = bearer(r)
	for _, p := range websocket.Subprotocols(r) {
		offered = offered || p == subprotocol
		if t, ok := strings.CutPrefix(p, bearerPrefix); ok && token == "" {
			token = t
		}
	}
	return token, offered
}

// signalConn is one client's signalling. The request's goroutine reads, and one
// other goroutine writes the messages that the session and its peer connection
// queue.
type signalConn struct {
	server *Server
	dev    bool
	out    chan outgoing
	gone   chan struct{} // closed when nothing will be written any more
	once   sync.Once
}

func newSignalConn(s *Server) *signalConn {
	return &signalConn{
		server: s, dev: s.deps.Dev,
		out: make(chan outgoing, outQueue), gone: make(chan struct{}),
	}
}

// serve runs the connection until the client leaves, breaks the protocol or the session ends.
func (c *signalConn) serve(ws *websocket.Conn, connection *live.Connection) {
	defer func() { _ = ws.Close() }()
	var writer sync.WaitGroup
	writer.Go(func() { c.write(ws) })
	err := c.read(ws, connection)
	if err != nil {
		c.send(errorMessage(problemOf(err)))
		c.sendClose(websocket.ClosePolicyViolation)
		connection.HangUp(liveproof.ReasonDisconnected)
	} else {
		connection.Abandon()
		c.sendClose(websocket.CloseNormalClosure)
	}
	writer.Wait()
	if err != nil {
		// Closing over unread input would reset the connection before the client reads why.
		_, _ = io.Copy(io.Discard, io.LimitReader(ws.NetConn(), 1<<20))
	}
}

// outgoing is what waits for the writer: a message, or the close code after
// which nothing more is sent.
type outgoing struct {
	message message
	close   int // 0 while the connection goes on
}

// read returns nil when the client is gone, a problem when it broke the protocol.
func (c *signalConn) read(ws *websocket.Conn, connection *live.Connection) error {
	ws.SetReadLimit(c.server.cfg.MaxMessage)
	_ = ws.SetReadDeadline(time.Now().Add(pongWait))
	ws.SetPongHandler(func(string) error { return ws.SetReadDeadline(time.Now().Add(pongWait)) })
	bucket := c.server.cfg.MessageRate.bucket()
	for {
		kind, b, err := ws.ReadMessage()
		if errors.Is(err, websocket.ErrReadLimit) {
			return problem(CodeProtocolError, "the message is too large")
		}
		if err != nil {
			return nil //nolint:nilerr // the client is gone, however it went
		}
		if !bucket.Allow() {
			c.server.metrics.limited.WithLabelValues("messages", "").Inc()
			return problem(CodeRateLimited, "too many signalling messages")
		}
		if kind != websocket.TextMessage {
			return problem(CodeProtocolError, "messages are JSON text")
		}
		if bye, err := c.handle(b, connection); bye || err != nil {
			return err
		}
	}
}

// handle handles one message; bye is true when the client wants to end.
func (c *signalConn) handle(b []byte, connection *live.Connection) (bye bool, err error) {
	m, err := parseClientMessage(b)
	if err != nil {
		c.server.metrics.messages.WithLabelValues("invalid").Inc()
		return false, err
	}
	c.server.metrics.messages.WithLabelValues(m.Type).Inc()
	switch m.Type {
	case "offer":
		return false, c.offer(m.SDP, connection)
	case "candidate":
		cand, err := m.candidate()
		if err != nil {
			return false, err
		}
		return false, connection.AddCandidate(cand)
	case "challenge":
		return false, decline(m, connection)
	case "attestation":
		if connection.Attest(m.Attestation) != nil {
			return false, problem(CodeProtocolError, "the attestation came already")
		}
		return false, nil
	case "probe":
		adjusts(m, connection)
		return false, nil
	case "settings":
		mismatch, err := m.settingsMismatch()
		if mismatch {
			c.server.metrics.mismatched.Inc()
			connection.Log.Debug("camera settings differ from the requested ones")
		}
		return false, err
	}
	connection.HangUp(liveproof.ReasonDisconnected)
	return true, nil
}

func (c *signalConn) offer(sdp string, connection *live.Connection) error {
	if err := c.server.deps.RTC.CheckOffer(sdp); err != nil {
		connection.Refuse()
		return err
	}
	answer, err := connection.Answer(context.Background(), sdp)
	if err != nil {
		return err
	}
	c.send(answerMessage(answer))
	return nil
}

// write sends what is queued, in order, and pings; it alone writes.
func (c *signalConn) write(ws *websocket.Conn) {
	defer c.leave()
	// Ends the reader too: after a failed or final write it waits for the close handshake only.
	defer func() { _ = ws.SetReadDeadline(time.Now().Add(time.Second)) }()
	ping := time.NewTicker(pingEvery)
	defer ping.Stop()
	for {
		var err error
		select {
		case m := <-c.out:
			if m.close != 0 {
				frame := websocket.FormatCloseMessage(m.close, "")
				_ = ws.WriteControl(websocket.CloseMessage, frame, time.Now().Add(writeWait))
				return
			}
			err = c.writeMessage(ws, m.message)
		case <-ping.C:
			err = ws.WriteControl(websocket.PingMessage, nil, time.Now().Add(writeWait))
		}
		if err != nil {
			return
		}
	}
}

func (c *signalConn) writeMessage(ws *websocket.Conn, m message) error {
	b, err := json.Marshal(m)
	if err != nil {
		c.server.log.Error("signalling message", "err", err)
		return err
	}
	_ = ws.SetWriteDeadline(time.Now().Add(writeWait))
	return ws.WriteMessage(websocket.TextMessage, b)
}

func (c *signalConn) leave() { c.once.Do(func() { close(c.gone) }) }

// send queues what must arrive; it waits for the writer, at most its write deadline.
func (c *signalConn) send(m message) { c.queue(outgoing{message: m}) }

// sendClose queues the end of the connection.
func (c *signalConn) sendClose(code int) { c.queue(outgoing{close: code}) }

func (c *signalConn) queue(o outgoing) {
	select {
	case c.out <- o:
	case <-c.gone:
	}
}

// localCandidate queues one of the server's ICE candidates.
func (c *signalConn) localCandidate(cand webrtc.ICECandidateInit) {
	c.offerMessage(candidateMessage(cand))
}

// State implements live.Listener.
func (c *signalConn) State(st liveproof.State) { c.offerMessage(message{"type": "state", "state": st}) }

// Event implements live.Listener.
func (c *signalConn) Event(e liveproof.Event) {
	if m := eventMessage(e, c.dev); m != nil {
		c.offerMessage(m)
	}
}

// offerMessage queues what may be lost on a client that does not read.
func (c *signalConn) offerMessage(m message) {
	select {
	case c.out <- outgoing{message: m}:
	case <-c.gone:
	default:
		c.server.metrics.unsent.Inc()
	}
}

// Ended implements live.Listener: it tells the verdict that the store holds and
// closes the connection.
func (c *signalConn) Ended(s liveproof.Session) {
	c.send(decidedMessage(s, c.dev))
	c.sendClose(websocket.CloseNormalClosure)
}
