package ingest

import (
	"context"
	"errors"
	"math"
	"net/http"
	"runtime"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	"github.com/stretchr/testify/require"

	"github.com/liveproof/liveproof"
	"github.com/liveproof/liveproof/ingest/rtc"
)

// TestEveryPathEnds: whatever the analyzer does, the session ends and is never live by accident.
func TestEveryPathEnds(t *testing.T) {
	decided := func(v liveproof.Verdict) analysis {
		return ends(liveproof.Ending{State: liveproof.StateDecided, Verdict: v})
	}
	pass := verdict(liveproof.OutcomeLive)
	notFinal, wrong, beyond := pass, pass, pass
	notFinal.Final, wrong.Score, beyond.Score = false, math.NaN(), 1.5
	broken := []liveproof.Reason{liveproof.ReasonInternalError}
	for name, x := range map[string]struct {
		judge   analysis
		want    liveproof.Outcome
		state   liveproof.State
		reasons []liveproof.Reason
	}{
		"panics": {func(context.Context, liveproof.Session, liveproof.UnitSource, func(liveproof.Event)) error {
			panic("boom")
		}, liveproof.OutcomeInconclusive, liveproof.StateFailed, broken},
		"fails without an ending":   {fails(errors.New("boom")), liveproof.OutcomeInconclusive, liveproof.StateFailed, broken},
		"returns without an ending": {fails(nil), liveproof.OutcomeInconclusive, liveproof.StateFailed, broken},
		"live but not final":        {decided(notFinal), liveproof.OutcomeInconclusive, liveproof.StateFailed, broken},
		"live with a NaN":           {decided(wrong), liveproof.OutcomeInconclusive, liveproof.StateFailed, broken},
		"live beyond 1":             {decided(beyond), liveproof.OutcomeInconclusive, liveproof.StateFailed, broken},
		"live that is not decided":  {ends(liveproof.Ending{State: liveproof.StateExpired, Verdict: pass}), liveproof.OutcomeInconclusive, liveproof.StateFailed, broken},
		"nothing":                   {ends(liveproof.Ending{}), liveproof.OutcomeInconclusive, liveproof.StateFailed, broken},
		"unsupported codec":         {fails(liveproof.ErrUnsupportedCodec), liveproof.OutcomeInconclusive, liveproof.StateFailed, []liveproof.Reason{liveproof.ReasonUnsupportedMedia}},
		"picture too large":         {fails(liveproof.ErrPictureTooLarge), liveproof.OutcomeInconclusive, liveproof.StateFailed, []liveproof.Reason{liveproof.ReasonUnsupportedMedia}},
		"lost its peer":             {fails(rtc.ErrLost), liveproof.OutcomeInconclusive, liveproof.StateExpired, []liveproof.Reason{liveproof.ReasonDisconnected}},
		"live":                      {decided(pass), liveproof.OutcomeLive, liveproof.StateDecided, pass.Reasons},
		"the first ending counts":   {twice(verdict(liveproof.OutcomeSpoof), pass), liveproof.OutcomeSpoof, liveproof.StateDecided, pass.Reasons},
		"live, and then it panics": {func(ctx context.Context, s liveproof.Session, u liveproof.UnitSource, o func(liveproof.Event)) error {
			_ = decided(pass)(ctx, s, u, o)
			panic("boom")
		}, liveproof.OutcomeLive, liveproof.StateDecided, pass.Reasons},
	} {
		w := newWorld(t, judging(x.judge))
		c := w.create("")
		w.mustDial(c)
		s := w.terminal(c.ID)
		require.Equal(t, x.want, s.Verdict.Outcome, name)
		require.Equal(t, x.state, s.State, name)
		require.Equal(t, x.reasons, s.Verdict.Reasons, name)
		require.Equal(t, 1, w.store.decides, name)
		select {
		case <-w.rtc.peer(c.ID).done:
		default:
			t.Error(name, ": the peer connection is open")
		}
	}
}

