package ingest

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/fstest"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"github.com/liveproof/liveproof"
	"github.com/liveproof/liveproof/ingest/live"
	"github.com/liveproof/liveproof/ingest/rtc"
)

func TestCreateAndRead(t *testing.T) {
	w := newWorld(t, nil)
	c := w.create(`{"mode":"call","external_id":"kunde-4711","deadline_s":20}`)
	require.Equal(t, w.http.URL+"/v1/sessions/"+string(c.ID)+"/whip", c.WHIPURL)
	require.Equal(t, "ws"+strings.TrimPrefix(w.http.URL, "http")+"/v1/sessions/"+string(c.ID)+"/signal", c.SignalURL)
	require.Len(t, c.ICEServers, 2)
	v := w.read(c.ID)
	require.Equal(t, liveproof.StateCreated, v.State)
	require.Equal(t, liveproof.OutcomePending, v.Verdict)
	require.Equal(t, liveproof.ModeCall, v.Mode)
	require.Equal(t, "kunde-4711", v.ExternalID)
	require.Nil(t, v.DecidedAt)
	require.WithinDuration(t, v.CreatedAt.Add(24*time.Hour), v.ExpiresAt, time.Second)
	require.WithinDuration(t, v.CreatedAt.Add(2*time.Minute), c.ExpiresAt, time.Second)
}

func TestCreateRefusesBadBodies(t *testing.T) {
	w := newWorld(t, nil)
	for _, x := range []struct{ body, field string }{
		{`{`, ""}, {`[]`, ""}, {`null`, ""}, {`{} {}`, ""}, {`"x"`, ""},
		{`{"mode":"other"}`, "mode"}, {`{"mode":7}`, "mode"}, {" ", ""},
		{`{"mode":null}`, "mode"}, {`{"external_id":null}`, "external_id"}, {`{"deadline_s":null}`, "deadline_s"}, {`{"calibration":null}`, "calibration"},
		{`{"require":null}`, "require"}, {`{"require":"flash"}`, "require"}, {`{"require":["voice"]}`, "require"}, {`{"require":["flash","flash"]}`, "require"},
		{`{"Mode":"call"}`, "Mode"}, {`{"EXTERNAL_ID":"x"}`, "EXTERNAL_ID"}, {`{"mode":"call","mode":"call"}`, "mode"},
		{"{\"external_id\":\"\xff\"}", ""}, {`{"external_id":"\ud800"}`, ""},
		{`{"verdict":"live"}`, "verdict"}, {`{"state":"decided"}`, "state"},
		{`{"deadline_s":0}`, "deadline_s"}, {`{"deadline_s":61}`, "deadline_s"}, {`{"deadline_s":-1}`, "deadline_s"},
		{`{"external_id":"` + strings.Repeat("x", 129) + `"}`, "external_id"}, {`{"external_id":"a\u0000b"}`, "external_id"},
	} {
		r := w.call("POST", "/v1/sessions", x.body, withKey()...)
		w.refused(r, 400, CodeInvalidRequest)
		var p Problem
		r.json(t, &p)
		require.Equal(t, x.field, p.Field, x.body)
	}
	w.refused(w.call("POST", "/v1/sessions", "a=b", "Authorization", "Bearer "+testKey, "Content-Type", "application/x-www-form-urlencoded"), 415, CodeUnsupportedMediaType)
	require.Zero(t, w.store.created())
}

func TestBodyTooLarge(t *testing.T) {
	w := newWorld(t, nil)
	big := `{"external_id":"` + strings.Repeat("x", 64<<10) + `"}`
	w.refused(w.call("POST", "/v1/sessions", big, withKey()...), 413, CodeBodyTooLarge)
}

func TestAPIKeys(t *testing.T) {
	w := newWorld(t, nil)
	for _, h := range [][]string{nil, {"Authorization", "Bearer wrong-key-0123456789abc"}, {"Authorization", "Basic " + testKey}, {"Authorization", testKey}} {
		for _, x := range [][2]string{{"POST", "/v1/sessions"}, {"GET", "/v1/sessions/x"}, {"DELETE", "/v1/sessions/x"}, {"GET", "/v1/sessions/x/timeline"}} {
			r := w.call(x[0], x[1], "", h...)
			w.refused(r, 401, CodeUnauthorized)
			require.Contains(t, r.Header.Get("WWW-Authenticate"), "Bearer")
		}
	}
	c := w.create("")
	w.refused(w.call("GET", "/v1/sessions/"+string(c.ID), "", withToken(c.ClientToken)...), 401, CodeUnauthorized)
}

