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

// turn is a challenge by movement.
func turn(id string) liveproof.Challenge {
	return liveproof.Challenge{
		ID: id, Kind: liveproof.EvidenceTurn, Attempt: 2, Begin: time.Second, Duration: 5100 * time.Millisecond,
		Steps: []liveproof.StepAt{{Movement: liveproof.MoveLeft}, {At: 1700 * time.Millisecond, Movement: liveproof.MoveNod}},
	}
}

func TestMovementsAreToldBySignalling(t *testing.T) {
	w := newWorld(t, asking(turn(nonce)))
	c := w.create("")
	ws := w.mustDial(c)
	w.rtc.peer(c.ID).units <- liveproof.AccessUnit{}
	got, _ := w.await(ws, "challenge")
	require.JSONEq(t, `{"type":"challenge","challenge":{"id":"`+nonce+`","kind":"turn","attempt":2,"begins_in":1,"duration":5.1,
		"steps":[{"at":0,"movement":"left"},{"at":1.7,"movement":"nod"}]}}`, string(must(json.Marshal(got))))
}

// replacing asks for light, and for movement once the light is declined.
func replacing(t *testing.T) change {
	return judging(func(ctx context.Context, _ liveproof.Session, units liveproof.UnitSource, observe func(liveproof.Event)) error {
		_, _ = units.Next(ctx)
		light, movement := flash(nonce), turn("1af7651916cd43dd8448eb211c80319c")
		light.Alternative = liveproof.EvidenceTurn
		observe(liveproof.Event{Challenge: &light})
		declining, ok := units.(liveproof.DecliningSource)
		require.True(t, ok)
		for !declining.Declined(light.ID) && ctx.Err() == nil {
			time.Sleep(time.Millisecond)
		}
		require.False(t, declining.Declined(movement.ID))
		require.False(t, declining.Declined(""))
		observe(liveproof.Event{Challenge: &movement})
		<-ctx.Done()
		ended(observe, liveproof.Unjudged(liveproof.ReasonOf(context.Cause(ctx))))
		return nil
	})
}

func TestLightIsReplacedByMovement(t *testing.T) {
	w := newWorld(t, replacing(t))
	c := w.create("")
	ws := w.mustDial(c)
	w.rtc.peer(c.ID).units <- liveproof.AccessUnit{}
	first, _ := w.await(ws, "challenge")
	require.Equal(t, "turn", first["challenge"].(map[string]any)["alternative"])
	require.NoError(t, ws.WriteJSON(message{"type": "challenge", "id": nonce, "declined": true}))
	second, _ := w.await(ws, "challenge")
	require.Equal(t, "turn", second["challenge"].(map[string]any)["kind"])
	require.False(t, w.store.record(c.ID).State.Terminal())
	require.NoError(t, ws.WriteJSON(message{"type": "challenge", "id": "1af7651916cd43dd8448eb211c80319c", "declined": true}))
	decided, _ := w.await(ws, "decided")
	require.Equal(t, []any{"challenge_unanswered"}, decided["reasons"], "nothing takes the place of a movement")
}

func TestPublisherDeclinesTheLight(t *testing.T) {
	w := newWorld(t, replacing(t))
	c := w.create("")
	require.Equal(t, 201, w.whip(c).StatusCode)
	path := "/v1/sessions/" + string(c.ID) + "/challenge"
	w.rtc.peer(c.ID).units <- liveproof.AccessUnit{}
	require.Equal(t, 200, w.call("GET", path, "", withToken(c.ClientToken)...).StatusCode)
	w.refused(w.call("DELETE", path+"?id="+nonce, ""), 401, CodeUnauthorized)
	w.refused(w.call("DELETE", path, "", withToken(c.ClientToken)...), 400, CodeInvalidRequest)
	w.refused(w.call("DELETE", path+"?id=1af7651916cd43dd8448eb211c80319c", "", withToken(c.ClientToken)...), 400, CodeInvalidRequest)
	require.Equal(t, 204, w.call("DELETE", path+"?id="+nonce, "", withToken(c.ClientToken)...).StatusCode)
	r := w.call("GET", path+"?after="+nonce, "", withToken(c.ClientToken)...)
	require.Equal(t, 200, r.StatusCode)
	var got struct{ Kind string }
	r.json(t, &got)
	require.Equal(t, "turn", got.Kind)
}
