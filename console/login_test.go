package console

import (
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"github.com/liveproof/liveproof"
)

const testKey = "0123456789abcdef"

// locked is a page with a login: testKey is of tenant bank-a.
func locked(t *testing.T, r *records, clock *time.Time) page {
	return newPage(t, r, func(d *Deps) {
		d.Login = func(key string) (string, bool) { return "bank-a", key == testKey }
		d.Now = func() time.Time { return *clock }
	})
}

// post sends a form as a browser does from the page itself; change may alter the request.
func (p page) post(path string, form url.Values, change func(*http.Request)) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodPost, path, strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Origin", "http://example.com") // httptest's host
	if change != nil {
		change(r)
	}
	w := httptest.NewRecorder()
	p.handler.ServeHTTP(w, r)
	return w
}

func (p page) with(cookie *http.Cookie, address string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodGet, address, http.NoBody)
	r.AddCookie(cookie)
	w := httptest.NewRecorder()
	p.handler.ServeHTTP(w, r)
	return w
}

func keyForm(key string) url.Values { return url.Values{"key": {key}} }

func loginCookie(t *testing.T, w *httptest.ResponseRecorder) *http.Cookie {
	t.Helper()
	require.Equal(t, http.StatusSeeOther, w.Code, w.Body)
	require.Len(t, w.Result().Cookies(), 1)
	return w.Result().Cookies()[0]
}

// TestLogin: without a login every page leads to the login; with one it shows that tenant's sessions only, until the login ends.
func TestLogin(t *testing.T) {
	r, clock := &records{}, testTime
	mine := r.add(2*time.Minute, func(s *liveproof.Session) { s.Tenant = "bank-a" })
	other := r.add(time.Minute, func(*liveproof.Session) {})
	p := locked(t, r, &clock)
	for _, address := range []string{"/console/", "/console/server", "/console/sessions/" + string(mine.ID)} {
		w := p.get(address)
		require.Equal(t, http.StatusSeeOther, w.Code)
		require.Equal(t, "/console/login", w.Header().Get("Location"))
		require.NotContains(t, w.Body.String(), "bank-a")
	}
	requireHarmless(t, p.body("/console/login"))

	cookie := loginCookie(t, p.post("/console/login", keyForm(" "+testKey+" "), nil))
	require.True(t, cookie.HttpOnly)
	require.Equal(t, http.SameSiteStrictMode, cookie.SameSite)
	require.Equal(t, "/console", cookie.Path)
	require.NotContains(t, cookie.Value, testKey)
	for _, query := range []string{"", "?tenant=default"} { // the login decides, not the query
		require.Equal(t, idsOf([]liveproof.Session{mine}), listed(t, p.with(cookie, "/console/"+query).Body.String()))
	}
	require.Equal(t, http.StatusOK, p.with(cookie, "/console/sessions/"+string(mine.ID)).Code)
	require.Equal(t, http.StatusNotFound, p.with(cookie, "/console/sessions/"+string(other.ID)).Code)

	clock = clock.Add(loginLife + time.Second)
	require.Equal(t, http.StatusSeeOther, p.with(cookie, "/console/").Code)
}

// TestLogOut: the login ends, also where its cookie was copied to, and no other one.
func TestLogOut(t *testing.T) {
	clock := testTime
	p := locked(t, &records{}, &clock)
	mine, other := loginCookie(t, p.post("/console/login", keyForm(testKey), nil)), loginCookie(t, p.post("/console/login", keyForm(testKey), nil))
	require.NotEqual(t, mine.Value, other.Value)
	require.Equal(t, http.StatusOK, p.with(mine, "/console/").Code)
	gone := loginCookie(t, p.post("/console/logout", nil, func(r *http.Request) { r.AddCookie(mine) }))
	require.Negative(t, gone.MaxAge)
	require.Empty(t, gone.Value)
	require.Equal(t, http.StatusSeeOther, p.with(mine, "/console/").Code, "a copied cookie")
	require.Equal(t, http.StatusOK, p.with(other, "/console/").Code)
	require.Negative(t, loginCookie(t, p.post("/console/logout", nil, nil)).MaxAge, "nobody is logged in")
}