func TestIdempotencyKey(t *testing.T) {
	w := newWorld(t, nil)
	post := func(body, key string) reply {
		return w.call("POST", "/v1/sessions", body, withKey("Idempotency-Key", key)...)
	}
	var a, b, c created
	post(`{"mode":"call"}`, "k1").json(t, &a)
	again := post(`{ "mode" : "call" }`, "k1")
	require.Equal(t, 201, again.StatusCode)
	again.json(t, &b)
	require.Equal(t, a.ID, b.ID)
	_, err := w.server.tokens.verify(b.ClientToken, a.ID)
	require.NoError(t, err, "the repeated answer's token works")
	w.refused(post(`{"mode":"onboarding"}`, "k1"), 422, CodeIdempotencyMismatch)
	post(`{"mode":"call"}`, "k2").json(t, &c)
	require.NotEqual(t, a.ID, c.ID)
	w.refused(post(`{}`, strings.Repeat("k", 256)), 400, CodeInvalidRequest)
	// The same key of another caller is another key.
	r := w.call("POST", "/v1/sessions", `{"mode":"call"}`, "Authorization", "Bearer another-key-0123456789",
		"Content-Type", "application/json", "Idempotency-Key", "k1")
	r.json(t, &b)
	require.NotEqual(t, a.ID, b.ID)
}

// TestCalibrationOfARequest: a name of the configuration, and nothing else.
func TestCalibrationOfARequest(t *testing.T) {
	w := newWorld(t, func(_ *Config, d *Deps, _ *fakeStore) { d.Demo = true })
	asked, plain := w.create(`{"calibration":"high_value"}`), w.create("")
	require.Equal(t, "high_value", w.store.record(asked.ID).Calibration)
	require.Empty(t, w.store.record(plain.ID).Calibration)
	require.Nil(t, w.read(asked.ID).Threshold, "nothing judges it yet")
	w.await(w.mustDial(asked), "decided")
	v := w.read(asked.ID)
	require.Equal(t, "high_value", v.Calibration)
	require.Equal(t, &liveproof.Threshold{Value: 0.75, Source: liveproof.ThresholdOfRequest, Calibration: "strict-2026", CalibrationSHA256: "00"}, v.Threshold)
	for body, detail := range map[string]string{
		`{"calibration":"highvalue"}`: "there is high_value, low",
		`{"calibration":0.1}`:         "wrong type",
		`{"calibration":"0.1"}`:       "there is high_value, low",
		`{"threshold":0.1}`:           `unknown member "threshold"`,
	} {
		r := w.call("POST", "/v1/sessions", body, withKey()...)
		w.refused(r, 400, CodeInvalidRequest)
		require.Contains(t, string(r.body), strings.ReplaceAll(detail, `"`, `\"`))
	}
	r := w.call("POST", "/demo/sessions", `{"calibration":"low"}`, "Content-Type", "application/json")
	w.refused(r, 400, CodeInvalidRequest)
	require.Contains(t, string(r.body), "there is none", "a visitor of the page chooses nothing")
}

// TestEvidenceOfARequest: what the policy makes of it is recorded and shown.
func TestEvidenceOfARequest(t *testing.T) {
	w := newWorld(t, nil)
	asked, plain := w.create(`{"require":["flash","passive"]}`), w.create("")
	require.Equal(t, []liveproof.Evidence{liveproof.EvidencePassive, liveproof.EvidenceFlash}, w.read(asked.ID).Require)
	require.Equal(t, []liveproof.Evidence{liveproof.EvidencePassive}, w.read(plain.ID).Require)
	require.Empty(t, w.read(asked.ID).Evidence, "nothing was given yet")
}

// TestIdempotencyKeyAndCalibration: the calibration is part of the request.
func TestIdempotencyKeyAndCalibration(t *testing.T) {
	w := newWorld(t, nil)
	post := func(body string) reply {
		return w.call("POST", "/v1/sessions", body, withKey("Idempotency-Key", "k")...)
	}
	require.Equal(t, 201, post(`{"calibration":"low"}`).StatusCode)
	require.Equal(t, 201, post(`{"calibration":"low"}`).StatusCode)
	w.refused(post(`{"calibration":"high_value"}`), 422, CodeIdempotencyMismatch)
	w.refused(post(`{}`), 422, CodeIdempotencyMismatch)
	plain := liveproof.Session{Mode: "call", ExternalID: "x", Deadline: time.Minute}
	require.Equal(t, hash("call", "x", "1m0s"), requestHash(plain), "as in 0.1")
}

