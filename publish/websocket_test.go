package publish

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	"github.com/stretchr/testify/require"

	"github.com/liveproof/liveproof"
)

// signals answers a WebSocket client as the server does: candidates before the answer, which a client must keep.
func (r *receiver) signals(w http.ResponseWriter, req *http.Request) {
	if r.places.Add(-1) < 0 {
		full(w)
		return
	}
	up := websocket.Upgrader{Subprotocols: []string{subprotocol}}
	ws, err := up.Upgrade(w, req, nil)
	if err != nil {
		return
	}
	defer ws.Close()
	for {
		var m signal
		if ws.ReadJSON(&m) != nil {
			return
		}
		switch m.Type {
		case "offer":
			r.answerSignal(ws, m.SDP)
		case "candidate":
			r.trickled.Add(1)
		case "bye":
			r.deleted.Add(1)
			r.decided.Store(true)
			_ = ws.WriteMessage(websocket.CloseMessage, websocket.FormatCloseMessage(websocket.CloseNormalClosure, ""))
			return
		}
	}
}

func (r *receiver) answerSignal(ws *websocket.Conn, offer string) {
	if r.refuse {
		_ = ws.WriteJSON(signal{Type: "error", Code: "sdp_invalid", Detail: "not wanted"})
		return
	}
	answer, err := r.accept(offer)
	if err != nil {
		return
	}
	var lines []string
	for line := range strings.Lines(answer) { // the candidates are sent alone
		if candidate, ok := strings.CutPrefix(strings.TrimSpace(line), "a=candidate:"); ok {
			raw, _ := json.Marshal(map[string]any{"candidate": "candidate:" + candidate, "sdpMid": "0", "sdpMLineIndex": 0})
			_ = ws.WriteJSON(signal{Type: "candidate", Candidate: raw})
			continue
		}
		lines = append(lines, line)
	}
	_ = ws.WriteJSON(signal{Type: "candidate", Candidate: json.RawMessage("null")})
	_ = ws.WriteJSON(signal{Type: "answer", SDP: strings.Join(lines, "")})
}

func TestWebSocketSignalling(t *testing.T) {
	r := newReceiver(t)
	clip, err := readIVF(bytes.NewReader(ivfFile("VP80", 10, 50, 1)))
	require.NoError(t, err)
	o := Options{Client: r.client(), Mode: liveproof.ModeCall, Signalling: SignallingWebSocket, Timeline: true}
	got, err := Judge(t.Context(), o, clip)
	require.NoError(t, err)
	require.EqualValues(t, 10, got.Sent)
	require.Positive(t, r.packets.Load())
	require.Positive(t, r.trickled.Load(), "candidates are sent as they are found")
	require.EqualValues(t, 1, r.deleted.Load(), "it says bye")
	require.Len(t, got.Samples, 3)
	require.InDelta(t, (.9*1+.6*.5)/1.5, got.MeanRho, 1e-9)
	require.Equal(t, map[liveproof.Reason]int64{liveproof.ReasonNoFace: 1}, got.Unscored)
}

func TestWebSocketSaysWhyNot(t *testing.T) {
	r := newReceiver(t)
	clip, err := readIVF(bytes.NewReader(ivfFile("VP80", 10, 50, 1)))
	require.NoError(t, err)
	o := Options{Client: r.client(), Mode: liveproof.ModeCall, Signalling: SignallingWebSocket}
	r.refuse = true
	_, err = Judge(t.Context(), o, clip)
	require.ErrorContains(t, err, "signalling: sdp_invalid: not wanted")
	s := Session{SignalURL: "ws" + strings.TrimPrefix(r.URL, "http") + "/nothing"}
	_, err = Connect(t.Context(), o, s, clip)
	require.ErrorContains(t, err, "signalling: 404 Not Found")
}

// TestPatience: a session is asked for again after Retry-After, and its refusals are counted.
func TestPatience(t *testing.T) {
	r := newReceiver(t)
	clip, err := readIVF(bytes.NewReader(ivfFile("VP80", 10, 50, 1)))
	require.NoError(t, err)
	r.places.Store(0)
	o := Options{Client: r.client(), Mode: liveproof.ModeCall, Sessions: 1, Patience: 1500 * time.Millisecond}
	got, err := Judge(t.Context(), o, clip)
	require.NoError(t, err)
	require.Equal(t, Result{Refused: true, Refusals: 2}, got)
	o.Patience = time.Minute
	freed := false
	o.Client.HTTP = &http.Client{Transport: roundTrip(func(req *http.Request) (*http.Response, error) {
		if freed {
			r.places.Store(1)
		}
		freed = true
		return http.DefaultTransport.RoundTrip(req)
	})}
	got, err = Judge(t.Context(), o, clip)
	require.NoError(t, err)
	require.False(t, got.Refused)
	require.Equal(t, 1, got.Refusals)
	require.Equal(t, 1, Summarize([]Result{got}).Refusals)
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// TestWebSocketFollowsToTheOwner: another server has the session; it hears the offer and the candidates that were sent to the first one.
func TestWebSocketFollowsToTheOwner(t *testing.T) {
	for name, x := range map[string]struct {
		moves int // servers in a row that name another one
		err   string
	}{"one server sends it on": {1, ""}, "servers name each other": {2, "signalling"}} {
		t.Run(name, func(t *testing.T) {
			r := newReceiver(t)
			client := r.client()
			s, err := client.Create(t.Context(), liveproof.ModeCall)
			require.NoError(t, err)
			s.SignalURL = moving(t, s.SignalURL, x.moves)
			clip, err := readIVF(bytes.NewReader(ivfFile("VP80", 10, 50, 1)))
			require.NoError(t, err)
			p, err := Connect(t.Context(), Options{Client: client, Signalling: SignallingWebSocket}, s, clip)
			if x.err != "" {
				require.ErrorContains(t, err, x.err)
				return
			}
			require.NoError(t, err)
			require.NoError(t, p.Send(t.Context(), clip))
			require.NoError(t, p.Close(t.Context()))
			require.Positive(t, r.packets.Load())
			require.Positive(t, r.trickled.Load())
		})
	}
}

// moving is the address of a server that names another one, and so on.
func moving(t *testing.T, to string, moves int) string {
	t.Helper()
	for range moves {
		next := to
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
			up := websocket.Upgrader{Subprotocols: []string{subprotocol}}
			ws, err := up.Upgrade(w, req, nil)
			if err != nil {
				return
			}
			defer ws.Close()
			_ = ws.WriteJSON(signal{Type: "moved", SignalURL: next})
			_ = ws.WriteMessage(websocket.CloseMessage, websocket.FormatCloseMessage(4307, ""))
			for err == nil {
				_, _, err = ws.ReadMessage()
			}
		}))
		t.Cleanup(server.Close)
		to = "ws" + strings.TrimPrefix(server.URL, "http")
	}
	return to
}
