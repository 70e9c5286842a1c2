package console

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/liveproof/liveproof"
	"github.com/liveproof/liveproof/internal/ids"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var testTime = time.Date(2026, 1, 15, 9, 0, 0, 0, time.UTC)

// records is a store in a slice, oldest first, that scans a few records at once as the real ones do.
type records struct {
	sessions []liveproof.Session
	samples  map[liveproof.SessionID][]liveproof.Sample
	scan     int   // 0: all
	err      error // of every call
}

func (r *records) Get(_ context.Context, id liveproof.SessionID) (liveproof.Session, error) {
	for _, s := range r.sessions {
		if s.ID == id {
			return s, r.err
		}
	}
	return liveproof.Session{}, errors.Join(r.err, liveproof.ErrNotFound)
}

func (r *records) List(_ context.Context, q liveproof.SessionQuery) (page liveproof.SessionPage, err error) {
	scanned := 0
	var last liveproof.SessionID
	for _, s := range slices.Backward(r.sessions) {
		if q.After != "" && s.ID >= q.After {
			continue
		}
		if len(page.Sessions) == q.Limit || r.scan > 0 && scanned == r.scan {
			page.Next = last
			break
		}
		last, scanned = s.ID, scanned+1
		if q.Matches(s, testTime) {
			page.Sessions = append(page.Sessions, s)
		}
	}
	return page, r.err
}

func (r *records) Timeline(_ context.Context, id liveproof.SessionID) ([]liveproof.Sample, error) {
	return r.samples[id], r.err
}

// add makes a session that was created so long before testTime.
func (r *records) add(ago time.Duration, change func(*liveproof.Session)) liveproof.Session {
	at := testTime.Add(-ago)
	s := liveproof.Session{
		ID: liveproof.SessionID(ids.New(at)), Tenant: liveproof.DefaultTenant, Mode: liveproof.ModeOnboarding,
		State: liveproof.StateDecided, CreatedAt: at, ExpiresAt: at.Add(time.Hour), DecidedAt: at.Add(4 * time.Second),
		Verdict: liveproof.Verdict{Outcome: liveproof.OutcomeLive, Score: 0.9, Scored: 10, Final: true, Reasons: []liveproof.Reason{liveproof.ReasonScoreAbove}},
		Lease:   liveproof.Lease{Owner: "node-a", Until: testTime.Add(time.Hour)},
	}
	change(&s)
	r.sessions = append(r.sessions, s)
	return s
}

// page is a handler under test.
type page struct {
	t       *testing.T
	handler http.Handler
}

func newPage(t *testing.T, r *records, change func(*Deps)) page {
	t.Helper()
	d := Deps{Sessions: r, Metrics: prometheus.NewRegistry(), Now: func() time.Time { return testTime }}
	if change != nil {
		change(&d)
	}
	h, err := New(d)
	require.NoError(t, err)
	return page{t, h}
}

func (p page) get(address string) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	p.handler.ServeHTTP(w, httptest.NewRequest(http.MethodGet, address, http.NoBody))
	return w
}

func (p page) body(address string) string {
	p.t.Helper()
	w := p.get(address)
	require.Equal(p.t, http.StatusOK, w.Code, w.Body)
	return w.Body.String()
}

// hostile are external ids and searches that must stay text.
var hostile = []string{
	`<script>alert(1)</script>`, `"><img src=x onerror=alert(1)>`, `' autofocus onfocus=alert(1) x='`, `</bdi></td><svg onload=alert(1)>`,
	`{{.Content}}`, `javascript:alert(1)`, `--><script>alert(1)</script><!--`, "\u202Egnp.exe", `</title><script>alert(1)</script>`, `&lt;b&gt;`,
}

// TestHostileExternalIDs: on no page does an external id or a search become markup.
func TestHostileExternalIDs(t *testing.T) {
	for _, text := range hostile {
		t.Run(text, func(t *testing.T) {
			r := &records{}
			s := r.add(time.Minute, func(s *liveproof.Session) { s.ExternalID = text })
			p := newPage(t, r, nil)
			for _, address := range []string{"/console/", "/console/sessions/" + string(s.ID), "/console/?q=" + url.QueryEscape(text)} {
				body := p.body(address)
				requireHarmless(t, body)
				require.Contains(t, textOf(t, body), text, "it is shown as it is")
			}
		})
	}
}

