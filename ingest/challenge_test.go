package ingest

import (
	"context"
	"encoding/json"
	"net/http"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	"github.com/stretchr/testify/require"

	"github.com/liveproof/liveproof"
)

const nonce = "0af7651916cd43dd8448eb211c80319c"

// flash is a challenge that begins in a second.
func flash(id string) liveproof.Challenge {
	return liveproof.Challenge{
		ID: id, Kind: liveproof.EvidenceFlash, Attempt: 1, Begin: time.Second, Duration: 3200 * time.Millisecond,
		Colours: []liveproof.ColourAt{{R: 155, G: 155, B: 155}, {At: 140 * time.Millisecond, R: 255, G: 110, B: 110}},
	}
}

// asking asks a challenge for each access unit and ends with the units, or with ctx as its cause says.
func asking(challenges ...liveproof.Challenge) change {
	return judging(func(ctx context.Context, _ liveproof.Session, units liveproof.UnitSource, observe func(liveproof.Event)) error {
		for _, c := range challenges {
			_, _ = units.Next(ctx) // at their end the challenge is told all the same
			observe(liveproof.Event{Challenge: &c})
		}
		<-ctx.Done()
		ended(observe, liveproof.Unjudged(liveproof.ReasonOf(context.Cause(ctx))))
		return nil
	})
}

func TestChallengeIsToldBySignalling(t *testing.T) {
	w := newWorld(t, asking(flash(nonce)))
	c := w.create("")
	ws := w.mustDial(c)
	w.rtc.peer(c.ID).units <- liveproof.AccessUnit{}
	got, _ := w.await(ws, "challenge")
	require.JSONEq(t, `{"type":"challenge","challenge":{"id":"`+nonce+`","kind":"flash","attempt":1,"begins_in":1,"duration":3.2,
		"colours":[{"at":0,"colour":"#9b9b9b"},{"at":0.14,"colour":"#ff6e6e"}]}}`, string(must(json.Marshal(got))))
}

func must(b []byte, err error) []byte {
	if err != nil {
		panic(err)
	}
	return b
}

func TestPersonDeclinesTheChallenge(t *testing.T) {
	w := newWorld(t, asking(flash(nonce)))
	c := w.create("")
	ws := w.mustDial(c)
	w.rtc.peer(c.ID).units <- liveproof.AccessUnit{}
	w.await(ws, "challenge")
	require.NoError(t, ws.WriteJSON(message{"type": "challenge", "id": nonce, "declined": true}))
	decided, _ := w.await(ws, "decided")
	require.Equal(t, message{"type": "decided", "result": "retry", "reasons": []any{"challenge_unanswered"}}, decided)
	require.Equal(t, liveproof.StateDecided, w.terminal(c.ID).State)
}

// TestDeclinedCallGoesOn: who does not want the light keeps the call, which is not live.
func TestDeclinedCallGoesOn(t *testing.T) {
	w := newWorld(t, asking(flash(nonce)))
	c := w.create(`{"mode":"call"}`)
	ws := w.mustDial(c)
	w.rtc.peer(c.ID).units <- liveproof.AccessUnit{}
	w.await(ws, "challenge")
	require.NoError(t, ws.WriteJSON(message{"type": "challenge", "id": nonce, "declined": true}))
	require.NoError(t, ws.WriteJSON(message{"type": "settings", "requested": message{"width": 1}}))
	require.Never(t, func() bool { return w.store.record(c.ID).State.Terminal() }, 100*time.Millisecond, 10*time.Millisecond)
}

func TestOnlyAChallengeThatWasAskedIsDeclined(t *testing.T) {
	for name, m := range map[string]message{
		"another": {"type": "challenge", "id": "1af7651916cd43dd8448eb211c80319c", "declined": true},
		"no id":   {"type": "challenge", "declined": true},
		"passed":  {"type": "challenge", "id": nonce, "declined": false},
		"result":  {"type": "challenge", "id": nonce, "declined": true, "passed": true},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, asking(flash(nonce)))
			c := w.create("")
			ws := w.mustDial(c)
			w.rtc.peer(c.ID).units <- liveproof.AccessUnit{}
			w.await(ws, "challenge")
			require.NoError(t, ws.WriteJSON(m))
			problem, _ := w.await(ws, "error")
			require.Equal(t, "protocol_error", problem["code"])
			code, _ := closeCode(t, ws)
			require.Equal(t, websocket.ClosePolicyViolation, code)
		})
	}
}