func ends(end liveproof.Ending) analysis {
	return func(_ context.Context, _ liveproof.Session, _ liveproof.UnitSource, observe func(liveproof.Event)) error {
		ended(observe, end)
		return nil
	}
}

func fails(err error) analysis {
	return func(context.Context, liveproof.Session, liveproof.UnitSource, func(liveproof.Event)) error {
		return err
	}
}

func twice(first, second liveproof.Verdict) analysis {
	return func(_ context.Context, _ liveproof.Session, _ liveproof.UnitSource, observe func(liveproof.Event)) error {
		ended(observe, liveproof.Judged(first, liveproof.FrameCounts{}))
		ended(observe, liveproof.Judged(second, liveproof.FrameCounts{}))
		return nil
	}
}

// TestSilentPeer: a peer that connects and sends no media is closed, without a track
// and with one.
func TestSilentPeer(t *testing.T) {
	for _, silent := range []bool{true, false} {
		w := newWorld(t, func(_ *Config, d *Deps, _ *fakeStore) {
			d.Session.ConnectTimeout = 30 * time.Millisecond
		})
		w.rtc.silent = silent
		c := w.create("")
		ws := w.mustDial(c)
		if !silent { // the peer connection notices; its video only ends
			w.await(ws, "state")
			w.rtc.peer(c.ID).err = liveproof.ErrIdle
			_ = w.rtc.peer(c.ID).Close()
		}
		m, _ := w.await(ws, "decided")
		require.Equal(t, message{"type": "decided", "result": "retry", "reasons": []any{"no_media"}}, m)
		require.Equal(t, []liveproof.Reason{liveproof.ReasonNoMedia}, w.terminal(c.ID).Verdict.Reasons)
	}
}

func TestTabClosedByeAndICELost(t *testing.T) {
	for name, leave := range map[string]func(*world, created, *websocket.Conn){
		"tab closed": func(_ *world, _ created, ws *websocket.Conn) { _ = ws.NetConn().Close() },
		"closed":     func(_ *world, _ created, ws *websocket.Conn) { _ = ws.Close() },
		"bye":        func(_ *world, _ created, ws *websocket.Conn) { _ = ws.WriteJSON(message{"type": "bye"}) },
		"ICE lost":   func(w *world, c created, _ *websocket.Conn) { _ = w.rtc.peer(c.ID).Close() },
	} {
		w := newWorld(t, nil)
		c := w.create("")
		leave(w, c, w.mustDial(c))
		s := w.terminal(c.ID)
		require.Equal(t, liveproof.OutcomeInconclusive, s.Verdict.Outcome, name)
		require.Equal(t, []liveproof.Reason{liveproof.ReasonDisconnected}, s.Verdict.Reasons, name)
	}
}

// TestLostUnread: a lost connection ends the session although nobody reads its
// video.
func TestLostUnread(t *testing.T) {
	w := newWorld(t, judging(func(ctx context.Context, _ liveproof.Session, _ liveproof.UnitSource, _ func(liveproof.Event)) error {
		<-ctx.Done()
		return context.Cause(ctx)
	}))
	c := w.create("")
	w.mustDial(c)
	w.rtc.peer(c.ID).err = liveproof.ErrIdle
	_ = w.rtc.peer(c.ID).Close()
	require.Equal(t, []liveproof.Reason{liveproof.ReasonNoMedia}, w.terminal(c.ID).Verdict.Reasons, "the peer's own reason")
}

// TestGrace: a verdict reached within the grace period still counts.
func TestGrace(t *testing.T) {
	w := newWorld(t, func(c *Config, d *Deps, s *fakeStore) {
		d.Session.DisconnectGrace = time.Minute
		judging(deciding(verdict(liveproof.OutcomeLive)))(c, d, s)
	})
	c := w.create("")
	ws := w.mustDial(c)
	_ = ws.NetConn().Close()
	w.rtc.peer(c.ID).units <- liveproof.AccessUnit{}
	require.Equal(t, liveproof.OutcomeLive, w.terminal(c.ID).Verdict.Outcome)
}