func TestTimelineAndDelete(t *testing.T) {
	w := newWorld(t, nil)
	c := w.create("")
	path := "/v1/sessions/" + string(c.ID)
	require.NoError(t, w.store.AppendSamples(t.Context(), c.ID, []liveproof.Sample{
		{Seq: 1, T: 200 * time.Millisecond, Reasons: []liveproof.Reason{liveproof.ReasonNoFace}},
		{Seq: 2, T: 400 * time.Millisecond, Scored: true, Rho: 0.9, Weight: 1, Track: 1},
	}, liveproof.FrameCounts{}, liveproof.Pending()))
	r := w.call("GET", path+"/timeline", "", withKey()...)
	require.Equal(t, 200, r.StatusCode)
	require.JSONEq(t, `{"id":"`+string(c.ID)+`","samples":[
		{"seq":1,"t":0.2,"scored":false,"rho":0,"weight":0,"track":0,"reasons":["no_face"]},
		{"seq":2,"t":0.4,"scored":true,"rho":0.9,"weight":1,"track":1,"reasons":[]}]}`, string(r.body))
	require.Equal(t, 204, w.call("DELETE", path, "", withKey()...).StatusCode)
	w.refused(w.call("GET", path, "", withKey()...), 404, CodeSessionNotFound)
	w.refused(w.call("DELETE", path, "", withKey()...), 404, CodeSessionNotFound)
	w.refused(w.call("GET", path+"/timeline", "", withKey()...), 404, CodeSessionNotFound)
}

func TestDeleteEndsARunningSession(t *testing.T) {
	w := newWorld(t, nil)
	c := w.create("")
	ws := w.mustDial(c)
	require.Equal(t, 204, w.call("DELETE", "/v1/sessions/"+string(c.ID), "", withKey()...).StatusCode)
	m, _ := w.await(ws, "decided")
	require.Equal(t, "retry", m["result"])
	require.Eventually(t, func() bool { return w.server.live.Count() == 0 }, wait, time.Millisecond)
	_, err := w.store.Get(t.Context(), c.ID)
	require.ErrorIs(t, err, liveproof.ErrNotFound, "a late write does not bring it back")
}

func TestUnknownPathsAndMethods(t *testing.T) {
	w := newWorld(t, nil)
	for _, p := range []string{"/v1", "/v1/", "/v1/other", "/v1/sessions/x/y", "/demo/sessions", "/demo/config", "/metrics.txt"} {
		if p == "/v1" {
			continue // looks like a page
		}
		w.refused(w.call("GET", p, ""), 404, CodeNotFound)
	}
	r := w.call("PUT", "/v1/sessions", "", withKey()...)
	w.refused(r, 405, CodeMethodNotAllowed)
	require.Equal(t, "GET, HEAD, POST", r.Header.Get("Allow"))
	r = w.call("POST", "/healthz", "")
	require.Equal(t, "GET, HEAD", r.Header.Get("Allow"))
	for _, id := range []string{"x", "01jd4z5t8q0v9x2b3c4d5e6f7g", strings.Repeat("0", 25), "01JD4Z5T8Q0V9X2B3C4D5E6F7G"} {
		w.refused(w.call("GET", "/v1/sessions/"+id, "", withKey()...), 404, CodeSessionNotFound)
	}
}

// TestExpired: nobody connects. The sweep alone ends the session, on time.
func TestExpired(t *testing.T) {
	w := newWorld(t, nil)
	c := w.create("")
	w.clock.advance(2*time.Minute - time.Millisecond)
	w.sweep()
	require.Equal(t, liveproof.StateCreated, w.read(c.ID).State, "a client may still connect")
	w.clock.advance(time.Millisecond)
	require.Equal(t, liveproof.StateCreated, w.read(c.ID).State, "reading writes nothing")
	w.sweep()
	v := w.read(c.ID)
	require.Equal(t, liveproof.StateExpired, v.State)
	require.Equal(t, liveproof.OutcomeInconclusive, v.Verdict)
	require.Equal(t, []liveproof.Reason{liveproof.ReasonNoMedia}, v.Reasons)
}

// TestServerLost: when a lease runs out, the session reads as pending, and any
// server ends it within 30 s.
func TestServerLost(t *testing.T) {
	w := newWorld(t, nil)
	c := w.create(`{"mode":"call"}`)
	require.NoError(t, w.store.Claim(t.Context(), c.ID, "elsewhere", liveproof.Lease{Owner: "elsewhere", Until: w.clock.now().Add(5 * time.Second)}))
	require.NoError(t, w.store.SetStreaming(t.Context(), c.ID, liveproof.ModelInfo{}, liveproof.Threshold{}, "haar"))
	standing := verdict(liveproof.OutcomeLive)
	standing.Final = false
	require.NoError(t, w.store.AppendSamples(t.Context(), c.ID, nil, liveproof.FrameCounts{}, standing))
	require.Equal(t, liveproof.OutcomeLive, w.read(c.ID).Verdict)

	w.clock.advance(5 * time.Second)
	v := w.read(c.ID)
	require.Equal(t, liveproof.OutcomePending, v.Verdict, "never a stale live")
	require.Zero(t, v.Score)
	w.sweep()
	require.Equal(t, liveproof.StateStreaming, w.read(c.ID).State, "its server may come back")
	w.clock.advance(20 * time.Second)
	w.sweep()
	v = w.read(c.ID)
	require.Equal(t, liveproof.StateExpired, v.State)
	require.Equal(t, liveproof.OutcomeInconclusive, v.Verdict)
	require.Equal(t, []liveproof.Reason{liveproof.ReasonServerLost}, v.Reasons)
}

