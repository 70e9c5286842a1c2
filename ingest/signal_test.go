package ingest

import (
	"encoding/json"
	"errors"
	"math"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	"github.com/pion/webrtc/v4"
	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	"github.com/stretchr/testify/require"

	"github.com/liveproof/liveproof"
)

func counted(m prometheus.Metric) float64 {
	var out dto.Metric
	_ = m.Write(&out)
	return out.GetCounter().GetValue() + out.GetGauge().GetValue()
}

func verdict(o liveproof.Outcome) liveproof.Verdict {
	return liveproof.Verdict{Outcome: o, Score: 0.9, Reasons: []liveproof.Reason{liveproof.ReasonScoreAbove}, Final: true}
}

// closeCode reads to the connection's end.
func closeCode(t *testing.T, ws *websocket.Conn) (code int, last message) {
	t.Helper()
	for {
		var m message
		err := ws.ReadJSON(&m)
		if end, ok := errors.AsType[*websocket.CloseError](err); ok {
			return end.Code, last
		}
		require.NoError(t, err)
		last = m
	}
}

func TestSignalling(t *testing.T) {
	for outcome, want := range map[liveproof.Outcome]string{
		liveproof.OutcomeLive: "pass", liveproof.OutcomeSpoof: "fail", liveproof.OutcomeInconclusive: "retry",
	} {
		w := newWorld(t, judging(deciding(verdict(outcome))))
		c := w.create("")
		ws := w.mustDial(c)
		require.NoError(t, ws.WriteJSON(offerMessage(goodOffer)))
		answer, _ := w.await(ws, "answer")
		require.Contains(t, answer["sdp"], "answer")
		require.NoError(t, ws.WriteJSON(message{"type": "candidate", "candidate": message{"candidate": "candidate:1 1 udp 1 127.0.0.1 5 typ host", "sdpMid": "0"}}))
		require.NoError(t, ws.WriteJSON(message{"type": "candidate", "candidate": nil}))
		require.NoError(t, ws.WriteJSON(message{"type": "settings", "requested": message{"width": 640}, "delivered": message{"width": 320, "deviceId": "x"}}))
		peer := w.rtc.peer(c.ID)
		require.Eventually(t, func() bool { peer.mu.Lock(); defer peer.mu.Unlock(); return len(peer.candidates) == 2 }, wait, 1e6)
		require.Eventually(t, func() bool { return counted(w.server.metrics.mismatched) == 1 }, wait, 1e6)
		peer.units <- liveproof.AccessUnit{}
		decided, seen := w.await(ws, "decided")
		require.Equal(t, message{"type": "decided", "result": want, "reasons": []any{"score_above_threshold"}}, decided, "ρ is not told")
		require.Subset(t, seen, []string{"hint", "progress"})
		require.NotContains(t, seen, "sample")
		code, _ := closeCode(t, ws)
		require.Equal(t, websocket.CloseNormalClosure, code)
		require.Equal(t, outcome, w.terminal(c.ID).Verdict.Outcome)
		v := w.read(c.ID)
		require.Equal(t, liveproof.StateDecided, v.State)
		require.NotNil(t, v.DecidedAt)
		require.Equal(t, "test", v.Model.Name)
		require.Equal(t, "haar", v.Detector)
	}
}

func TestSignallingDev(t *testing.T) {
	w := newWorld(t, func(c *Config, d *Deps, s *fakeStore) {
		judging(deciding(verdict(liveproof.OutcomeLive)))(c, d, s)
		d.Dev = true
	})
	c := w.create("")
	ws := w.mustDial(c)
	w.rtc.peer(c.ID).units <- liveproof.AccessUnit{}
	sample, _ := w.await(ws, "sample")
	require.InDelta(t, 0.9, sample["rho"], 1e-9)
	require.InDelta(t, 0.5, sample["threshold"], 1e-9)
	decided, _ := w.await(ws, "decided")
	require.Equal(t, "live", decided["verdict"])
	require.InDelta(t, 0.9, decided["score"], 1e-9)
}