// TestBaseline: fifty sessions that end in every way leave no goroutine behind.
func TestBaseline(t *testing.T) {
	w := newWorld(t, nil)
	w.terminalAfter(5)
	before := runtime.NumGoroutine()
	w.terminalAfter(50)
	require.Eventually(t, func() bool {
		http.DefaultTransport.(*http.Transport).CloseIdleConnections()
		return runtime.NumGoroutine() <= before+2
	}, wait, 5*time.Millisecond, "before %d, now %d", before, runtime.NumGoroutine())
}

func (w *world) terminalAfter(n int) {
	for i := range n {
		c := w.create("")
		ws := w.mustDial(c)
		switch i % 3 {
		case 0:
			_ = ws.Close()
		case 1:
			_ = ws.WriteJSON(message{"type": "hello"})
		case 2:
			_ = w.rtc.peer(c.ID).Close()
		}
		w.terminal(c.ID)
		_ = ws.Close()
	}
}

// TestDeadlineByTheServersClock: an analyzer that never decides is stopped.
func TestDeadlineByTheServersClock(t *testing.T) {
	w := newWorld(t, func(_ *Config, d *Deps, _ *fakeStore) { d.Session.MaxCall = time.Second })
	c := w.create(`{"mode":"call"}`)
	w.mustDial(c)
	s := w.terminal(c.ID)
	require.Equal(t, []liveproof.Reason{liveproof.ReasonDeadline}, s.Verdict.Reasons)
	require.Equal(t, liveproof.OutcomeInconclusive, s.Verdict.Outcome)
}

// TestStuckAnalyzer: the record ends in time though the analyzer does not.
func TestStuckAnalyzer(t *testing.T) {
	let := make(chan struct{})
	w := newWorld(t, judging(func(_ context.Context, _ liveproof.Session, _ liveproof.UnitSource, observe func(liveproof.Event)) error {
		<-let
		ended(observe, liveproof.Judged(verdict(liveproof.OutcomeLive), liveproof.FrameCounts{}))
		return nil
	}))
	c := w.create("")
	ws := w.mustDial(c)
	require.Eventually(t, func() bool { return w.read(c.ID).State == liveproof.StateStreaming }, wait, time.Millisecond)
	w.server.live.Find(c.ID).Abort(liveproof.ReasonDeadline)
	m, _ := w.await(ws, "decided")
	require.Equal(t, "retry", m["result"], "the client does not wait for the analyzer either")
	require.True(t, w.read(c.ID).State.Terminal())
	require.Equal(t, 1, w.server.live.Count(), "its place is taken until it returns")
	close(let)
	s := w.terminal(c.ID)
	require.Equal(t, liveproof.OutcomeInconclusive, s.Verdict.Outcome, "too late to be live")
	require.Equal(t, []liveproof.Reason{liveproof.ReasonDeadline}, s.Verdict.Reasons)
}