// TestTenants: a tenant's sessions do not exist for another tenant.
func TestTenants(t *testing.T) {
	w := newWorld(t, func(c *Config, _ *Deps, _ *fakeStore) { c.RatePerTenant = Rate{0.001, 8} })
	c := w.create("")
	path := "/v1/sessions/" + string(c.ID)
	other := func(method, path string, more ...string) reply {
		return w.call(method, path, "", append([]string{"Authorization", "Bearer " + otherKey}, more...)...)
	}
	w.refused(other("GET", path), 404, CodeSessionNotFound)
	w.refused(other("GET", path+"/timeline"), 404, CodeSessionNotFound)
	w.refused(other("DELETE", path), 404, CodeSessionNotFound)
	require.Equal(t, liveproof.StateCreated, w.read(c.ID).State)
	require.Equal(t, liveproof.DefaultTenant, w.store.record(c.ID).Tenant)

	// Each tenant has its own Idempotency-Keys and its own rate.
	var mine, theirs created
	w.call("POST", "/v1/sessions", "", withKey("Idempotency-Key", "k")...).json(t, &mine)
	other("POST", "/v1/sessions", "Idempotency-Key", "k").json(t, &theirs)
	require.NotEqual(t, mine.ID, theirs.ID)
	require.Equal(t, "bank-a", w.store.record(theirs.ID).Tenant)
	for range 4 {
		other("GET", path)
	}
	w.refused(other("GET", path), 429, CodeRateLimited)
	w.read(c.ID)
	require.InDelta(t, 1, counted(w.server.metrics.limited.WithLabelValues("tenant", "bank-a")), 0)
	require.InDelta(t, 2, counted(w.server.metrics.created.WithLabelValues("default", "onboarding")), 0)
}

// TestBlame: every error becomes a problem whose code blames the right part.
func TestBlame(t *testing.T) {
	for err, want := range map[error]Code{
		context.DeadlineExceeded: CodeTimeout,
		context.Canceled:         CodeTimeout,
		fmt.Errorf("redis: %w: %w", liveproof.ErrUnavailable, context.DeadlineExceeded): CodeStoreUnavailable,
		fmt.Errorf("%w: %w", live.ErrNegotiation, context.DeadlineExceeded):             CodeNegotiationTimeout,
		fmt.Errorf("%w: %w", errNotAdmitted, liveproof.ErrUnavailable):                  CodeScorerUnavailable,
		live.ErrDraining:                  CodeShuttingDown,
		liveproof.ErrOverloaded:           CodeOverloaded,
		rtc.ErrBadSDP:                     CodeSDPInvalid,
		rtc.ErrNoVideo:                    CodeSDPInvalid,
		live.ErrRenegotiation:             CodeProtocolError,
		rtc.ErrLost:                       CodeSessionConflict,
		liveproof.ErrTokenUsed:            CodeTokenUsed,
		errors.New("disk on fire"):        CodeInternal,
		fmt.Errorf("store: %w", errAgain): CodeInternal,
	} {
		p := problemOf(err)
		require.Equal(t, want, p.Code, "%v", err)
		require.Equal(t, codes[want].fault, p.Fault)
		require.ErrorIs(t, p, err, "the log has the cause")
		require.NotContains(t, p.Detail, "fire")
	}
}

var errAgain = errors.New("again")

// TestNegotiationTimeout: a negotiation that takes too long is not the store's fault.
func TestNegotiationTimeout(t *testing.T) {
	w := newWorld(t, func(_ *Config, d *Deps, _ *fakeStore) { d.Session.ConnectTimeout = 30 * time.Millisecond })
	w.rtc.slow, w.rtc.silent = true, true
	c := w.create("")
	r := w.whip(c)
	w.refused(r, 504, CodeNegotiationTimeout)
	require.NotContains(t, string(r.body), "store")
	require.Equal(t, []liveproof.Reason{liveproof.ReasonNoMedia}, w.terminal(c.ID).Verdict.Reasons)
}

func TestStoreDown(t *testing.T) {
	w := newWorld(t, nil)
	c := w.create("")
	w.store.setDown(true)
	for _, r := range []reply{
		w.call("POST", "/v1/sessions", "", withKey()...),
		w.call("GET", "/v1/sessions/"+string(c.ID), "", withKey()...),
		w.call("POST", "/v1/sessions/"+string(c.ID)+"/whip", goodOffer, withToken(c.ClientToken, "Content-Type", typeSDP)...),
	} {
		w.refused(r, 503, CodeStoreUnavailable)
		require.NotEmpty(t, r.Header.Get("Retry-After"))
	}
	r := w.call("GET", "/readyz", "")
	require.Equal(t, 503, r.StatusCode)
	require.JSONEq(t, `{"ready":false,"store":"unavailable","model":"ok","draining":false,"sessions":0}`, string(r.body))
	require.Equal(t, 200, w.call("GET", "/healthz", "").StatusCode)
	w.store.setDown(false)
	require.Equal(t, 503, w.call("GET", "/readyz", "").StatusCode, "asked once a second")
	require.Equal(t, 1, w.store.pings)
	w.clock.advance(time.Second)
	require.Equal(t, 200, w.call("GET", "/readyz", "").StatusCode)
	w.create("")
}