// TestOnlyServerStateCounts: claims, unknown messages, a second offer.
func TestOnlyServerStateCounts(t *testing.T) {
	for name, x := range map[string]any{
		"claims a verdict":      message{"type": "decided", "result": "pass"},
		"claims it in an offer": message{"type": "offer", "sdp": goodOffer, "verdict": "live"},
		"claims a state":        message{"type": "state", "state": "decided"},
		"claims progress":       message{"type": "progress", "fraction": 1},
		"unknown":               message{"type": "hello"},
		"no type":               message{},
		"mixed":                 message{"type": "bye", "sdp": "x"},
		"offer without SDP":     message{"type": "offer"},
		"array":                 []int{1},
		"two offers":            nil,
	} {
		w := newWorld(t, nil)
		c := w.create("")
		ws := w.mustDial(c)
		if x == nil {
			require.NoError(t, ws.WriteJSON(offerMessage(goodOffer)))
			x = offerMessage(goodOffer)
		}
		require.NoError(t, ws.WriteJSON(x))
		code, last := closeCode(t, ws)
		require.Equal(t, websocket.ClosePolicyViolation, code, name)
		require.Equal(t, "error", last["type"], name)
		require.Equal(t, "protocol_error", last["code"], name)
		require.Equal(t, liveproof.OutcomeInconclusive, w.terminal(c.ID).Verdict.Outcome, name)
	}
}

func TestSignallingBadOffer(t *testing.T) {
	for _, offer := range []string{badOffer, "garbage", strings.Replace(goodOffer, "m=video", "m=audio", 1)} {
		w := newWorld(t, nil)
		w.rtc.silent = true
		c := w.create("")
		ws := w.mustDial(c)
		require.NoError(t, ws.WriteJSON(offerMessage(offer)))
		code, last := closeCode(t, ws)
		require.Equal(t, websocket.ClosePolicyViolation, code)
		require.Equal(t, "sdp_invalid", last["code"])
		require.Equal(t, []liveproof.Reason{liveproof.ReasonUnsupportedMedia}, w.terminal(c.ID).Verdict.Reasons)
	}
}

// TestSignallingFloods: messages too large, too many, binary, too many candidates.
func TestSignallingFloods(t *testing.T) {
	small := func(c *Config, _ *Deps, _ *fakeStore) { c.MessageRate = Rate{0.001, 80} }
	t.Run("oversize", func(t *testing.T) {
		w := newWorld(t, small)
		c := w.create("")
		ws := w.mustDial(c)
		require.NoError(t, ws.WriteJSON(offerMessage(strings.Repeat("x", 64<<10))))
		code, _ := closeCode(t, ws)
		require.Equal(t, websocket.CloseMessageTooBig, code)
		w.terminal(c.ID)
	})
	t.Run("binary", func(t *testing.T) {
		w := newWorld(t, small)
		ws := w.mustDial(w.create(""))
		require.NoError(t, ws.WriteMessage(websocket.BinaryMessage, []byte("{}")))
		code, _ := closeCode(t, ws)
		require.Equal(t, websocket.ClosePolicyViolation, code)
	})
	t.Run("candidates", func(t *testing.T) {
		w := newWorld(t, small)
		c := w.create("")
		ws := w.mustDial(c)
		for range 66 {
			_ = ws.WriteJSON(message{"type": "candidate", "candidate": message{"candidate": "candidate:1"}})
		}
		code, last := closeCode(t, ws)
		require.Equal(t, websocket.ClosePolicyViolation, code)
		require.Equal(t, "protocol_error", last["code"])
		require.Len(t, w.rtc.peer(c.ID).candidates, 64)
	})
	t.Run("messages", func(t *testing.T) {
		w := newWorld(t, small)
		ws := w.mustDial(w.create(""))
		other := w.create("")
		for range 90 {
			_ = ws.WriteJSON(message{"type": "settings", "requested": message{}})
		}
		code, last := closeCode(t, ws)
		require.Equal(t, websocket.ClosePolicyViolation, code)
		require.Equal(t, "rate_limited", last["code"])
		require.InDelta(t, 1, counted(w.server.metrics.limited.WithLabelValues("messages", "")), 0)
		w.mustDial(other) // others are unaffected
	})
}