func TestChallengeIsReadByPolling(t *testing.T) {
	other := flash("1af7651916cd43dd8448eb211c80319c")
	w := newWorld(t, asking(flash(nonce), other))
	c := w.create("")
	require.Equal(t, 201, w.whip(c).StatusCode)
	path := "/v1/sessions/" + string(c.ID) + "/challenge"
	read := func(query string) (r reply, got struct {
		ID       string
		BeginsIn float64 `json:"begins_in"`
	}) {
		r = w.call("GET", path+query, "", withToken(c.ClientToken)...)
		if r.StatusCode == http.StatusOK {
			r.json(t, &got)
		}
		return r, got
	}
	r, _ := read("?wait=0")
	require.Equal(t, 204, r.StatusCode)
	w.rtc.peer(c.ID).units <- liveproof.AccessUnit{}
	r, first := read("")
	require.Equal(t, 200, r.StatusCode)
	require.Equal(t, nonce, first.ID)
	require.LessOrEqual(t, first.BeginsIn, 1.0)
	r, _ = read("?wait=0&after=" + nonce)
	require.Equal(t, 204, r.StatusCode, "told already")
	go func() { w.rtc.peer(c.ID).units <- liveproof.AccessUnit{} }()
	r, second := read("?after=" + nonce)
	require.Equal(t, 200, r.StatusCode)
	require.Equal(t, other.ID, second.ID)
	_, again := read("")
	require.Less(t, again.BeginsIn, second.BeginsIn, "the beginning comes nearer")
}

func TestChallengeIsRefused(t *testing.T) {
	w := newWorld(t, asking())
	c, unconnected := w.create(""), w.create("")
	require.Equal(t, 201, w.whip(c).StatusCode)
	path := "/v1/sessions/" + string(c.ID) + "/challenge"
	w.refused(w.call("GET", path, ""), 401, CodeUnauthorized)
	w.refused(w.call("GET", path, "", withKey()...), 401, CodeTokenInvalid)
	w.refused(w.call("GET", path, "", withToken(unconnected.ClientToken)...), 401, CodeTokenWrongSession)
	w.refused(w.call("GET", path+"?after=x", "", withToken(c.ClientToken)...), 400, CodeInvalidRequest)
	w.refused(w.call("GET", path+"?wait=21", "", withToken(c.ClientToken)...), 400, CodeInvalidRequest)
	w.refused(w.call("GET", path+"?wait=x", "", withToken(c.ClientToken)...), 400, CodeInvalidRequest)
	w.refused(w.call("GET", "/v1/sessions/"+string(unconnected.ID)+"/challenge", "", withToken(unconnected.ClientToken)...), 404, CodeSessionNotFound)
}

// TestChallengeWaitsAreBounded: a fifth request does not wait, and the end of the session ends the others.
func TestChallengeWaitsAreBounded(t *testing.T) {
	w := newWorld(t, asking())
	c := w.create("")
	require.Equal(t, 201, w.whip(c).StatusCode)
	path := "/v1/sessions/" + string(c.ID) + "/challenge"
	answers := make(chan int, 4)
	for range 4 {
		go func() { answers <- w.call("GET", path, "", withToken(c.ClientToken)...).StatusCode }()
	}
	require.Eventually(t, func() bool {
		return w.call("GET", path+"?wait=0", "", withToken(c.ClientToken)...).StatusCode == http.StatusTooManyRequests
	}, wait, 5*time.Millisecond)
	w.server.live.Find(c.ID).Abort(liveproof.ReasonServerShutdown)
	for range 4 {
		require.Equal(t, 404, <-answers)
	}
}

// TestPastChallengeIsNotTold: a client that asks when the colours are over waits for the next challenge.
func TestPastChallengeIsNotTold(t *testing.T) {
	past := flash(nonce)
	past.Begin, past.Duration = 0, time.Millisecond
	w := newWorld(t, asking(past))
	c := w.create("")
	require.Equal(t, 201, w.whip(c).StatusCode)
	w.rtc.peer(c.ID).units <- liveproof.AccessUnit{}
	require.Eventually(t, func() bool { return len(w.rtc.peer(c.ID).units) == 0 }, wait, time.Millisecond)
	time.Sleep(20 * time.Millisecond)
	require.Equal(t, 204, w.call("GET", "/v1/sessions/"+string(c.ID)+"/challenge?wait=0", "", withToken(c.ClientToken)...).StatusCode)
}
