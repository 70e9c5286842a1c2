package ingest

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/liveproof/liveproof"
	"github.com/liveproof/liveproof/internal/redistest"
	"github.com/liveproof/liveproof/store"
)

// heard is one event of a stream, or a comment.
type heard struct{ kind, id, data, comment string }

// ear reads a stream of events.
type ear struct {
	t    *testing.T
	resp *http.Response
	in   *bufio.Scanner
}

// listen opens a stream; the test's end closes it.
func (w *world) listen(path string, headers ...string) *ear {
	w.t.Helper()
	return listenAt(w.t, w.http.URL+path, headers...)
}

func listenAt(t *testing.T, address string, headers ...string) *ear {
	t.Helper()
	return listenBy(t, http.DefaultTransport, address, headers...)
}

func listenBy(t *testing.T, by http.RoundTripper, address string, headers ...string) *ear {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), wait)
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, http.NoBody)
	require.NoError(t, err)
	for i := 0; i+1 < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	resp, err := by.RoundTrip(req)
	require.NoError(t, err)
	t.Cleanup(func() { cancel(); _ = resp.Body.Close() })
	require.Equal(t, 200, resp.StatusCode)
	require.Equal(t, typeEvents, resp.Header.Get("Content-Type"))
	require.Equal(t, "no-store", resp.Header.Get("Cache-Control"))
	return &ear{t, resp, bufio.NewScanner(resp.Body)}
}

// next reads to the next blank line; ok is false at the stream's end.
func (e *ear) next() (h heard, ok bool) {
	for e.in.Scan() {
		name, value, _ := strings.Cut(e.in.Text(), ": ")
		switch name {
		case "event":
			h.kind = value
		case "id":
			h.id = value
		case "data":
			h.data = value
		case ":", "":
			if e.in.Text() == "" {
				return h, true
			}
			h.comment = strings.TrimPrefix(e.in.Text(), ": ")
		}
	}
	return heard{}, false
}

// state reads the next event, which is a state, and holds it against the document.
func (e *ear) state() (sessionEvent, string) {
	e.t.Helper()
	h, ok := e.next()
	require.True(e.t, ok)
	require.Equal(e.t, "state", h.kind, "%+v", h)
	require.NotEmpty(e.t, h.id)
	doc, err := loadDocument()
	require.NoError(e.t, err)
	var value any
	require.NoError(e.t, json.Unmarshal([]byte(h.data), &value))
	require.NoError(e.t, doc.ValidateSchemaJSON(doc.Components.Schemas["SessionEvent"].Value, value), h.data)
	var s sessionEvent
	require.NoError(e.t, json.Unmarshal([]byte(h.data), &s))
	return s, h.id
}

// end reads the event "end" and the close after it.
func (e *ear) end(state string) {
	e.t.Helper()
	h, ok := e.next()
	require.True(e.t, ok)
	require.Equal(e.t, "end", h.kind)
	require.Contains(e.t, h.data, `"state":"`+state+`"`)
	e.over()
}

// over waits for the stream's end without another event.
func (e *ear) over() {
	e.t.Helper()
	for {
		h, ok := e.next()
		if !ok {
			return
		}
		require.NotEmpty(e.t, h.comment, "an event after the end: %+v", h)
	}
}

// reader issues a read token.
func (w *world) reader(id liveproof.SessionID) (x reader) {
	w.t.Helper()
	r := w.call("POST", "/v1/sessions/"+string(id)+"/read_token", "", withKey()...)
	require.Equal(w.t, 201, r.StatusCode, "%s", r.body)
	r.json(w.t, &x)
	return x
}

func eventsOf(id liveproof.SessionID) string { return "/v1/sessions/" + string(id) + "/events" }

// streams brings a session to streaming.
func streams(t *testing.T, s Sessions, id liveproof.SessionID) {
	t.Helper()
	require.NoError(t, s.Claim(t.Context(), id, "token", liveproof.Lease{Owner: "somewhere", Until: time.Now().Add(time.Hour)}))
	require.NoError(t, s.(interface {
		SetStreaming(context.Context, liveproof.SessionID, liveproof.ModelInfo, liveproof.Threshold, string) error
	}).SetStreaming(t.Context(), id, liveproof.ModelInfo{Name: "m"}, liveproof.Threshold{}, "d"))
}

