package ingest

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/liveproof/liveproof"
	"github.com/liveproof/liveproof/internal/ids"
)

// list follows the pages to their end.
func (w *world) list(query string) (found []liveproof.SessionID) {
	w.t.Helper()
	for cursor := ""; ; {
		var page sessionList
		r := w.call("GET", "/v1/sessions?"+query+cursor, "", withKey()...)
		require.Equal(w.t, 200, r.StatusCode, "%s", r.body)
		r.json(w.t, &page)
		for _, v := range page.Sessions {
			found = append(found, v.ID)
		}
		if page.NextCursor == nil {
			return found
		}
		cursor = "&cursor=" + string(*page.NextCursor)
	}
}

func TestListSessions(t *testing.T) {
	w := newWorld(t, nil)
	require.JSONEq(t, `{"sessions":[],"next_cursor":null}`, string(w.call("GET", "/v1/sessions", "", withKey()...).body))
	var made []liveproof.SessionID
	begun := w.clock.now().UTC()
	for i := range 5 {
		made = append([]liveproof.SessionID{w.create(fmt.Sprintf(`{"external_id":"kunde ü %d"}`, i%2)).ID}, made...)
		w.clock.advance(time.Second)
	}
	w.call("POST", "/v1/sessions", "", "Authorization", "Bearer "+otherKey)
	_, err := w.store.Decide(t.Context(), made[0], liveproof.Ending{State: liveproof.StateDecided, Verdict: verdict(liveproof.OutcomeSpoof)})
	require.NoError(t, err)
	at := func(s float64) string {
		return url.QueryEscape(begun.Add(time.Duration(s * float64(time.Second))).Format(time.RFC3339Nano))
	}
	for query, want := range map[string][]liveproof.SessionID{
		"": made, "limit=1": made, "limit=2": made, "limit=5": made,
		"external_id=" + url.QueryEscape("kunde ü 1") + "&limit=1": {made[1], made[3]},
		"external_id=nobody":          nil,
		"state=decided":               made[:1],
		"verdict=spoof&state=decided": made[:1],
		"verdict=pending&limit=3":     made[1:],
		"verdict=live":                nil,
		"created_from=" + at(1.5):     made[:3],
		"created_until=" + at(1.5):    made[3:],
		"created_from=" + at(0.5) + "&created_until=" + at(3.5):          made[1:4],
		"created_from=9999-12-31T23:59:59Z":                              nil,
		"created_from=0001-01-01T00:00:00Z&created_until=" + at(1000000): made,
	} {
		require.Equal(t, want, w.list(query), query)
	}
	r := w.call("GET", "/v1/sessions", "", "Authorization", "Bearer "+otherKey)
	require.NotContains(t, string(r.body), string(made[0]), "a tenant sees only its own")
	w.clock.advance(3 * time.Minute)
	require.Len(t, w.list("verdict=pending"), 4, "a lapsed session is pending")
	w.store.setDown(true)
	w.refused(w.call("GET", "/v1/sessions", "", withKey()...), 503, CodeStoreUnavailable)
}

func TestListRefusesBadQueries(t *testing.T) {
	w := newWorld(t, nil)
	for query, field := range map[string]string{
		"limit=0": "limit", "limit=101": "limit", "limit=x": "limit", "limit=1&limit=2": "limit", "limit=": "limit", "limit=1.0": "limit",
		"cursor=x": "cursor", "cursor=": "cursor", "cursor=01jd4z5t8q0v9x2b3c4d5e6f7g": "cursor",
		"state=live": "state", "state=": "state", "verdict=pass": "verdict", "created_from=yesterday": "created_from", "created_until=2026-01-15": "created_until",
		"external_id=": "external_id", "external_id=%00": "external_id", "external_id=%ff": "external_id", "external_id=" + strings.Repeat("x", 129): "external_id",
		"State=decided": "", "tenant=bank-a": "", "x=1": "", "%zz": "", "limit=1;limit=2": "",
	} {
		r := w.call("GET", "/v1/sessions?"+query, "", withKey()...)
		w.refused(r, 400, CodeInvalidRequest)
		var p Problem
		r.json(t, &p)
		require.Equal(t, field, p.Field, query)
	}
	w.refused(w.call("GET", "/v1/sessions", ""), 401, CodeUnauthorized)
}

// FuzzListQuery: what is accepted is within its bounds and can be asked of a store.
func FuzzListQuery(f *testing.F) {
	f.Add("limit=3&state=decided&verdict=live&external_id=x&created_from=2026-01-15T09:00:00Z&created_until=2026-01-15T09:00:00.5%2B01:00")
	f.Add("cursor=01JD4Z5T8Q0V9X2B3C4D5E6F7G")
	f.Add("limit=1&limit=2")
	store := newFakeStore(time.Now)
	f.Fuzz(func(t *testing.T, raw string) {
		q, err := parseListQuery(raw)
		if err != nil {
			var p *Problem
			require.ErrorAs(t, err, &p)
			require.Equal(t, CodeInvalidRequest, p.Code)
			return
		}
		require.True(t, q.Limit >= 1 && q.Limit <= maxPage)
		require.NoError(t, checkExternalID(q.ExternalID))
		q.Tenant = "t"
		page, err := store.List(t.Context(), q)
		require.NoError(t, err)
		require.Empty(t, page.Sessions)
	})
}