// TestVerdictSurvivesAnOutage: a session is judged while the store is away. When
// the store is back, the verdict is written unchanged, once, with the missing
// samples.
func TestVerdictSurvivesAnOutage(t *testing.T) {
	for outcome, told := range map[liveproof.Outcome]string{liveproof.OutcomeSpoof: "fail", liveproof.OutcomeLive: "pass"} {
		judged := make(chan struct{})
		end := liveproof.Ending{
			State: liveproof.StateDecided, Verdict: verdict(outcome), Frames: liveproof.FrameCounts{Received: 90, Scored: 12},
			Samples: []liveproof.Sample{{Seq: 1, Scored: true, Rho: 0.9, Weight: 1, Track: 1}},
		}
		var w *world
		w = newWorld(t, judging(func(ctx context.Context, s liveproof.Session, u liveproof.UnitSource, observe func(liveproof.Event)) error {
			w.store.setDown(true)
			defer close(judged)
			return ends(end)(ctx, s, u, observe)
		}))
		c := w.create("")
		ws := w.mustDial(c)
		<-judged
		time.Sleep(200 * time.Millisecond) // some attempts fail
		require.NotNil(t, w.server.live.Find(c.ID), "the session waits for the store")
		w.store.setDown(false)
		m, seen := w.await(ws, "decided")
		require.Equal(t, told, m["result"])
		require.NotContains(t, seen, "verdict", "nothing is told before it is stored")
		s := w.terminal(c.ID)
		require.Equal(t, verdict(outcome), s.Verdict)
		require.Equal(t, end.Frames, s.Frames)
		require.Equal(t, 1, w.store.decides)
		samples, err := w.store.Timeline(t.Context(), c.ID)
		require.NoError(t, err)
		require.Equal(t, end.Samples, samples)
	}
}

// TestNotStoredIsNotPassed: the store is away for longer than the server
// retries. The client is not told pass, and the sweep ends the session.
func TestNotStoredIsNotPassed(t *testing.T) {
	w := newWorld(t, func(c *Config, d *Deps, s *fakeStore) {
		d.Session.DecideTimeout = time.Second
		judging(func(ctx context.Context, x liveproof.Session, u liveproof.UnitSource, observe func(liveproof.Event)) error {
			s.setDown(true)
			return ends(liveproof.Judged(verdict(liveproof.OutcomeLive), liveproof.FrameCounts{}))(ctx, x, u, observe)
		})(c, d, s)
	})
	c := w.create("")
	m, _ := w.await(w.mustDial(c), "decided")
	require.Equal(t, message{"type": "decided", "result": "retry", "reasons": []any{"internal_error"}}, m)
	w.store.setDown(false)
	require.Equal(t, liveproof.StateStreaming, w.read(c.ID).State)
	w.clock.advance(time.Minute)
	require.Equal(t, liveproof.OutcomePending, w.read(c.ID).Verdict)
	w.sweep()
	require.Equal(t, liveproof.OutcomeInconclusive, w.read(c.ID).Verdict)
	require.Equal(t, []liveproof.Reason{liveproof.ReasonServerLost}, w.read(c.ID).Reasons)
}

// TestFirstVerdictStands: what the browser is told is what the store holds.
func TestFirstVerdictStands(t *testing.T) {
	var w *world
	w = newWorld(t, judging(func(ctx context.Context, x liveproof.Session, u liveproof.UnitSource, observe func(liveproof.Event)) error {
		_, _ = w.store.Decide(ctx, x.ID, liveproof.Judged(verdict(liveproof.OutcomeSpoof), liveproof.FrameCounts{}))
		return ends(liveproof.Judged(verdict(liveproof.OutcomeLive), liveproof.FrameCounts{}))(ctx, x, u, observe)
	}))
	c := w.create("")
	m, _ := w.await(w.mustDial(c), "decided")
	require.Equal(t, "fail", m["result"])
	require.Equal(t, liveproof.OutcomeSpoof, w.terminal(c.ID).Verdict.Outcome)
}

func TestOverload(t *testing.T) {
	w := newWorld(t, func(_ *Config, d *Deps, _ *fakeStore) { d.Session.MaxSessions = 1 })
	a, b := w.create(""), w.create("")
	w.mustDial(a)
	r := w.whip(b)
	w.refused(r, 503, CodeOverloaded)
	require.NotEmpty(t, r.Header.Get("Retry-After"))
	_, resp, err := w.dial(b, nil)
	require.Error(t, err)
	require.Equal(t, 503, resp.StatusCode)
	w.refused(w.call("POST", "/v1/sessions", "", withKey()...), 503, CodeOverloaded)
	require.Equal(t, liveproof.StateCreated, w.read(b.ID).State, "the refusal burns nothing")
	w.rtc.peer(a.ID).Close()
	w.terminal(a.ID)
	require.Equal(t, 201, w.whip(b).StatusCode)
}