// turns writes a call's verdict.
func turns(t *testing.T, s Sessions, id liveproof.SessionID, o liveproof.Outcome, why ...liveproof.Reason) {
	t.Helper()
	require.NoError(t, s.(interface {
		AppendSamples(context.Context, liveproof.SessionID, []liveproof.Sample, liveproof.FrameCounts, liveproof.Verdict) error
	}).AppendSamples(t.Context(), id, nil, liveproof.FrameCounts{Received: 9}, liveproof.Verdict{Outcome: o, Score: 0.75, Reasons: why, Scored: 9}))
}

// follows tells what a listener hears of a call that becomes live and loses it, when something elsewhere writes to the store.
func follows(t *testing.T, e *ear, there Sessions, id liveproof.SessionID) {
	t.Helper()
	first, _ := e.state()
	require.Equal(t, liveproof.StateCreated, first.State)
	require.Equal(t, first.CreatedAt, first.ChangedAt)
	streams(t, there, id)
	for s := first; s.State != liveproof.StateStreaming; {
		s, _ = e.state() // connecting may be missed
	}
	turns(t, there, id, liveproof.OutcomeLive, liveproof.ReasonScoreAbove)
	live, liveID := e.state()
	require.Equal(t, liveproof.OutcomeLive, live.Verdict)
	require.True(t, live.ChangedAt.After(first.ChangedAt))
	turns(t, there, id, liveproof.OutcomePending, liveproof.ReasonFaceChanged)
	lost, lostID := e.state()
	require.Equal(t, liveproof.OutcomePending, lost.Verdict)
	require.Equal(t, []liveproof.Reason{liveproof.ReasonFaceChanged}, lost.Reasons)
	require.NotEqual(t, liveID, lostID)
	final := verdict(liveproof.OutcomeSpoof)
	final.Scored = 9
	_, err := there.Decide(t.Context(), id, liveproof.Ending{State: liveproof.StateDecided, Verdict: final})
	require.NoError(t, err)
	last, _ := e.state()
	require.Equal(t, liveproof.StateDecided, last.State)
	require.Nil(t, last.Score, "ρ is not told")
	e.end("decided")
}

func TestEvents(t *testing.T) {
	w := newWorld(t, nil)
	for name, open := range map[string]func(liveproof.SessionID) *ear{
		"API key":        func(id liveproof.SessionID) *ear { return w.listen(eventsOf(id), withKey()...) },
		"token, header":  func(id liveproof.SessionID) *ear { return w.listen(eventsOf(id), withToken(w.reader(id).ReadToken)...) },
		"token, address": func(id liveproof.SessionID) *ear { return listenAt(t, w.reader(id).EventsURL) },
	} {
		t.Run(name, func(t *testing.T) {
			id := w.create(`{"mode":"call"}`).ID
			e := open(id)
			e.t = t
			require.Equal(t, "no-referrer", e.resp.Header.Get("Referrer-Policy"))
			follows(t, e, w.store, id)
		})
	}
	require.Eventually(t, func() bool { return counted(w.server.metrics.listeners.WithLabelValues("default")) == 0 }, wait, time.Millisecond)
}

// TestEventsOfOtherServers: the session's connection is at another server of the same Redis.
func TestEventsOfOtherServers(t *testing.T) {
	cfg := store.DefaultConfig()
	cfg.Redis, cfg.CallTimeout = redistest.Start(t).URL(), wait
	var stores []*store.Redis
	for range 2 {
		s, err := store.NewRedis(cfg, time.Now)
		require.NoError(t, err)
		t.Cleanup(func() { require.NoError(t, s.Close()) })
		stores = append(stores, s)
	}
	w := newWorld(t, func(_ *Config, d *Deps, _ *fakeStore) { d.Sessions, d.Now = stores[0], time.Now })
	w.server.listeners.reread = wait // only the watch may bring the changes in time
	id := w.create(`{"mode":"call"}`).ID
	e := w.listen(eventsOf(id), withKey()...)
	// The watch begins with the first listener, at a moment that only its first change shows.
	for probed := false; !probed; {
		probe := w.create("").ID
		one, err := w.server.listeners.join(liveproof.Session{ID: probe, Tenant: "default"})
		require.NoError(t, err)
		require.NoError(t, stores[1].Delete(t.Context(), probe))
		select {
		case <-one.changed:
			probed = true
		case <-time.After(20 * time.Millisecond):
		}
		w.server.listeners.leave(one)
	}
	follows(t, e, stores[1], id)
}