func TestListFilters(t *testing.T) {
	r := &records{}
	spoof := r.add(5*time.Minute, func(s *liveproof.Session) { s.Verdict.Outcome, s.ExternalID = liveproof.OutcomeSpoof, "order-7" })
	other := r.add(4*time.Minute, func(s *liveproof.Session) { s.Tenant = "bank-a" })
	streaming := r.add(3*time.Minute, func(s *liveproof.Session) { s.State, s.Verdict = liveproof.StateStreaming, liveproof.Pending() })
	connecting := r.add(2*time.Minute, func(s *liveproof.Session) { s.State, s.Verdict = liveproof.StateConnecting, liveproof.Pending() })
	live := r.add(time.Minute, func(*liveproof.Session) {})
	p := newPage(t, r, func(d *Deps) { d.Tenants = []string{liveproof.DefaultTenant, "bank-a"} })
	for query, want := range map[string][]liveproof.Session{
		"":                              {live, connecting, streaming, spoof},
		"?state=running":                {connecting, streaming},
		"?state=streaming":              {streaming},
		"?verdict=spoof":                {spoof},
		"?verdict=pending&state=failed": {},
		"?q=order-7":                    {spoof},
		"?q=order":                      {},
		"?tenant=bank-a":                {other},
	} {
		require.Equal(t, idsOf(want), listed(t, p.body("/console/"+query)), query)
	}
	for query, status := range map[string]int{
		"?state=none": 400, "?verdict=x": 400, "?tenant=nobody": 400, "?after=x": 400, "?q=" + strings.Repeat("x", 129): 400, "?q=%ff": 400,
		"?q=" + strings.ToLower(string(live.ID)): http.StatusSeeOther,
	} {
		require.Equal(t, status, p.get("/console/"+query).Code, query)
	}
}

// TestPages: the links to older sessions reach every session once, in order, also of two states that are merged and where the
// store gives up early.
func TestPages(t *testing.T) {
	for name, states := range map[string][]liveproof.State{
		"mixed": {liveproof.StateStreaming, liveproof.StateDecided, liveproof.StateConnecting, liveproof.StateDecided, liveproof.StateDecided},
		"one":   {liveproof.StateStreaming, liveproof.StateDecided},
		"other": {liveproof.StateConnecting},
	} {
		r := &records{}
		var want []liveproof.Session
		for i := range 300 {
			s := r.add(time.Duration(300-i)*time.Second, func(s *liveproof.Session) {
				if s.State = states[(i*i+i/7)%len(states)]; !s.State.Terminal() {
					s.Verdict = liveproof.Pending()
				}
			})
			if s.State != liveproof.StateDecided {
				want = append([]liveproof.Session{s}, want...)
			}
		}
		for _, r.scan = range []int{0, 1, 7, 30} {
			require.Equal(t, idsOf(want), newPage(t, r, nil).follow("/console/?state=running"), "%s, scan %d", name, r.scan)
		}
	}
}

// follow lists the sessions of a page and of all pages behind it.
func (p page) follow(address string) (found []string) {
	p.t.Helper()
	for range 400 {
		body := p.body(address)
		found = append(found, listed(p.t, body)...)
		if address = olderLink(p.t, body); address == "" {
			return found
		}
	}
	p.t.Fatal("the pages do not end")
	return nil
}

// TestMerge: what a part has not looked at yet is left to the next page.
func TestMerge(t *testing.T) {
	part := func(next string, all ...string) (p liveproof.SessionPage) {
		for _, id := range all {
			p.Sessions = append(p.Sessions, liveproof.Session{ID: liveproof.SessionID(id)})
		}
		p.Next = liveproof.SessionID(next)
		return p
	}
	for name, c := range map[string]struct {
		parts []liveproof.SessionPage
		want  liveproof.SessionPage
	}{
		"both at their end":    {[]liveproof.SessionPage{part("", "5", "2"), part("", "4", "3")}, part("", "5", "4", "3", "2")},
		"the first goes on":    {[]liveproof.SessionPage{part("4", "5"), part("", "6", "3")}, part("4", "6", "5")},
		"the second goes on":   {[]liveproof.SessionPage{part("", "6", "3"), part("4", "5")}, part("4", "6", "5")},
		"both go on":           {[]liveproof.SessionPage{part("2", "6", "3"), part("4", "5")}, part("4", "6", "5")},
		"one part, as it is":   {[]liveproof.SessionPage{part("3", "6", "3")}, part("3", "6", "3")},
		"nothing, and goes on": {[]liveproof.SessionPage{part("3"), part("")}, part("3")},
	} {
		require.Equal(t, c.want.Next, merge(c.parts).Next, name)
		require.Equal(t, idsOf(c.want.Sessions), idsOf(merge(c.parts).Sessions), name)
	}
}

