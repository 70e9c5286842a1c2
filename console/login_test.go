package console

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
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

func TestLogOut(t *testing.T) {
	clock := testTime
	p := locked(t, &records{}, &clock)
	cookie := loginCookie(t, p.post("/console/logout", nil, nil))
	require.Negative(t, cookie.MaxAge)
	require.Empty(t, cookie.Value)
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

// TestForgedLogins: only what this process has signed, for this purpose, opens the page.
func TestForgedLogins(t *testing.T) {
	clock := testTime
	p := locked(t, &records{}, &clock)
	good := loginCookie(t, p.post("/console/login", keyForm(testKey), nil)).Value
	elsewhere := loginCookie(t, locked(t, &records{}, &clock).post("/console/login", keyForm(testKey), nil)).Value
	unsigned, err := jwt.NewWithClaims(jwt.SigningMethodNone, jwt.RegisteredClaims{
		Audience: jwt.ClaimStrings{audience}, Subject: "bank-a", ExpiresAt: jwt.NewNumericDate(clock.Add(time.Hour)),
	}).SignedString(jwt.UnsafeAllowNoneSignatureType)
	require.NoError(t, err)
	parts := strings.Split(good, ".")
	otherParts := strings.Split(elsewhere, ".")
	for name, value := range map[string]string{
		"empty": "", "words": "bank-a", "unsigned": unsigned, "of another process": elsewhere, "without a signature": parts[0] + "." + parts[1] + ".",
		"another signature": parts[0] + "." + parts[1] + "." + otherParts[2], "longer": good + "A", "key": testKey,
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