func TestEventsInDevMode(t *testing.T) {
	w := newWorld(t, func(_ *Config, d *Deps, _ *fakeStore) { d.Dev = true })
	id := w.create("").ID
	streams(t, w.store, id)
	turns(t, w.store, id, liveproof.OutcomeLive)
	s, _ := w.listen(eventsOf(id), withKey()...).state()
	require.InDelta(t, 0.75, *s.Score, 0)
}

// TestReadToken: it reads one session's events, and nothing else does so but an API key.
func TestReadToken(t *testing.T) {
	w := newWorld(t, nil)
	c, other := w.create(""), w.create("")
	x, path := w.reader(c.ID), eventsOf(c.ID)
	require.WithinDuration(t, w.read(c.ID).ExpiresAt, x.ExpiresAt, 0)
	w.refused(w.call("GET", path, ""), 401, CodeUnauthorized)
	w.refused(w.call("GET", path, "", withToken("x.y.z")...), 401, CodeTokenInvalid)
	w.refused(w.call("GET", path+"?token=x", ""), 401, CodeTokenInvalid)
	w.refused(w.call("GET", path+"?token="+testKey, ""), 401, CodeTokenInvalid)
	w.refused(w.call("GET", path, "", withToken(c.ClientToken)...), 401, CodeTokenInvalid)
	w.refused(w.call("GET", path, "", withToken(w.reader(other.ID).ReadToken)...), 401, CodeTokenWrongSession)
	w.refused(w.call("GET", path, "", withToken(otherKey)...), 404, CodeSessionNotFound)
	w.refused(w.call("GET", "/v1/sessions/x/events", "", withToken(x.ReadToken)...), 404, CodeSessionNotFound)

	w.refused(w.call("POST", "/v1/sessions/"+string(c.ID)+"/whip", goodOffer, withToken(x.ReadToken, "Content-Type", typeSDP)...), 401, CodeTokenInvalid)
	_, resp, err := w.dial(created{ID: c.ID, ClientToken: x.ReadToken}, nil)
	require.Error(t, err)
	require.Equal(t, 401, resp.StatusCode)
	for _, more := range []string{"", "/timeline", "/read_token"} {
		method := map[bool]string{true: "POST", false: "GET"}[more == "/read_token"]
		w.refused(w.call(method, "/v1/sessions/"+string(c.ID)+more, "", withToken(x.ReadToken)...), 401, CodeUnauthorized)
	}
	w.refused(w.call("POST", "/v1/sessions/"+string(c.ID)+"/read_token", "", withToken(otherKey)...), 404, CodeSessionNotFound)
	require.Equal(t, liveproof.StateCreated, w.read(c.ID).State)
	w.clock.advance(25 * time.Hour)
	w.refused(w.call("GET", path, "", withToken(x.ReadToken)...), 401, CodeTokenExpired)
}