func TestNotReadyModel(t *testing.T) {
	w := newWorld(t, func(_ *Config, d *Deps, _ *fakeStore) {
		d.Ready = func(context.Context) error { return errors.New("CUDA device 0 lost at /dev/nvidia0") }
	})
	r := w.call("GET", "/readyz", "")
	require.Equal(t, 503, r.StatusCode)
	require.Contains(t, string(r.body), `"model":"not_ready"`)
	require.NotContains(t, string(r.body), "nvidia", "no internals")
}

func TestRateLimits(t *testing.T) {
	w := newWorld(t, func(c *Config, d *Deps, _ *fakeStore) {
		c.RatePerTenant, c.RatePerIP = Rate{1, 3}, Rate{1, 2}
		d.Demo = true
	})
	for range 3 {
		w.create("")
	}
	r := w.call("POST", "/v1/sessions", "", withKey()...)
	w.refused(r, 429, CodeRateLimited)
	require.Equal(t, "1", r.Header.Get("Retry-After"))
	// Guessing keys is limited by address, and does not cost the honest caller.
	w.call("POST", "/v1/sessions", "")
	w.call("POST", "/demo/sessions", "")
	w.refused(w.call("POST", "/v1/sessions", ""), 429, CodeRateLimited)
	w.refused(w.call("POST", "/demo/sessions", ""), 429, CodeRateLimited)
	w.clock.advance(time.Second)
	w.create("")
}

func TestTrustedProxies(t *testing.T) {
	cfg := testConfig()
	cfg.TrustedProxies = []string{"10.0.0.0/8", "::1/128"}
	s, err := New(cfg, testDeps())
	require.NoError(t, err)
	for _, x := range []struct{ remote, forwarded, want string }{
		{"192.0.2.1:1", "198.51.100.7", "192.0.2.1"}, // not a proxy of ours: its claim counts for nothing
		{"10.0.0.1:1", "198.51.100.7", "198.51.100.7"},
		{"10.0.0.1:1", "203.0.113.9, 198.51.100.7, 10.9.9.9", "198.51.100.7"},
		{"10.0.0.1:1", "", "10.0.0.1"}, {"10.0.0.1:1", "garbage", "10.0.0.1"},
		{"[::1]:1", "2001:db8::1", "2001:db8::1"},
	} {
		r := &http.Request{RemoteAddr: x.remote, Header: http.Header{"X-Forwarded-For": {x.forwarded}, "X-Forwarded-Proto": {"https"}}}
		require.Equal(t, x.want, s.clientIP(r).String(), "%+v", x)
		require.Equal(t, !strings.HasPrefix(x.remote, "192"), s.secured(r))
	}
	require.NoError(t, s.Close())
}

func TestDemoBackend(t *testing.T) {
	w := newWorld(t, func(_ *Config, d *Deps, _ *fakeStore) { d.Demo = true })
	r := w.call("POST", "/demo/sessions", "")
	require.Equal(t, 201, r.StatusCode, "%s", r.body)
	var c created
	r.json(t, &c)
	path := "/demo/sessions/" + string(c.ID)
	require.JSONEq(t, `{"id":"`+string(c.ID)+`","state":"created","result":"pending","reasons":[]}`, string(w.call("GET", path, "").body))
	_, err := w.store.Decide(t.Context(), c.ID, liveproof.Judged(verdict(liveproof.OutcomeSpoof), liveproof.FrameCounts{}))
	require.NoError(t, err)
	require.JSONEq(t, `{"id":"`+string(c.ID)+`","state":"decided","result":"fail","reasons":["score_above_threshold"]}`,
		string(w.call("GET", path, "").body), "no score")
	made := w.create(`{"external_id":"kunde-4711"}`)
	w.refused(w.call("GET", "/demo/sessions/"+string(made.ID), ""), 404, CodeSessionNotFound)
	require.JSONEq(t, `{"dev":false,"model":{"name":"test","demo":true,"threshold":0.5},"detector":"haar"}`,
		string(w.call("GET", "/demo/config", "").body))
	w.refused(w.call("POST", "/demo/sessions", "", "Origin", "https://evil.example"), 403, CodeOriginForbidden)
	require.NotContains(t, string(r.body), testKey)
}

