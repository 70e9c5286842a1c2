package publish

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gorilla/websocket"
	"github.com/pion/webrtc/v4"
)

const (
	subprotocol = "liveproof.v1"
	// signalWait bounds one message to the server, and how long the server has to close the connection after a bye.
	signalWait = 5 * time.Second
)

// webSocket signals as the web component does (docs/architecture.md): the offer first, then each candidate as it is found.
type webSocket struct {
	url, token string
	leave      func() // is told when the session has ended

	writing sync.Mutex      // guards ws and unheard
	ws      *websocket.Conn // nil before open
	unheard []signal        // sent before the server has said anything: another server may have the session
	result  atomic.Value    // string, of the message "decided"
	ended   chan struct{}   // closed when the reader has ended; nil before open
}

// signal is a message in either direction.
type signal struct {
	Type      string          `json:"type"`
	SDP       string          `json:"sdp,omitempty"`
	Candidate json.RawMessage `json:"candidate,omitempty"`
	SignalURL string          `json:"signal_url,omitempty"`
	Result    string          `json:"result,omitempty"`
	Code      string          `json:"code,omitempty"`
	Detail    string          `json:"detail,omitempty"`
}

func (w *webSocket) open(ctx context.Context, pc *webrtc.PeerConnection) error {
	ws, err := w.dial(ctx, w.url)
	if err != nil {
		return err
	}
	w.ws, w.unheard, w.ended = ws, []signal{}, make(chan struct{})
	answered := make(chan error, 1)
	go w.read(ctx, ws, pc, answered)
	if err := w.offer(pc); err != nil && !errors.Is(err, websocket.ErrCloseSent) { // of a close that the reader has seen, the reader says why
		return err
	}
	select {
	case err := <-answered:
		return err
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func (w *webSocket) dial(ctx context.Context, address string) (*websocket.Conn, error) {
	dialer := websocket.Dialer{Proxy: http.ProxyFromEnvironment, Subprotocols: []string{subprotocol}, HandshakeTimeout: time.Minute}
	ws, resp, err := dialer.DialContext(ctx, address, http.Header{"Authorization": {"Bearer " + w.token}})
	if err != nil && resp != nil {
		defer resp.Body.Close()
		body, _ := io.ReadAll(io.LimitReader(resp.Body, maxAnswer)) // the status says enough
		return nil, fmt.Errorf("signalling: %w", refusal(resp, body))
	}
	if err != nil {
		return nil, fmt.Errorf("signalling at %q: %w", address, err)
	}
	ws.SetReadLimit(maxAnswer)
	return ws, nil
}

// move connects to the server that has the session, and says there what was said to the one that named it.
func (w *webSocket) move(ctx context.Context, to string) (*websocket.Conn, error) {
	ws, err := w.dial(ctx, to)
	if err != nil {
		return nil, err
	}
	w.writing.Lock()
	defer w.writing.Unlock()
	_ = w.ws.Close()
	w.ws = ws
	said := w.unheard
	w.unheard = nil
	for _, m := range said {
		if err := w.write(m); err != nil {
			return ws, err
		}
	}
	return ws, nil
}

// offer sends the offer, and then the candidates as they are found. The lock is held until the offer has been sent.
func (w *webSocket) offer(pc *webrtc.PeerConnection) error {
	w.writing.Lock()
	defer w.writing.Unlock()
	pc.OnICECandidate(func(c *webrtc.ICECandidate) {
		found := json.RawMessage("null") // no more
		if c != nil {
			found, _ = json.Marshal(c.ToJSON()) // strings and numbers
		}
		w.writing.Lock()
		defer w.writing.Unlock()
		_ = w.write(signal{Type: "candidate", Candidate: found}) // a connection that is gone shows in the reader
	})
	offer, err := pc.CreateOffer(nil)
	if err != nil {
		return err
	}
	if err := pc.SetLocalDescription(offer); err != nil {
		return err
	}
	return w.write(signal{Type: "offer", SDP: offer.SDP})
}

// write needs the lock.
func (w *webSocket) write(m signal) error {
	if w.unheard != nil {
		w.unheard = append(w.unheard, m)
	}
	_ = w.ws.SetWriteDeadline(time.Now().Add(signalWait))
	return w.ws.WriteJSON(m)
}

// first reads the first message of the server that has the session, which may be another one than the connection's. That one names no further server, so
// that servers which name each other make no loop.
func (w *webSocket) first(ctx context.Context, ws *websocket.Conn) (m signal, at *websocket.Conn, err error) {
	if m, err = next(ws); err == nil && m.Type == "moved" {
		if ws, err = w.move(ctx, m.SignalURL); err != nil {
			return m, ws, err
		}
		m, err = next(ws)
	}
	w.writing.Lock()
	defer w.writing.Unlock()
	w.unheard = nil // the server has heard it
	return m, ws, err
}

func next(ws *websocket.Conn) (m signal, err error) {
	err = ws.ReadJSON(&m)
	return m, err
}

// read handles the server's messages until the connection ends. answered gets one value: nil with the answer, or why there is none.
func (w *webSocket) read(ctx context.Context, ws *websocket.Conn, pc *webrtc.PeerConnection, answered chan<- error) {
	defer close(w.ended)
	answer := sync.OnceFunc(func() { answered <- nil })
	refuse := func(err error) {
		select {
		case answered <- err:
		default: // there was an answer
		}
	}
	m, ws, err := w.first(ctx, ws)
	var early []json.RawMessage // candidates before the answer
	for ; ; m, err = next(ws) {
		if err != nil {
			refuse(fmt.Errorf("signalling: %w", err))
			return
		}
		switch m.Type {
		case "answer":
			if err := pc.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeAnswer, SDP: m.SDP}); err != nil {
				refuse(err)
				return
			}
			for _, c := range early {
				addCandidate(pc, c)
			}
			answer()
		case "candidate":
			if pc.RemoteDescription() == nil {
				early = append(early, m.Candidate)
				continue
			}
			addCandidate(pc, m.Candidate)
		case "decided":
			w.result.Store(m.Result)
			w.leave()
		case "error":
			refuse(fmt.Errorf("signalling: %s: %s", m.Code, m.Detail))
			return
		}
	}
}

// addCandidate drops a candidate that cannot be used, as browsers do: others may reach the server.
func addCandidate(pc *webrtc.PeerConnection, raw json.RawMessage) {
	var c *webrtc.ICECandidateInit
	if json.Unmarshal(raw, &c) == nil && c != nil {
		_ = pc.AddICECandidate(*c)
	}
}

// end says bye, which the server answers by closing the connection.
func (w *webSocket) end(ctx context.Context) error {
	if w.ended == nil {
		return nil
	}
	w.writing.Lock()
	err := w.write(signal{Type: "bye"})
	w.writing.Unlock()
	if errors.Is(err, websocket.ErrCloseSent) { // the session has ended before
		err = nil
	}
	select {
	case <-w.ended:
		return nil
	case <-time.After(signalWait):
	case <-ctx.Done():
	}
	return err
}

func (w *webSocket) close() error {
	if w.ended == nil {
		return nil
	}
	w.writing.Lock()
	err := w.ws.Close()
	w.writing.Unlock()
	<-w.ended
	return err
}