// TestReadTokenIsNotLogged: neither the address nor the header.
func TestReadTokenIsNotLogged(t *testing.T) {
	var mu sync.Mutex
	var logged strings.Builder
	w := newWorld(t, func(_ *Config, d *Deps, _ *fakeStore) {
		d.Log = slog.New(slog.NewTextHandler(writerFunc(func(b []byte) (int, error) {
			mu.Lock()
			defer mu.Unlock()
			return logged.Write(b)
		}), &slog.HandlerOptions{Level: slog.LevelDebug}))
	})
	id := w.create("").ID
	x := w.reader(id)
	require.Equal(t, 204, w.call("DELETE", "/v1/sessions/"+string(id), "", withKey()...).StatusCode)
	w.refused(w.call("GET", eventsOf(id)+"?token="+x.ReadToken, ""), 404, CodeSessionNotFound)
	w.refused(w.call("GET", eventsOf(id)+"?token="+x.ReadToken+"x", ""), 401, CodeTokenInvalid)
	mu.Lock()
	defer mu.Unlock()
	require.Contains(t, logged.String(), "/v1/sessions/{id}/events")
	require.NotContains(t, logged.String(), x.ReadToken)
	require.NotContains(t, logged.String(), "token=")
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(b []byte) (int, error) { return f(b) }

// TestEventsAgain: a listener that connects again gets the present state at once; an EventSource that has seen the end stops.
func TestEventsAgain(t *testing.T) {
	w := newWorld(t, nil)
	id := w.create("").ID
	streams(t, w.store, id)
	_, seen := w.listen(eventsOf(id), withKey()...).state()
	_, again := w.listen(eventsOf(id), withKey("Last-Event-ID", seen)...).state()
	require.Equal(t, seen, again, "nothing has changed")
	turns(t, w.store, id, liveproof.OutcomeLive)
	s, changed := w.listen(eventsOf(id), withKey("Last-Event-ID", seen)...).state()
	require.NotEqual(t, seen, changed)
	require.Equal(t, liveproof.OutcomeLive, s.Verdict)
	_, err := w.store.Decide(t.Context(), id, liveproof.Ending{State: liveproof.StateDecided, Verdict: verdict(liveproof.OutcomeLive)})
	require.NoError(t, err)
	e := w.listen(eventsOf(id), withKey("Last-Event-ID", changed)...)
	_, last := e.state()
	e.end("decided")
	require.Equal(t, 204, w.call("GET", eventsOf(id), "", withKey("Last-Event-ID", last)...).StatusCode)
	require.Equal(t, 200, w.call("HEAD", eventsOf(id), "", withKey()...).StatusCode)
}

// TestEventsWithoutAServer: a session whose server is gone is pending for its listeners, although nobody writes that.
func TestEventsWithoutAServer(t *testing.T) {
	w := newWorld(t, nil)
	w.server.listeners.reread = 5 * time.Millisecond
	id := w.create(`{"mode":"call"}`).ID
	streams(t, w.store, id)
	turns(t, w.store, id, liveproof.OutcomeLive)
	e := w.listen(eventsOf(id), withKey()...)
	s, _ := e.state()
	require.Equal(t, liveproof.OutcomeLive, s.Verdict)
	w.clock.advance(2 * time.Hour)
	s, _ = e.state()
	require.Equal(t, liveproof.OutcomePending, s.Verdict)
	require.Equal(t, w.store.record(id).Lease.Until.UTC(), s.ChangedAt)
}

// TestEventsWithoutAStore: a listener is not left with a state that nobody can vouch for, not even by comments.
func TestEventsWithoutAStore(t *testing.T) {
	w := newWorld(t, nil)
	w.server.listeners.reread = 5 * time.Millisecond
	id := w.create("").ID
	e := w.listen(eventsOf(id), withKey()...)
	e.state()
	w.store.setDown(true)
	e.over()
	w.refused(w.call("GET", eventsOf(id), "", withKey()...), 503, CodeStoreUnavailable)
}

func TestEventsOfADeletedSession(t *testing.T) {
	w := newWorld(t, nil)
	id := w.create("").ID
	e := w.listen(eventsOf(id), withKey()...)
	e.state()
	require.Equal(t, 204, w.call("DELETE", "/v1/sessions/"+string(id), "", withKey()...).StatusCode)
	e.end("deleted")
}

func TestListenersAreBounded(t *testing.T) {
	w := newWorld(t, func(c *Config, _ *Deps, _ *fakeStore) { c.Listeners = ListenerLimits{PerSession: 2, PerTenant: 3} })
	a, b := eventsOf(w.create("").ID), eventsOf(w.create("").ID)
	open := func() int { return int(counted(w.server.metrics.listeners.WithLabelValues("default"))) }
	first, second := w.listen(a, withKey()...), w.listen(a, withKey()...)
	first.state()
	second.state()
	w.listen(b, withKey()...).state()
	w.refused(w.call("GET", b, "", withKey()...), 429, CodeRateLimited)
	require.Equal(t, 3, open())
	require.NoError(t, second.resp.Body.Close())
	require.Eventually(t, func() bool { return open() == 2 }, wait, time.Millisecond)
	w.listen(b, withKey()...).state()
	require.Equal(t, 3, open())
}

// TestANewListenerTakesTheOldestsPlace: a page that vanished without a word keeps nobody out; its stream ends, and no other.
func TestANewListenerTakesTheOldestsPlace(t *testing.T) {
	w := newWorld(t, func(c *Config, _ *Deps, _ *fakeStore) { c.Listeners = ListenerLimits{PerSession: 2, PerTenant: 3} })
	id := w.create("").ID
	open := func() int { return int(counted(w.server.metrics.listeners.WithLabelValues("default"))) }
	var streams []*ear
	for range 5 {
		streams = append(streams, w.listen(eventsOf(id), withKey()...))
		streams[len(streams)-1].state()
	}
	require.Equal(t, 2, open())
	for _, gone := range streams[:3] {
		gone.over()
	}
	_, err := w.store.Decide(t.Context(), id, liveproof.Ending{State: liveproof.StateDecided, Verdict: verdict(liveproof.OutcomeSpoof)})
	require.NoError(t, err)
	for _, there := range streams[3:] {
		e, _ := there.state()
		require.Equal(t, liveproof.StateDecided, e.State)
		there.end("decided")
	}
	require.Eventually(t, func() bool { return open() == 0 }, wait, time.Millisecond, "each place is given back once")
}

// TestEventsOutliveTheTimeouts: those of the HTTP server are for requests.
func TestEventsOutliveTheTimeouts(t *testing.T) {
	for _, version := range []int{1, 2} {
		t.Run(fmt.Sprintf("HTTP/%d", version), func(t *testing.T) {
			w := newWorld(t, nil)
			w.server.listeners.pace = pace{keepAlive: 300 * time.Millisecond, reread: 20 * time.Millisecond, write: 150 * time.Millisecond, again: time.Second}
			srv := httptest.NewUnstartedServer(w.server.Handler())
			srv.Config.ReadTimeout, srv.Config.WriteTimeout = 200*time.Millisecond, 200*time.Millisecond
			srv.EnableHTTP2 = version == 2
			srv.StartTLS()
			defer srv.Close()
			id := w.create("").ID
			e := listenBy(t, srv.Client().Transport, srv.URL+eventsOf(id), withKey()...)
			require.Equal(t, version, e.resp.ProtoMajor)
			e.state()
			for range 3 {
				h, ok := e.next()
				require.True(t, ok, "cut off")
				require.Equal(t, heard{comment: "keep-alive"}, h)
			}
			turns(t, w.store, id, liveproof.OutcomeLive)
			e.state()
			require.NoError(t, w.server.Close())
			e.over()
		})
	}
}

// pipes is a listener whose connections take nothing that the other side does not read.
type pipes struct{ conns chan net.Conn }

func (p pipes) Accept() (net.Conn, error) {
	c, ok := <-p.conns
	if !ok {
		return nil, net.ErrClosed
	}
	return c, nil
}
func (p pipes) Close() error   { return nil }
func (p pipes) Addr() net.Addr { return &net.UnixAddr{Name: "pipe"} }

// TestSlowListenersAreDropped: one that does not read holds its place no longer than one write may take.
func TestSlowListenersAreDropped(t *testing.T) {
	w := newWorld(t, nil)
	w.server.listeners.write = 50 * time.Millisecond
	id := w.create("").ID
	l := pipes{make(chan net.Conn)}
	srv := &http.Server{Handler: w.server.Handler(), ReadHeaderTimeout: wait}
	var serving sync.WaitGroup
	serving.Go(func() { _ = srv.Serve(l) })
	ours, theirs := net.Pipe()
	l.conns <- theirs
	_, err := ours.Write([]byte("GET " + eventsOf(id) + " HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer " + testKey + "\r\n\r\n"))
	require.NoError(t, err)
	require.Eventually(t, func() bool { return requestsServed(w, "GET /v1/sessions/{id}/events") == 1 }, wait, time.Millisecond)
	require.Zero(t, counted(w.server.metrics.listeners.WithLabelValues("default")))
	_ = ours.Close()
	close(l.conns)
	require.NoError(t, srv.Close())
	serving.Wait()
}

// requestsServed counts the answered requests of a route.
func requestsServed(w *world, route string) int {
	method, path, _ := strings.Cut(route, " ")
	return int(counted(w.server.metrics.requests.WithLabelValues(path, method, "200")))
}

// TestDrainEndsEvents: without "end", because the session may go on at another server.
func TestDrainEndsEvents(t *testing.T) {
	w := newWorld(t, nil)
	path := eventsOf(w.create("").ID)
	e := w.listen(path, withKey()...)
	e.state()
	require.NoError(t, w.server.Close())
	e.over()
	w.refused(w.call("GET", path, "", withKey()...), 503, CodeShuttingDown)
}

func TestEventsForPagesElsewhere(t *testing.T) {
	w := newWorld(t, func(c *Config, _ *Deps, _ *fakeStore) { c.CORSOrigins = []string{"https://bank.example"} })
	id := w.create("").ID
	r := w.call("OPTIONS", eventsOf(id), "", "Origin", "https://bank.example", "Access-Control-Request-Method", "GET")
	require.Equal(t, 204, r.StatusCode)
	require.Contains(t, r.Header.Get("Access-Control-Allow-Headers"), "Last-Event-ID")
	allowed := func(origin string) string {
		return w.listen(eventsOf(id), withToken(w.reader(id).ReadToken, "Origin", origin)...).resp.Header.Get("Access-Control-Allow-Origin")
	}
	require.Equal(t, "https://bank.example", allowed("https://bank.example"))
	require.Empty(t, allowed("https://evil.example"))
}