func TestDemoBackendDev(t *testing.T) {
	w := newWorld(t, func(_ *Config, d *Deps, _ *fakeStore) { d.Dev = true })
	var c created
	w.call("POST", "/demo/sessions", "").json(t, &c)
	require.Contains(t, string(w.call("GET", "/demo/sessions/"+string(c.ID), "").body), `"score":`)
	w.refused(w.call("GET", "/demo/sessions/"+string(w.create("").ID), ""), 404, CodeSessionNotFound)
}

func TestAdmission(t *testing.T) {
	var refuse error
	w := newWorld(t, func(_ *Config, d *Deps, _ *fakeStore) { d.Admit = func() error { return refuse } })
	w.create("")
	for err, code := range map[error]Code{
		liveproof.ErrUnavailable: CodeScorerUnavailable, liveproof.ErrOverloaded: CodeOverloaded,
	} {
		refuse = err
		r := w.call("POST", "/v1/sessions", "", withKey()...)
		w.refused(r, 503, code)
		require.NotEmpty(t, r.Header.Get("Retry-After"))
	}
	require.Equal(t, 1, w.store.created())
}

func TestMinDeadline(t *testing.T) {
	least := func(_ *Config, d *Deps, _ *fakeStore) { d.MinDeadline = 3 * time.Second }
	w := newWorld(t, least)
	r := w.call("POST", "/v1/sessions", `{"deadline_s":2}`, withKey()...)
	w.refused(r, 400, CodeInvalidRequest)
	require.Contains(t, string(r.body), "[3, 60] seconds")
	w.create(`{"deadline_s":3}`)

	deps := testDeps()
	deps.Session.Deadline, deps.MinDeadline = 2*time.Second, 3*time.Second
	_, err := New(testConfig(), deps)
	require.ErrorContains(t, err, "session.deadline: 2s")
}

// TestIdempotentReplayTooLate: what can no longer be connected to is a clear conflict, never a 404 or a dead token.
func TestIdempotentReplayTooLate(t *testing.T) {
	w := newWorld(t, nil)
	post := func() (reply, created) {
		var c created
		r := w.call("POST", "/v1/sessions", "", withKey("Idempotency-Key", "k")...)
		if r.StatusCode == http.StatusCreated {
			r.json(t, &c)
		}
		return r, c
	}
	_, first := post()
	w.clock.advance(time.Minute)
	_, again := post()
	require.Equal(t, first.ID, again.ID)
	_, err := w.server.tokens.verify(again.ClientToken, first.ID)
	require.NoError(t, err)
	w.clock.advance(time.Minute)
	r, _ := post()
	w.refused(r, 409, CodeSessionConflict)
	require.Equal(t, 204, w.call("DELETE", "/v1/sessions/"+string(first.ID), "", withKey()...).StatusCode)
	r, fresh := post()
	require.Equal(t, 201, r.StatusCode, "%s", r.body)
	require.NotEqual(t, first.ID, fresh.ID)
	require.NoError(t, w.store.Claim(t.Context(), fresh.ID, "elsewhere", liveproof.Lease{Owner: "elsewhere", Until: w.clock.now().Add(5 * time.Second)}))
	r, _ = post()
	w.refused(r, 409, CodeSessionConflict)
}

func TestWebsite(t *testing.T) {
	w := newWorld(t, func(_ *Config, d *Deps, _ *fakeStore) {
		d.Demo = true
		d.Web = fstest.MapFS{
			"index.html":      {Data: []byte("<!doctype html><title>x</title>")},
			"assets/a-123.js": {Data: []byte("export{}")},
			".gitkeep":        {Data: []byte{}},
		}
	})
	page := w.call("GET", "/", "")
	require.Equal(t, 200, page.StatusCode)
	require.Contains(t, page.Header.Get("Content-Type"), "text/html")
	require.Equal(t, "no-cache", page.Header.Get("Cache-Control"))
	require.Contains(t, page.Header.Get("Content-Security-Policy"), "script-src 'self';")
	require.Contains(t, page.Header.Get("Permissions-Policy"), "camera=(self)")
	require.Empty(t, page.Header.Get("Strict-Transport-Security"), "plain HTTP")
	require.Equal(t, 304, w.call("GET", "/", "", "If-None-Match", page.Header.Get("ETag")).StatusCode)
	script := w.call("GET", "/assets/a-123.js", "")
	require.Contains(t, script.Header.Get("Content-Type"), "javascript")
	require.Contains(t, script.Header.Get("Cache-Control"), "immutable")
	// Module scripts are fetched in CORS mode: without this no other page can load the component.
	require.Equal(t, "*", script.Header.Get("Access-Control-Allow-Origin"))
	require.Equal(t, "cross-origin", script.Header.Get("Cross-Origin-Resource-Policy"))
	require.Empty(t, page.Header.Get("Access-Control-Allow-Origin"), "the page is nobody else's to read")
	require.Equal(t, page.body, w.call("GET", "/operator", "").body)
	w.refused(w.call("GET", "/missing.js", ""), 404, CodeNotFound)
	w.refused(w.call("GET", "/.gitkeep", ""), 404, CodeNotFound)
	require.Empty(t, w.call("HEAD", "/", "").body)
}