func TestSignallingOrigins(t *testing.T) {
	w := newWorld(t, func(c *Config, _ *Deps, _ *fakeStore) {
		c.WSOrigins, c.PublicURL = []string{"https://bank.example"}, "https://live.example"
	})
	for origin, ok := range map[string]bool{
		"https://evil.example": false, "null": false, "https://live.example.evil": false,
		w.http.URL: true, "https://bank.example": true, "https://live.example": true,
	} {
		c := w.create("")
		c.ClientToken = strings.Clone(c.ClientToken)
		_, resp, err := w.dial(c, http.Header{"Origin": {origin}})
		require.Equal(t, ok, err == nil, origin)
		if !ok {
			require.Equal(t, 403, resp.StatusCode)
			require.Equal(t, liveproof.StateCreated, w.read(c.ID).State)
		}
	}
}

func TestSignallingHandshake(t *testing.T) {
	w := newWorld(t, nil)
	w.rtc.silent = true
	c := w.create("")
	path := "/v1/sessions/" + string(c.ID) + "/signal"
	r := w.call("GET", path, "", withToken(c.ClientToken)...)
	w.refused(r, 426, CodeUpgradeRequired)
	r = w.call("GET", path, "", withToken(c.ClientToken, "Connection", "Upgrade", "Upgrade", "websocket")...)
	w.refused(r, 400, CodeInvalidRequest)
	require.Equal(t, liveproof.StateCreated, w.read(c.ID).State)
	// A handshake that fails after the claim still ends the session.
	w.call("GET", path, "", withToken(c.ClientToken, "Connection", "Upgrade", "Upgrade", "websocket",
		"Sec-WebSocket-Protocol", subprotocol, "Sec-WebSocket-Version", "13")...)
	require.Equal(t, liveproof.StateExpired, w.terminal(c.ID).State)
}

// TestRace: of many peers that race for one session exactly one wins.
func TestRace(t *testing.T) {
	w := newWorld(t, nil)
	c := w.create("")
	var tokens []string
	for range 8 {
		tok, err := w.server.tokens.issue(c.ID, w.store.record(c.ID).Lease.Until)
		require.NoError(t, err)
		tokens = append(tokens, tok)
	}
	status := make([]int, len(tokens))
	var wg sync.WaitGroup
	for i, tok := range tokens {
		wg.Go(func() {
			if i%2 == 0 {
				req, _ := http.NewRequest(http.MethodPost, w.http.URL+"/v1/sessions/"+string(c.ID)+"/whip", strings.NewReader(goodOffer))
				req.Header.Set("Authorization", "Bearer "+tok)
				req.Header.Set("Content-Type", typeSDP)
				resp, err := http.DefaultTransport.RoundTrip(req)
				if err == nil {
					status[i] = resp.StatusCode
					_ = resp.Body.Close()
				}
				return
			}
			x := c
			x.ClientToken = tok
			_, resp, _ := w.dial(x, nil)
			if resp != nil {
				status[i] = resp.StatusCode
			}
		})
	}
	wg.Wait()
	won := 0
	for _, s := range status {
		if s == 201 || s == 101 {
			won++
			continue
		}
		require.Equal(t, 409, s)
	}
	require.Equal(t, 1, won, "%v", status)
	require.EqualValues(t, 1, w.rtc.opened.Load())
}