func TestSession(t *testing.T) {
	r := &records{samples: map[liveproof.SessionID][]liveproof.Sample{}}
	s := r.add(time.Minute, func(s *liveproof.Session) {
		s.Threshold = liveproof.Threshold{Value: 0.5, Source: liveproof.ThresholdOfModel}
		s.Model = liveproof.ModelInfo{Name: "resnet", SHA256: strings.Repeat("ab", 32), Demo: true}
	})
	running := r.add(time.Minute, func(s *liveproof.Session) { s.State, s.Verdict = liveproof.StateStreaming, liveproof.Pending() })
	foreign := r.add(time.Minute, func(s *liveproof.Session) { s.Tenant = "bank-a" })
	r.samples[s.ID] = []liveproof.Sample{
		{Seq: 1, Scored: true, Rho: 0.875, Weight: 0.5, Track: 1, Quantiser: 7.25},
		{Seq: 2, T: 200 * time.Millisecond, Reasons: []liveproof.Reason{liveproof.ReasonBlurred}},
	}
	p := newPage(t, r, nil)
	body := p.body("/console/sessions/" + string(s.ID))
	requireHarmless(t, body)
	text := textOf(t, body)
	for _, want := range []string{"0.875", "0.50", "7.2", "blurred", "not scored", "resnet", "(demo)", "abababababab", liveproof.ReasonScoreAbove.Info().Meaning, "node-a"} {
		require.Contains(t, text, want)
	}
	require.Contains(t, body, `<svg class="plot"`)
	require.NotContains(t, body, "data-refresh", "it does not change any more")
	require.Contains(t, p.body("/console/sessions/"+string(running.ID)), "data-refresh")
	for _, id := range []string{string(foreign.ID), ids.New(testTime), "x", "<script>"} {
		w := p.get("/console/sessions/" + url.PathEscape(id))
		require.Equal(t, http.StatusNotFound, w.Code, id)
		requireHarmless(t, w.Body.String())
	}
}

func TestFaults(t *testing.T) {
	r := &records{}
	s := r.add(time.Minute, func(*liveproof.Session) {})
	p := newPage(t, r, nil)
	for err, status := range map[error]int{liveproof.ErrUnavailable: 503, errors.New("Redis: <b>secret</b>"): 500} {
		r.err = err
		for _, address := range []string{"/console/", "/console/sessions/" + string(s.ID)} {
			w := p.get(address)
			require.Equal(t, status, w.Code, "%s: %v", address, err)
			require.NotContains(t, w.Body.String(), "secret")
		}
	}
	require.Equal(t, http.StatusNotFound, p.get("/console/other").Code)
	require.Equal(t, http.StatusSeeOther, p.get("/console").Code)
	require.Equal(t, http.StatusNotFound, p.get("/console/login").Code, "nobody logs in here")
	w := httptest.NewRecorder()
	p.handler.ServeHTTP(w, httptest.NewRequest(http.MethodPost, "/console/", http.NoBody))
	require.NotEqual(t, http.StatusOK, w.Code)
}

// TestHeaders: every answer has the strict policy, and no page stays in a cache.
func TestHeaders(t *testing.T) {
	p := newPage(t, &records{}, nil)
	for _, address := range []string{"/console", "/console/", "/console/server", "/console/style.css", "/console/console.js", "/console/none", "/console/sessions/x"} {
		h := p.get(address).Header()
		require.Contains(t, h.Get("Content-Security-Policy"), "default-src 'none'; script-src 'self'; style-src 'self';", address)
		require.NotContains(t, h.Get("Content-Security-Policy"), "unsafe", address)
		require.Equal(t, "nosniff", h.Get("X-Content-Type-Options"), address)
		require.Equal(t, "no-store", h.Get("Cache-Control"), address)
	}
}

func TestNewWantsAStoreAndMetrics(t *testing.T) {
	_, err := New(Deps{Metrics: prometheus.NewRegistry()})
	require.Error(t, err)
	_, err = New(Deps{Sessions: &records{}})
	require.Error(t, err)
}

func TestAge(t *testing.T) {
	for d, want := range map[time.Duration]string{
		-time.Second: "0 s", 0: "0 s", 119 * time.Second: "119 s", 2 * time.Minute: "2 min", 119 * time.Minute: "119 min", 47 * time.Hour: "47 h", 50 * time.Hour: "2 days",
	} {
		require.Equal(t, want, age(d), fmt.Sprint(d))
	}
}