func TestPeerThatCannotBeMade(t *testing.T) {
	w := newWorld(t, nil)
	w.rtc.err = errors.New("no more sockets on /dev/udp")
	c := w.create("")
	r := w.whip(c)
	w.refused(r, 500, CodeInternal)
	require.NotContains(t, string(r.body), "udp")
	require.Equal(t, []liveproof.Reason{liveproof.ReasonInternalError}, w.terminal(c.ID).Verdict.Reasons)
}

// TestDrain drains a whole server: it is not ready, refuses new sessions, ends those
// that are left, and no goroutine stays.
func TestDrain(t *testing.T) {
	w := newWorld(t, func(c *Config, d *Deps, s *fakeStore) {
		c.Listen, d.Session.DrainTimeout = "127.0.0.1:0", time.Second
	})
	require.NoError(t, w.server.Listen())
	require.NotNil(t, w.server.Addr())
	ctx, cancel := context.WithCancel(t.Context())
	stopped := make(chan error, 1)
	go func() { stopped <- w.server.Run(ctx) }()
	c, waiting := w.create(""), w.create("")
	ws := w.mustDial(c)
	w.await(ws, "state")
	cancel()
	require.Eventually(t, func() bool { return w.call("GET", "/readyz", "").StatusCode == http.StatusServiceUnavailable }, wait, time.Millisecond)
	require.Equal(t, 200, w.call("GET", "/healthz", "").StatusCode)
	r := w.call("POST", "/v1/sessions", "", withKey()...)
	w.refused(r, 503, CodeShuttingDown)
	require.NotEmpty(t, r.Header.Get("Retry-After"))
	w.refused(w.whip(waiting), 503, CodeShuttingDown)
	m, _ := w.await(ws, "decided")
	require.Equal(t, message{"type": "decided", "result": "retry", "reasons": []any{"server_shutdown"}}, m)
	require.NoError(t, <-stopped)
	s := w.terminal(c.ID)
	require.Equal(t, liveproof.OutcomeInconclusive, s.Verdict.Outcome)
	require.Equal(t, []liveproof.Reason{liveproof.ReasonServerShutdown}, s.Verdict.Reasons)
	require.NoError(t, w.server.Close(), "again")
}

// TestDrainLetsFinish: a session that ends by itself in time keeps its own verdict.
func TestDrainLetsFinish(t *testing.T) {
	w := newWorld(t, func(c *Config, d *Deps, s *fakeStore) {
		c.Listen, d.Session.DrainTimeout = "127.0.0.1:0", time.Minute
		judging(deciding(verdict(liveproof.OutcomeLive)))(c, d, s)
	})
	ctx, cancel := context.WithCancel(t.Context())
	stopped := make(chan error, 1)
	go func() { stopped <- w.server.Run(ctx) }()
	c := w.create("")
	ws := w.mustDial(c)
	w.await(ws, "state")
	cancel()
	require.Eventually(t, func() bool { return w.server.draining.Load() }, wait, time.Millisecond)
	w.rtc.peer(c.ID).units <- liveproof.AccessUnit{}
	m, _ := w.await(ws, "decided")
	require.Equal(t, "pass", m["result"])
	require.NoError(t, <-stopped)
}

func TestListenOnATakenPort(t *testing.T) {
	w := newWorld(t, func(c *Config, _ *Deps, _ *fakeStore) { c.Listen = "127.0.0.1:0" })
	require.NoError(t, w.server.Listen())
	other := newWorld(t, func(c *Config, _ *Deps, _ *fakeStore) { c.Listen = w.server.Addr().String() })
	require.ErrorContains(t, other.server.Run(t.Context()), "listen")
	require.NoError(t, w.server.listener.Close())
}