// TestOtherServer: the store refuses the claim when another server has the
// session.
func TestOtherServer(t *testing.T) {
	w := newWorld(t, nil)
	c := w.create("")
	require.NoError(t, w.store.Claim(t.Context(), c.ID, "elsewhere", liveproof.Lease{Owner: "elsewhere", Until: w.clock.now().Add(5 * time.Second)}))
	_, resp, err := w.dial(c, nil)
	require.Error(t, err)
	require.Equal(t, 409, resp.StatusCode)
	require.Zero(t, w.server.live.Count())
	require.Zero(t, w.rtc.opened.Load())
}

func TestSlowClientLosesProgressOnly(t *testing.T) {
	w := newWorld(t, nil)
	conn := newSignalConn(w.server)
	for range outQueue + 10 {
		conn.Event(liveproof.Event{Progress: &liveproof.Progress{}})
	}
	require.InDelta(t, 10, counted(w.server.metrics.unsent), 0)
	conn.leave()
	conn.Ended(liveproof.Session{}) // does not hang on a client that is gone
}

func TestSettingsMismatch(t *testing.T) {
	for body, want := range map[string]bool{
		`{"type":"settings","requested":{"width":640,"height":480,"frameRate":30},"delivered":{"width":640,"height":480,"frameRate":30}}`: false,
		`{"type":"settings","requested":{"width":640,"height":480},"delivered":{"width":480,"height":640}}`:                               false,
		`{"type":"settings","requested":{"width":640,"height":480},"delivered":{"width":1920,"height":1080}}`:                             true,
		`{"type":"settings","requested":{"frameRate":30},"delivered":{"frameRate":5}}`:                                                    true,
		`{"type":"settings","requested":{"width":640}}`:                                                                                   false,
	} {
		m, err := parseClientMessage([]byte(body))
		require.NoError(t, err)
		got, err := m.settingsMismatch()
		require.NoError(t, err)
		require.Equal(t, want, got, body)
	}
}

func FuzzClientMessage(f *testing.F) {
	for _, s := range []string{
		`{"type":"offer","sdp":"v=0"}`, `{"type":"candidate","candidate":null}`, `{"type":"candidate","candidate":{"candidate":"x","sdpMLineIndex":70000}}`,
		`{"type":"settings","requested":{"width":1e999},"delivered":[]}`, `{"type":"bye"}`, `{"type":"bye"}{"type":"bye"}`, `null`,
		`{"type":"challenge","id":"0af7651916cd43dd8448eb211c80319c","declined":true}`,
		`{"type":"attestation","attestation":"x"}`, `{"type":"probe","able":true}`, `{"type":"probe"}`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := parseClientMessage(b)
		if err != nil {
			return
		}
		require.Contains(t, []string{"offer", "candidate", "settings", "challenge", "attestation", "probe", "bye"}, m.Type)
		if m.Type == "candidate" {
			_, _ = m.candidate()
		}
		_, _ = m.settingsMismatch()
	})
}

func TestServerMessagesAreJSON(t *testing.T) {
	nan := liveproof.SampleEvent{Sample: liveproof.Sample{Rho: math.NaN()}, Smoothed: math.NaN()}
	for _, m := range []message{
		eventMessage(liveproof.Event{Sample: &nan}, true),
		candidateMessage(webrtc.ICECandidateInit{}),
		eventMessage(liveproof.Event{Progress: &liveproof.Progress{Fraction: nan.Smoothed}}, false),
		decidedMessage(liveproof.Session{Verdict: liveproof.Verdict{Score: nan.Smoothed, Outcome: "other"}}, true),
	} {
		_, err := json.Marshal(m)
		require.NoError(t, err)
	}
	require.Equal(t, liveproof.ResultRetry, liveproof.Outcome("anything else").Result())
	call := eventMessage(liveproof.Event{Verdict: &liveproof.Verdict{Outcome: liveproof.OutcomeSpoof}}, false)
	require.Equal(t, message{"type": "verdict", "result": liveproof.ResultFail, "reasons": []liveproof.Reason{}}, call)
}
