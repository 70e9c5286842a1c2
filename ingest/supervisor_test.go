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

type analysis = func(context.Context, liveproof.Session, Video, func(liveproof.Event)) (liveproof.Verdict, error)

func judging(a analysis) func(*Config, *Deps, *fakeStore) {
	return func(_ *Config, d *Deps, _ *fakeStore) { d.Analyzer = &fakeAnalyzer{a} }
}

// TestEveryPathEnds: whatever the analyzer does, the session ends and is never live by accident.
func TestEveryPathEnds(t *testing.T) {
	live := verdict(liveproof.OutcomeLive)
	notFinal, wrong, beyond := live, live, live
	notFinal.Final, wrong.Score, beyond.Score = false, math.NaN(), 1.5
	for name, x := range map[string]struct {
		judge  analysis
		want   liveproof.Outcome
		state  liveproof.State
		reason liveproof.Reason
	}{
		"panics": {func(context.Context, liveproof.Session, Video, func(liveproof.Event)) (liveproof.Verdict, error) {
			panic("boom")
		}, liveproof.OutcomeInconclusive, liveproof.StateFailed, liveproof.ReasonInternalError},
		"fails with a live verdict": {ends(live, errors.New("boom")), liveproof.OutcomeInconclusive, liveproof.StateFailed, liveproof.ReasonInternalError},
		"live but not final":        {ends(notFinal, nil), liveproof.OutcomeInconclusive, liveproof.StateFailed, liveproof.ReasonInternalError},
		"live with a NaN":           {ends(wrong, nil), liveproof.OutcomeInconclusive, liveproof.StateFailed, liveproof.ReasonInternalError},
		"live beyond 1":             {ends(beyond, nil), liveproof.OutcomeInconclusive, liveproof.StateFailed, liveproof.ReasonInternalError},
		"nothing":                   {ends(liveproof.Verdict{}, nil), liveproof.OutcomeInconclusive, liveproof.StateFailed, liveproof.ReasonInternalError},
		"unsupported codec":         {ends(liveproof.Verdict{}, liveproof.ErrUnsupportedCodec), liveproof.OutcomeInconclusive, liveproof.StateFailed, liveproof.ReasonUnsupportedMedia},
		"picture too large":         {ends(liveproof.Verdict{}, liveproof.ErrPictureTooLarge), liveproof.OutcomeInconclusive, liveproof.StateFailed, liveproof.ReasonUnsupportedMedia},
		"lost its peer":             {ends(liveproof.Verdict{}, rtc.ErrDisconnected), liveproof.OutcomeInconclusive, liveproof.StateExpired, liveproof.ReasonDisconnected},
		"could not write its verdict": {
			unrecorded(liveproof.StateDecided, live), liveproof.OutcomeLive, liveproof.StateDecided, liveproof.ReasonScoreAbove,
		},
		"hands back a live that is not decided": {unrecorded(liveproof.StateExpired, live), liveproof.OutcomeInconclusive, liveproof.StateFailed, liveproof.ReasonInternalError},
		"hands back a live with a NaN":          {unrecorded(liveproof.StateDecided, wrong), liveproof.OutcomeInconclusive, liveproof.StateFailed, liveproof.ReasonInternalError},
		"live beside an unavailable scorer":     {ends(live, liveproof.ErrUnavailable), liveproof.OutcomeInconclusive, liveproof.StateFailed, liveproof.ReasonInternalError},
		"did not write its verdict":             {ends(live, nil), liveproof.OutcomeLive, liveproof.StateDecided, liveproof.ReasonScoreAbove},
	} {
		w := newWorld(t, judging(x.judge))
		c := w.create("")
		w.mustDial(c)
		s := w.terminal(c.ID)
		require.Equal(t, x.want, s.Verdict.Outcome, name)
		require.Equal(t, x.state, s.State, name)
		require.Equal(t, []liveproof.Reason{x.reason}, s.Verdict.Reasons, name)
		require.Equal(t, 1, w.store.decides, name)
		require.True(t, closed(w.rtc.peer(c.ID).done), name)
	}
}

