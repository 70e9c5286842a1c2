package ingest

import (
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// fuzzServer is a server whose handlers are not run.
func fuzzServer(t testing.TB, proxies ...string) *Server {
	t.Helper()
	cfg := testConfig()
	cfg.TrustedProxies, cfg.PublicURL, cfg.WSOrigins = proxies, "https://live.example", []string{"https://bank.example"}
	s, err := New(cfg, testDeps())
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	return s
}

// FuzzForwarded: only a trusted proxy can name another address than the connection's, and what it names is an
// address without a zone, so that rates are counted by few and short names.
func FuzzForwarded(f *testing.F) {
	f.Add("10.0.0.1:1234", "203.0.113.9, 10.0.0.2", "https")
	f.Add("192.0.2.1:1", "203.0.113.9", "https")
	f.Add("[fe80::1%eth0]:5", "::ffff:10.0.0.1,,x", "HTTPS,http")
	f.Add("10.0.0.1:1", "fe80::1%"+strings.Repeat("z", 99)+"\r\n, 10.0.0.1", "")
	f.Add("@", strings.Repeat(",", 1000), "")
	s := fuzzServer(f, "10.0.0.0/8", "fd00::/8")
	f.Fuzz(func(t *testing.T, remote, forwarded, proto string) {
		r := &http.Request{RemoteAddr: remote, Header: http.Header{"X-Forwarded-For": strings.Split(forwarded, "\n"), "X-Forwarded-Proto": {proto}}}
		got := s.clientIP(r)
		peer, err := netip.ParseAddrPort(remote)
		trusted := err == nil && s.trusted(peer.Addr().Unmap())
		switch {
		case !got.IsValid():
			t.Fatal("no address")
		case err == nil && !trusted && got != peer.Addr().Unmap():
			t.Fatalf("%v named %v", peer, got)
		case !trusted && s.secured(r):
			t.Fatalf("%v says that it came over TLS", remote)
		case trusted && got.Zone() != "" && got != peer.Addr().Unmap():
			t.Fatalf("a zone: %v", got)
		}
		if bucket := bucketOf(got); err == nil && peer.Addr().Zone() == "" && len(bucket) > 64 {
			t.Fatalf("bucket %q", bucket)
		}
	})
}

// FuzzOrigin: whatever follows the host of another site, its pages may not open signalling.
func FuzzOrigin(f *testing.F) {
	for _, o := range []string{":443", "@live.example", ":x@live.example/", "/https://live.example", "#@live.example", "\\@live.example", ".live.example", ""} {
		f.Add("https", o, "live.example")
	}
	f.Add("null", "", "127.0.0.1:8080")
	f.Add("", "*", "") // what the configuration may list is no origin of a request
	s := fuzzServer(f)
	f.Fuzz(func(t *testing.T, scheme, rest, host string) {
		ask := func(origin string) bool {
			return s.originAllowed(&http.Request{Host: host, Header: http.Header{"Origin": {origin}}})
		}
		if origin := scheme + rest; origin != "" && ask(origin) {
			u, err := url.Parse(origin)
			if err != nil || u.User != nil || u.Path != "" || u.RawQuery != "" || u.Fragment != "" {
				t.Fatalf("%q is allowed and is no origin", origin)
			}
			if h := strings.ToLower(u.Host); h != strings.ToLower(host) && h != "live.example" && h != "bank.example" {
				t.Fatalf("%q is allowed for %q", origin, host)
			}
		}
		evil := scheme + "://evil.example"
		if rest != "" && strings.ContainsRune(":/?#@\\", rune(rest[0])) {
			evil += rest
		}
		if !strings.HasPrefix(strings.ToLower(host), "evil.example") && ask(evil) {
			t.Fatalf("%q is allowed for %q", evil, host)
		}
	})
}

// FuzzSubprotocol: a token comes only from an offer bearer.TOKEN or the Authorization header, and none that
// this server did not sign connects.
func FuzzSubprotocol(f *testing.F) {
	f.Add("liveproof.v1, bearer.abc", "")
	f.Add("bearer.,liveproof.v1\nbearer.x.y.z", "Bearer ")
	f.Add("liveproof.v1", "bearer eyJhbGciOiJub25lIn0.e30.")
	tokens := newTokens(testSecret, clientTokens, time.Now)
	f.Fuzz(func(t *testing.T, protocols, authorization string) {
		r := &http.Request{Header: http.Header{"Sec-Websocket-Protocol": strings.Split(protocols, "\n"), "Authorization": {authorization}}}
		token, offered := signalToken(r)
		if offered && !strings.Contains(protocols, subprotocol) {
			t.Fatalf("%q was not offered in %q", subprotocol, protocols)
		}
		if token != "" && !strings.Contains(protocols, bearerPrefix+token) && !strings.Contains(authorization, token) {
			t.Fatalf("token %q out of %q and %q", token, protocols, authorization)
		}
		if _, err := tokens.verify(token, "01ARZ3NDEKTSV4RRFFQ69G5FAV"); err == nil {
			t.Fatalf("%q is accepted", token)
		}
	})
}

// FuzzHost: only names of this server are served.
func FuzzHost(f *testing.F) {
	for _, h := range []string{"localhost:1", "[::1]:80", "127.0.0.1.evil.example", "LIVE.example.", "a:b:c", "[", "]:", "0"} {
		f.Add(h)
	}
	s := fuzzServer(f)
	f.Fuzz(func(t *testing.T, host string) {
		if !s.hosts.Serves(host, false) {
			return
		}
		name, addr := splitHost(host)
		if !addr.IsValid() && host != "" && !strings.HasSuffix("."+name, ".localhost") && name != "live.example" && !strings.Contains(strings.Join(s.hosts.names, " "), name) {
			t.Fatalf("%q is served as %q", host, name)
		}
		if s.hosts.Serves("evil.example"+host, false) && !strings.HasSuffix(strings.ToLower(strings.TrimRight(name, ".")), ".localhost") {
			t.Fatalf("%q is served", "evil.example"+host)
		}
	})
}