// TestRateLimitFields: every answer that a limit counted says what is left of it.
func TestRateLimitFields(t *testing.T) {
	w := newWorld(t, func(c *Config, d *Deps, _ *fakeStore) {
		c.RatePerTenant, c.RatePerIP = Rate{2, 5}, Rate{0.5, 3}
		d.Demo = true
	})
	fields := func(r reply) [2]string {
		return [2]string{r.Header.Get("RateLimit-Policy"), r.Header.Get("RateLimit")}
	}
	ask := func() reply { return w.call("GET", "/v1/sessions", "", withKey()...) }
	require.Equal(t, [2]string{`"tenant";q=5;w=3`, `"tenant";r=4;t=1`}, fields(ask()))
	require.Equal(t, [2]string{`"tenant";q=5;w=3`, `"tenant";r=3;t=1`}, fields(ask()))
	for range 3 {
		ask()
	}
	r := ask()
	require.Equal(t, http.StatusTooManyRequests, r.StatusCode)
	require.Equal(t, [2]string{`"tenant";q=5;w=3`, `"tenant";r=0;t=3`}, fields(r))
	w.clock.advance(time.Second)
	require.Equal(t, [2]string{`"tenant";q=5;w=3`, `"tenant";r=1;t=2`}, fields(ask()))
	w.clock.advance(time.Hour)
	require.Equal(t, [2]string{`"tenant";q=5;w=3`, `"tenant";r=4;t=1`}, fields(ask()))
	require.Equal(t, [2]string{`"address";q=3;w=6`, `"address";r=2;t=2`}, fields(w.call("GET", "/demo/config", "")))
	require.Equal(t, [2]string{`"address";q=3;w=6`, `"address";r=1;t=4`}, fields(w.call("GET", "/v1/sessions", "")))
	require.Equal(t, [2]string{}, fields(w.call("GET", "/healthz", "")))
}

// TestAnAnswerCostsWhatItReads: a list counts as a request for each 20 records that it reads, also where few pass the filter, and a
// timeline for each 500 samples. What is owed is made up for by the requests after it.
func TestAnAnswerCostsWhatItReads(t *testing.T) {
	w := newWorld(t, func(c *Config, _ *Deps, _ *fakeStore) { c.RatePerTenant = Rate{1, 30} })
	now := w.clock.now()
	session := liveproof.Session{Tenant: liveproof.DefaultTenant, Mode: liveproof.ModeOnboarding, CreatedAt: now, ExpiresAt: now.Add(100 * time.Hour)}
	for range 600 {
		session.ID = liveproof.SessionID(ids.New(now))
		_, _, err := w.store.Create(t.Context(), session, "", "")
		require.NoError(t, err)
	}
	samples := make([]liveproof.Sample, 2001)
	for i := range samples {
		samples[i].Seq = int64(i + 1)
	}
	require.NoError(t, w.store.AppendSamples(t.Context(), session.ID, samples, liveproof.FrameCounts{}, liveproof.Pending()))
	left := func(path string) string {
		r := w.call("GET", path, "", withKey()...)
		require.Equal(t, http.StatusOK, r.StatusCode, "%s", r.body)
		return r.Header.Get("RateLimit")
	}
	for _, c := range []struct{ path, left string }{
		{"/v1/sessions", `"tenant";r=29;t=1`},                                            // 20 records
		{"/v1/sessions?limit=21", `"tenant";r=28;t=2`},                                   // 21
		{"/v1/sessions?limit=100", `"tenant";r=25;t=5`},                                  // 100
		{"/v1/sessions?verdict=live&limit=1", `"tenant";r=5;t=25`},                       // 500, none of which is live
		{"/v1/sessions/" + string(session.ID) + "/timeline", `"tenant";r=25;t=5`},        // 2001 samples
		{"/v1/sessions?external_id=nobody&state=decided&limit=100", `"tenant";r=5;t=25`}, // 500
	} {
		w.clock.advance(time.Hour)
		require.Equal(t, c.left, left(c.path), c.path)
	}
	require.Equal(t, `"tenant";r=0;t=50`, left("/v1/sessions?verdict=live"), "it costs more than there is")
	w.refused(w.call("GET", "/v1/sessions", "", withKey()...), http.StatusTooManyRequests, CodeRateLimited)
	w.clock.advance(20 * time.Second)
	w.refused(w.call("GET", "/v1/sessions", "", withKey()...), http.StatusTooManyRequests, CodeRateLimited)
	w.clock.advance(2 * time.Second)
	left("/v1/sessions?limit=1")
}