func ends(v liveproof.Verdict, err error) analysis {
	return func(context.Context, liveproof.Session, Video, func(liveproof.Event)) (liveproof.Verdict, error) {
		return v, err
	}
}

// unrecorded is an analyzer whose store was away for as long as it could wait, as package pipeline returns it.
func unrecorded(state liveproof.State, v liveproof.Verdict) analysis {
	end := liveproof.Ending{State: state, Verdict: v, Counts: liveproof.FrameCounts{Received: 90, Scored: 12}}
	withheld := unjudged(liveproof.ReasonInternalError).Verdict
	return ends(withheld, &liveproof.UnrecordedError{Ending: end, Err: liveproof.ErrUnavailable})
}

// TestCase12SilentPeer: who connects and sends nothing is closed, before a track and after.
func TestCase12SilentPeer(t *testing.T) {
	for _, silent := range []bool{true, false} {
		w := newWorld(t, func(c *Config, _ *Deps, _ *fakeStore) {
			c.ConnectTimeout = 30 * time.Millisecond
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

func TestCase12TabClosedByeAndICELost(t *testing.T) {
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

// TestCase12LostUnread: a lost connection ends the session though nobody reads its video.
func TestCase12LostUnread(t *testing.T) {
	w := newWorld(t, judging(func(ctx context.Context, _ liveproof.Session, _ Video, _ func(liveproof.Event)) (liveproof.Verdict, error) {
		<-ctx.Done()
		return liveproof.Verdict{}, context.Cause(ctx)
	}))
	c := w.create("")
	w.mustDial(c)
	w.rtc.peer(c.ID).err = liveproof.ErrIdle
	_ = w.rtc.peer(c.ID).Close()
	require.Equal(t, []liveproof.Reason{liveproof.ReasonNoMedia}, w.terminal(c.ID).Verdict.Reasons, "the peer's own reason")
}

// TestCase12Grace: a verdict reached within the grace period still counts.
func TestCase12Grace(t *testing.T) {
	w := newWorld(t, func(c *Config, d *Deps, s *fakeStore) {
		c.DisconnectGrace = time.Minute
		d.Analyzer = deciding(s, verdict(liveproof.OutcomeLive))
	})
	c := w.create("")
	ws := w.mustDial(c)
	_ = ws.NetConn().Close()
	w.rtc.peer(c.ID).units <- liveproof.AccessUnit{}
	require.Equal(t, liveproof.OutcomeLive, w.terminal(c.ID).Verdict.Outcome)
}

// TestCase12Baseline: fifty sessions that end in every way leave no goroutine behind.
func TestCase12Baseline(t *testing.T) {
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
	w := newWorld(t, func(c *Config, _ *Deps, _ *fakeStore) { c.MaxCall = time.Second })
	c := w.create(`{"mode":"call"}`)
	w.mustDial(c)
	s := w.terminal(c.ID)
	require.Equal(t, []liveproof.Reason{liveproof.ReasonDeadline}, s.Verdict.Reasons)
	require.Equal(t, liveproof.OutcomeInconclusive, s.Verdict.Outcome)
}

// TestStuckAnalyzer: the record ends in time though the analyzer does not.
func TestStuckAnalyzer(t *testing.T) {
	let := make(chan struct{})
	w := newWorld(t, judging(func(context.Context, liveproof.Session, Video, func(liveproof.Event)) (liveproof.Verdict, error) {
		<-let
		return verdict(liveproof.OutcomeLive), nil
	}))
	c := w.create("")
	w.mustDial(c)
	require.Eventually(t, func() bool { return w.read(c.ID).State == liveproof.StateStreaming }, wait, time.Millisecond)
	w.server.calls.find(c.ID).abort(liveproof.ReasonDeadline)
	require.Eventually(t, func() bool { return w.read(c.ID).State.Terminal() }, wait, 5*time.Millisecond)
	close(let)
	s := w.terminal(c.ID)
	require.Equal(t, liveproof.OutcomeInconclusive, s.Verdict.Outcome, "too late to be live")
	require.Equal(t, []liveproof.Reason{liveproof.ReasonDeadline}, s.Verdict.Reasons)
}

// TestCase14VerdictSurvivesAnOutage: judged while the store is away, for longer
// than the analyzer waits; written as it was judged when the store is back, once.
func TestCase14VerdictSurvivesAnOutage(t *testing.T) {
	for outcome, told := range map[liveproof.Outcome]string{liveproof.OutcomeSpoof: "fail", liveproof.OutcomeLive: "pass"} {
		gaveUp := make(chan struct{})
		w := newWorld(t, func(_ *Config, d *Deps, s *fakeStore) {
			d.Analyzer = &fakeAnalyzer{func(context.Context, liveproof.Session, Video, func(liveproof.Event)) (liveproof.Verdict, error) {
				s.setDown(true)
				defer close(gaveUp)
				return unrecorded(liveproof.StateDecided, verdict(outcome))(nil, liveproof.Session{}, nil, nil)
			}}
		})
		c := w.create("")
		ws := w.mustDial(c)
		<-gaveUp
		time.Sleep(200 * time.Millisecond) // some attempts fail
		require.NotNil(t, w.server.calls.find(c.ID), "the call waits for the store")
		w.store.setDown(false)
		m, seen := w.await(ws, "decided")
		require.Equal(t, told, m["result"])
		require.NotContains(t, seen, "verdict", "nothing is told before it is stored")
		s := w.terminal(c.ID)
		require.Equal(t, outcome, s.Verdict.Outcome)
		require.Equal(t, verdict(outcome), s.Verdict)
		require.Equal(t, liveproof.FrameCounts{Received: 90, Scored: 12}, s.Frames)
		require.Equal(t, 1, w.store.decides)
	}
}

// TestCase14NotStoredIsNotPassed: the store stays away for longer than anybody waits.
func TestCase14NotStoredIsNotPassed(t *testing.T) {
	w := newWorld(t, func(c *Config, d *Deps, s *fakeStore) {
		c.DecideTimeout = time.Second
		d.Analyzer = &fakeAnalyzer{func(context.Context, liveproof.Session, Video, func(liveproof.Event)) (liveproof.Verdict, error) {
			s.setDown(true)
			return unrecorded(liveproof.StateDecided, verdict(liveproof.OutcomeLive))(nil, liveproof.Session{}, nil, nil)
		}}
	})
	m, _ := w.await(w.mustDial(w.create("")), "decided")
	require.Equal(t, message{"type": "decided", "result": "retry", "reasons": []any{"internal_error"}}, m)
	w.store.setDown(false)
}

// TestCase14CutDoesNotOverwrite: an analyzer that has judged and still writes is
// not taken for stuck, and when it is, what it judged is written.
func TestCase14CutDoesNotOverwrite(t *testing.T) {
	for name, returns := range map[string]bool{"writes late": true, "hangs": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			let, judged := make(chan struct{}), make(chan struct{})
			end := liveproof.Ending{State: liveproof.StateDecided, Verdict: verdict(liveproof.OutcomeLive), Counts: liveproof.FrameCounts{Scored: 12}}
			w := newWorld(t, func(c *Config, d *Deps, s *fakeStore) {
				if !returns {
					c.DecideTimeout = time.Second
				}
				d.Analyzer = &fakeAnalyzer{func(_ context.Context, x liveproof.Session, _ Video, observe func(liveproof.Event)) (liveproof.Verdict, error) {
					observe(liveproof.Event{Judged: &end})
					close(judged)
					<-let
					return end.Verdict, s.Decide(context.Background(), x.ID, end.State, end.Verdict, end.Counts)
				}}
			})
			c := w.create("")
			w.mustDial(c)
			<-judged
			w.server.calls.find(c.ID).abort(liveproof.ReasonDeadline)
			if returns {
				time.Sleep(lateness + 500*time.Millisecond)
				require.Equal(t, liveproof.StateStreaming, w.read(c.ID).State)
			} else {
				require.Eventually(t, func() bool { return w.read(c.ID).State.Terminal() }, wait, 5*time.Millisecond)
			}
			close(let)
			s := w.terminal(c.ID)
			require.Equal(t, end.Verdict, s.Verdict)
			require.Equal(t, end.Counts, s.Frames)
			require.Equal(t, 1, w.store.decides)
		})
	}
}

// TestCase14FirstVerdictStands: what the browser is told is what the store holds.
func TestCase14FirstVerdictStands(t *testing.T) {
	w := newWorld(t, func(_ *Config, d *Deps, s *fakeStore) {
		d.Analyzer = &fakeAnalyzer{func(ctx context.Context, x liveproof.Session, _ Video, _ func(liveproof.Event)) (liveproof.Verdict, error) {
			_ = s.Decide(ctx, x.ID, liveproof.StateDecided, verdict(liveproof.OutcomeSpoof), liveproof.FrameCounts{})
			return verdict(liveproof.OutcomeLive), nil
		}}
	})
	c := w.create("")
	m, _ := w.await(w.mustDial(c), "decided")
	require.Equal(t, "fail", m["result"])
	require.Equal(t, liveproof.OutcomeSpoof, w.terminal(c.ID).Verdict.Outcome)
}

func TestCase15Overload(t *testing.T) {
	w := newWorld(t, func(c *Config, _ *Deps, _ *fakeStore) { c.MaxSessions = 1 })
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

// TestCase16Drain runs the whole server: not ready, nothing new, survivors ended, all joined.
func TestCase16Drain(t *testing.T) {
	w := newWorld(t, func(c *Config, _ *Deps, _ *fakeStore) {
		c.Listen, c.DrainTimeout = "127.0.0.1:0", time.Second
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
	require.Eventually(t, func() bool { return w.call("GET", "/readyz", "").StatusCode == 503 }, wait, time.Millisecond)
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

// TestCase16DrainLetsFinish: a session that ends by itself in time keeps its own verdict.
func TestCase16DrainLetsFinish(t *testing.T) {
	w := newWorld(t, func(c *Config, d *Deps, s *fakeStore) {
		c.Listen, c.DrainTimeout = "127.0.0.1:0", time.Minute
		d.Analyzer = deciding(s, verdict(liveproof.OutcomeLive))
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

// TestCase16DrainGivesUp: an analyzer that never returns does not keep the server for ever.
func TestCase16DrainGivesUp(t *testing.T) {
	let, streaming := make(chan struct{}), make(chan struct{})
	w := newWorld(t, func(c *Config, d *Deps, _ *fakeStore) {
		c.Listen, c.DrainTimeout = "127.0.0.1:0", 0
		judging(func(context.Context, liveproof.Session, Video, func(liveproof.Event)) (liveproof.Verdict, error) {
			close(streaming)
			<-let // as a call into foreign code that hangs
			return liveproof.Verdict{}, nil
		})(c, d, nil)
	})
	w.server.calls.overtime = 50 * time.Millisecond
	ctx, cancel := context.WithCancel(t.Context())
	stopped := make(chan error, 1)
	go func() { stopped <- w.server.Run(ctx) }()
	c := w.create("")
	w.mustDial(c)
	<-streaming
	cancel()
	require.ErrorIs(t, <-stopped, ErrStuck)
	close(let)
	w.server.calls.overtime = wait
	w.terminal(c.ID)
}

func TestListenOnATakenPort(t *testing.T) {
	w := newWorld(t, func(c *Config, _ *Deps, _ *fakeStore) { c.Listen = "127.0.0.1:0" })
	require.NoError(t, w.server.Listen())
	other := newWorld(t, func(c *Config, _ *Deps, _ *fakeStore) { c.Listen = w.server.Addr().String() })
	require.ErrorContains(t, other.server.Run(t.Context()), "listen")
	require.NoError(t, w.server.listener.Close())
}