// TestAnOperatorSeesAllTenants and the whole server; a tenant sees its own sessions and figures, and no word of another tenant.
func TestAnOperatorSeesAllTenants(t *testing.T) {
	const operatorKey = "fedcba9876543210"
	r := &records{}
	theirs := r.add(2*time.Minute, func(s *liveproof.Session) { s.Tenant = "bank-b" })
	reg := prometheus.NewRegistry()
	created := prometheus.NewCounterVec(prometheus.CounterOpts{Name: metricCreated}, []string{"tenant", "mode"})
	active := prometheus.NewGauge(prometheus.GaugeOpts{Name: metricActive})
	reg.MustRegister(created, active)
	created.WithLabelValues("bank-a", "call").Add(3)
	created.WithLabelValues("bank-b", "call").Add(4711)
	active.Set(815)
	change := func(d *Deps) {
		d.Login = func(key string) (string, bool) { return "bank-a", key == testKey }
		d.Operator = func(key string) bool { return key == operatorKey }
		d.Tenants, d.Metrics = []string{"bank-a", "bank-b"}, reg
	}
	p := newPage(t, r, change)
	tenant, operator := loginCookie(t, p.post("/console/login", keyForm(testKey), nil)), loginCookie(t, p.post("/console/login", keyForm(operatorKey), nil))
	for _, address := range []string{"/console/server", "/console/server?tenant=bank-b", "/console/", "/console/?tenant=bank-b"} {
		body := textOf(t, p.with(tenant, address).Body.String())
		require.NotContains(t, body, "bank-b", address)
		require.NotContains(t, body, "4714", address)
		require.NotContains(t, body, "4711", address)
		require.NotContains(t, body, "815", address)
	}
	require.Regexp(t, `sessions created3\D`, textOf(t, p.with(tenant, "/console/server").Body.String()))
	require.Equal(t, http.StatusNotFound, p.with(tenant, "/console/sessions/"+string(theirs.ID)).Code)

	body := textOf(t, p.with(operator, "/console/server").Body.String())
	require.Contains(t, body, "4714")
	require.Contains(t, body, "815")
	require.Contains(t, body, "Log out")
	require.Equal(t, idsOf([]liveproof.Session{theirs}), listed(t, p.with(operator, "/console/?tenant=bank-b").Body.String()))
	require.Equal(t, http.StatusOK, p.with(operator, "/console/sessions/"+string(theirs.ID)).Code)

	only := newPage(t, r, func(d *Deps) { change(d); d.Tenants = []string{"bank-a"} })
	cookie := loginCookie(t, only.post("/console/login", keyForm(testKey), nil))
	require.Contains(t, textOf(t, only.with(cookie, "/console/server").Body.String()), "815", "of the only tenant")
}

// TestPlainKeysAreToldOnce: a key that comes over a network in the clear is a warning, once.
func TestPlainKeysAreToldOnce(t *testing.T) {
	for name, c := range map[string]struct {
		from, proto string
		want        int
	}{
		"in the clear": {"192.0.2.1:1", "", 1}, "by a proxy with TLS": {"192.0.2.1:1", "https", 0}, "on this machine": {"127.0.0.1:1", "", 0},
	} {
		var logged strings.Builder
		p := newPage(t, &records{}, func(d *Deps) {
			d.Login = func(key string) (string, bool) { return "bank-a", key == testKey }
			d.Log = slog.New(slog.NewTextHandler(&logged, nil))
		})
		for range 3 {
			p.post("/console/login", keyForm(testKey), func(r *http.Request) {
				r.RemoteAddr = c.from
				r.Header.Set("X-Forwarded-Proto", c.proto)
			})
		}
		require.Equal(t, c.want, strings.Count(logged.String(), "plain HTTP"), name)
		require.NotContains(t, logged.String(), testKey)
	}
}