func TestWebsiteNotBuilt(t *testing.T) {
	w := newWorld(t, func(_ *Config, d *Deps, _ *fakeStore) { d.Demo = true })
	require.Contains(t, string(w.call("GET", "/", "").body), "make web")
}

// TestWebsiteWithoutDemo: no page whose button cannot work, but the component for other sites.
func TestWebsiteWithoutDemo(t *testing.T) {
	w := newWorld(t, func(_ *Config, d *Deps, _ *fakeStore) {
		d.Web = fstest.MapFS{
			"index.html":        {Data: []byte("<!doctype html><liveness-check></liveness-check>")},
			"playground.html":   {Data: []byte("<!doctype html><liveness-check></liveness-check>")},
			"liveness-check.js": {Data: []byte("export{}")},
		}
	})
	require.Equal(t, 404, w.call("GET", "/playground.html", "").StatusCode)
	page := w.call("GET", "/", "")
	require.Equal(t, 200, page.StatusCode)
	require.Contains(t, string(page.body), "demo is off")
	require.NotContains(t, string(page.body), "liveness-check")
	require.Equal(t, 200, w.call("GET", "/liveness-check.js", "", "Origin", "https://bank.example").StatusCode)
}

func TestPanicIsAProblem(t *testing.T) {
	w := newWorld(t, nil)
	h := w.server.wrap("x", func(http.ResponseWriter, *http.Request) error { panic("secret detail") })
	w.http.Config.Handler = h
	r := w.call("GET", "/v1/other", "")
	w.refused(r, 500, CodeInternal)
	require.NotContains(t, string(r.body), "secret")
}

func TestRequestID(t *testing.T) {
	w := newWorld(t, nil)
	require.Equal(t, "abc-1", w.call("GET", "/healthz", "", "X-Request-Id", "abc-1").Header.Get("X-Request-Id"))
	require.Len(t, w.call("GET", "/healthz", "", "X-Request-Id", "a b\tforged=1").Header.Get("X-Request-Id"), 26)
}

func TestConfig(t *testing.T) {
	require.NoError(t, DefaultConfig().Validate())
	var back Config
	b, err := yaml.Marshal(DefaultConfig())
	require.NoError(t, err)
	require.NoError(t, yaml.Unmarshal(b, &back))
	require.Equal(t, DefaultConfig(), back, "every field has its yaml name")
	for key, change := range map[string]func(*Config){
		"listen:":     func(c *Config) { c.Listen = "" },
		"public_url:": func(c *Config) { c.PublicURL = "example.org" },
		"tls_cert:":   func(c *Config) { c.TLSKey = "x" },
		"api_keys:":   func(c *Config) { c.APIKeys = []APIKey{{"", "short"}} },
		"api_keys: key 2 belongs to another tenant": func(c *Config) {
			c.APIKeys = []APIKey{{"bank-a", "0123456789abcdef"}, {"bank-b", "0123456789abcdef"}}
		},
		"token_secret:":            func(c *Config) { c.TokenSecret = "short" },
		"max_body:":                func(c *Config) { c.MaxBody = 0 },
		"max_message:":             func(c *Config) { c.MaxMessage = 1 << 30 },
		"rate_entries:":            func(c *Config) { c.RateEntries = 0 },
		"rate_per_tenant.burst:":   func(c *Config) { c.RatePerTenant.Burst = 0 },
		"rate_per_ip.per_second:":  func(c *Config) { c.RatePerIP.PerSecond = math.NaN() },
		"message_rate.per_second:": func(c *Config) { c.MessageRate.PerSecond = 0 },
		"cors_origins:":            func(c *Config) { c.CORSOrigins = []string{"example.org"} },
		"ws_origins:":              func(c *Config) { c.WSOrigins = []string{"https://example.org/"} },
		"trusted_proxies:":         func(c *Config) { c.TrustedProxies = []string{"10.0.0.1"} },
	} {
		c := testConfig()
		change(&c)
		err := c.Validate()
		require.Error(t, err, key)
		require.True(t, strings.HasPrefix(err.Error(), key), "%s: %v", key, err)
	}
}

