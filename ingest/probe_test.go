package ingest

import (
	"context"
	"encoding/json"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	"github.com/stretchr/testify/require"

	"github.com/liveproof/liveproof"
)

// probing tells a probe and ends live when the client says that it follows.
func probing(t *testing.T) change {
	return judging(func(ctx context.Context, _ liveproof.Session, units liveproof.UnitSource, observe func(liveproof.Event)) error {
		_, _ = units.Next(ctx)
		require.False(t, units.(liveproof.SenderSource).Sender().Adjusts, "it was not asked yet")
		units.(liveproof.ProbedSource).Probe(liveproof.Probe{FrameRate: 8, Duration: 1125 * time.Millisecond})
		for ctx.Err() == nil {
			if units.(liveproof.SenderSource).Sender().Adjusts {
				ended(observe, liveproof.Ending{State: liveproof.StateDecided, Verdict: verdict(liveproof.OutcomeLive)})
				return nil
			}
			time.Sleep(time.Millisecond)
		}
		ended(observe, liveproof.Unjudged(liveproof.ReasonOf(context.Cause(ctx))))
		return nil
	})
}

func TestProbeIsToldAndAnswered(t *testing.T) {
	w := newWorld(t, probing(t))
	c := w.create("")
	ws := w.mustDial(c)
	w.rtc.peer(c.ID).units <- liveproof.AccessUnit{}
	got, _ := w.await(ws, "probe")
	require.JSONEq(t, `{"type":"probe","probe":{"frame_rate":8,"duration":1.125}}`, string(must(json.Marshal(got))))
	require.NoError(t, ws.WriteJSON(message{"type": "probe", "able": false}))
	require.Never(t, func() bool { return w.store.record(c.ID).State.Terminal() }, 50*time.Millisecond, 10*time.Millisecond)
	require.NoError(t, ws.WriteJSON(message{"type": "probe", "able": true}))
	require.Equal(t, liveproof.OutcomeLive, w.terminal(c.ID).Verdict.Outcome)
}

func TestOnlyAnAnswerToAProbeIsTaken(t *testing.T) {
	for name, m := range map[string]message{
		"nothing":          {"type": "probe"},
		"not yes or no":    {"type": "probe", "able": 1},
		"a request of it":  {"type": "probe", "probe": message{"frame_rate": 1}},
		"with a challenge": {"type": "probe", "able": true, "declined": true},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, probing(t))
			c := w.create("")
			ws := w.mustDial(c)
			require.NoError(t, ws.WriteJSON(m))
			problem, _ := w.await(ws, "error")
			require.Equal(t, "protocol_error", problem["code"])
			code, _ := closeCode(t, ws)
			require.Equal(t, websocket.ClosePolicyViolation, code)
		})
	}
}