// TestSecureCookie: the cookie is Secure where the visitor came by TLS.
func TestSecureCookie(t *testing.T) {
	clock := testTime
	p := locked(t, &records{}, &clock)
	for proto, want := range map[string]bool{"": false, "http": false, "https": true} {
		w := p.post("/console/login", keyForm(testKey), func(r *http.Request) { r.Header.Set("X-Forwarded-Proto", proto) })
		require.Equal(t, want, loginCookie(t, w).Secure, proto)
	}
}

// TestForgedLogins: only what this process has given out opens the page.
func TestForgedLogins(t *testing.T) {
	clock := testTime
	p := locked(t, &records{}, &clock)
	good := loginCookie(t, p.post("/console/login", keyForm(testKey), nil)).Value
	elsewhere := loginCookie(t, locked(t, &records{}, &clock).post("/console/login", keyForm(testKey), nil)).Value
	for name, value := range map[string]string{
		"empty": "", "words": "bank-a", "of another process": elsewhere, "longer": good + "A", "shorter": good[1:], "key": testKey,
	} {
		require.Equal(t, http.StatusSeeOther, p.with(&http.Cookie{Name: cookieName, Value: value}, "/console/").Code, name)
	}
	require.Equal(t, http.StatusOK, p.with(&http.Cookie{Name: cookieName, Value: good}, "/console/").Code)
}

// TestAttemptsAreLimited per address, and the right key does not help above the limit either.
func TestAttemptsAreLimited(t *testing.T) {
	clock := testTime
	p := locked(t, &records{}, &clock)
	try := func(key, from string) *httptest.ResponseRecorder {
		return p.post("/console/login", keyForm(key), func(r *http.Request) { r.RemoteAddr = from })
	}
	for i := range triesAtOnce {
		require.Equal(t, http.StatusUnauthorized, try("wrong", "192.0.2.1:"+fmt.Sprint(1000+i)).Code)
	}
	w := try(testKey, "192.0.2.1:2000")
	require.Equal(t, http.StatusTooManyRequests, w.Code)
	require.Equal(t, "10", w.Header().Get("Retry-After"))
	require.Equal(t, http.StatusSeeOther, try(testKey, "192.0.2.2:2000").Code, "another address")
	clock = clock.Add(tryEvery)
	require.Equal(t, http.StatusSeeOther, try(testKey, "192.0.2.1:2000").Code)
}

func TestBuckets(t *testing.T) {
	for remote, want := range map[string]string{
		"192.0.2.1:80": "192.0.2.1", "[::ffff:192.0.2.1]:80": "192.0.2.1", "[2001:db8::1]:80": "2001:db8::/64",
		"[2001:db8::ffff:1%eth0]:80": "2001:db8::/64", "pipe": "",
	} {
		require.Equal(t, want, bucketOf(remote), remote)
	}
}

// TestOtherSites cannot log anybody in or out, and a long or broken body is refused.
func TestOtherSites(t *testing.T) {
	clock := testTime
	p := locked(t, &records{}, &clock)
	for name, change := range map[string]func(*http.Request){
		"another origin":            func(r *http.Request) { r.Header.Set("Origin", "https://evil.example") },
		"an opaque origin":          func(r *http.Request) { r.Header.Set("Origin", "null") },
		"a browser's word":          func(r *http.Request) { r.Header.Set("Sec-Fetch-Site", "cross-site") },
		"another port of this host": func(r *http.Request) { r.Header.Set("Sec-Fetch-Site", "same-site") },
	} {
		for _, path := range []string{"/console/login", "/console/logout"} {
			w := p.post(path, keyForm(testKey), change)
			require.Equal(t, http.StatusForbidden, w.Code, name)
			require.Empty(t, w.Result().Cookies(), name)
		}
	}
	require.Equal(t, http.StatusBadRequest, p.post("/console/login", keyForm(strings.Repeat("x", maxLoginBody)), nil).Code)
	require.Equal(t, http.StatusUnauthorized, p.post("/console/login?key="+testKey, nil, nil).Code, "a key in the address stays in logs")
	require.NotContains(t, p.body("/console/login"), testKey)
}