func TestAPIKeyNames(t *testing.T) {
	key := strings.Repeat("k", 16)
	for name, x := range map[string]struct {
		keys []string
		want string // "" is accepted
	}{
		"one without a name":     {[]string{key}, ""},
		"two with names":         {[]string{"bank-a:" + key, "bank-b:" + key + "2"}, ""},
		"two keys of one tenant": {[]string{"bank-a:" + key, "bank-a:" + key + "2"}, ""},
		"named and unnamed":      {[]string{"bank-a:" + key, key + "2"}, ""},
		"two without a name":     {[]string{key, key + "2"}, "2 keys have no name"},
		"name with a space":      {[]string{"bank a:" + key}, "the name of key 1"},
		"name in capitals":       {[]string{"BANK:" + key}, "the name of key 1"},
		"short":                  {[]string{"bank-a:" + key[1:]}, "key 1 has 15 characters"},
		"all faults at once":     {[]string{"BANK:x"}, "the name of key 1"},
	} {
		cfg := DefaultConfig()
		raw, err := yaml.Marshal(map[string][]string{"api_keys": x.keys})
		require.NoError(t, err)
		require.NoError(t, yaml.Unmarshal(raw, &cfg), name)
		err = cfg.Validate()
		if x.want == "" {
			require.NoError(t, err, name)
			continue
		}
		require.ErrorContains(t, err, x.want, name)
		require.NotContains(t, err.Error(), key[1:], "an error never shows a key")
	}
}

func TestMissingSecretsAreRefusedUnlessDev(t *testing.T) {
	deps := testDeps()
	_, err := New(DefaultConfig(), deps)
	require.ErrorContains(t, err, "api_keys:")
	cfg := DefaultConfig()
	cfg.APIKeys = []APIKey{{"", testKey}}
	_, err = New(cfg, deps)
	require.ErrorContains(t, err, "token_secret:")
	deps.Demo = true
	_, err = New(DefaultConfig(), deps)
	require.NoError(t, err)
	require.GreaterOrEqual(t, len(NewSecret()), 32)
}

func FuzzCreation(f *testing.F) {
	for _, s := range []string{`{}`, `{"mode":"call"}`, `{"mode":"onboarding","external_id":"x","deadline_s":1e400}`, `null`, `{"mode":null}`, `{"MODE":"call"}`, `{"mode":"call","mode":"call"}`, "{\"external_id\":\"\xff\"}"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		c, err := parseCreation(b)
		if err != nil {
			var p *Problem
			require.ErrorAs(t, err, &p)
			require.Equal(t, 400, p.Status)
			return
		}
		require.Contains(t, []liveproof.Mode{liveproof.ModeCall, liveproof.ModeOnboarding}, c.Mode)
		require.True(t, utf8.ValidString(c.ExternalID))
		doc, err := loadDocument()
		require.NoError(t, err)
		value := map[string]any{"mode": string(c.Mode), "external_id": c.ExternalID}
		require.NoError(t, doc.ValidateSchemaJSON(doc.Components.Schemas["Creation"].Value, value), "the schema refuses what the server accepts")
	})
}

// TestAnUnknownRefusalIsARefusal: an error that strictjson did not make accepts nothing.
func TestAnUnknownRefusalIsARefusal(t *testing.T) {
	require.NoError(t, refusalOf(nil))
	var p *Problem
	require.ErrorAs(t, refusalOf(errors.New("some other error")), &p)
	require.Equal(t, CodeInvalidRequest, p.Code)
}

// TestPlainKeysAreToldOnce: an API key that comes over a network in the clear is a warning that names the mend, once.
func TestPlainKeysAreToldOnce(t *testing.T) {
	for name, c := range map[string]struct {
		from, proto string
		key         string
		warned      bool
	}{
		"in the clear":             {"192.0.2.7:1", "", testKey, true},
		"as anybody may claim":     {"192.0.2.7:1", "https", testKey, true},
		"a proxy without TLS":      {"10.0.0.1:1", "", testKey, true},
		"a proxy with TLS":         {"10.0.0.1:1", "https", testKey, false},
		"on this machine":          {"127.0.0.1:1", "", testKey, false},
		"on this machine, by IPv6": {"[::1]:1", "", testKey, false},
		"no key":                   {"192.0.2.7:1", "", "none", false},
	} {
		t.Run(name, func(t *testing.T) {
			var logged strings.Builder
			w := newWorld(t, func(c *Config, d *Deps, _ *fakeStore) {
				c.TrustedProxies = []string{"10.0.0.0/8"}
				d.Log = slog.New(slog.NewTextHandler(&logged, nil))
			})
			for range 3 {
				r := httptest.NewRequest(http.MethodGet, "http://localhost/v1/sessions", http.NoBody)
				r.RemoteAddr = c.from
				r.Header.Set("Authorization", "Bearer "+c.key)
				r.Header.Set("X-Forwarded-Proto", c.proto)
				w.server.Handler().ServeHTTP(httptest.NewRecorder(), r)
			}
			want := 0
			if c.warned {
				want = 1
				require.Contains(t, logged.String(), "ingest.tls_cert")
				require.Contains(t, logged.String(), "ingest.trusted_proxies")
			}
			require.Equal(t, want, strings.Count(logged.String(), "plain HTTP"), logged.String())
			require.NotContains(t, logged.String(), testKey)
		})
	}
}
