package ingest

import (
	"bufio"
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/liveproof/liveproof/internal/ids"
	"github.com/liveproof/liveproof/internal/tracing"
)

type requestIDKey struct{}

// wrap does what every request needs: an id, headers, a log line, metrics, and
// problem JSON for an error or a panic. It logs the path, never the query or a header.
func (s *Server) wrap(route string, handle func(http.ResponseWriter, *http.Request) error) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		start := time.Now()
		id := requestID(r)
		rec := &recorder{ResponseWriter: w}
		s.secure(rec.Header(), r)
		rec.Header().Set("X-Request-Id", id)
		r = r.WithContext(context.WithValue(r.Context(), requestIDKey{}, id))
		r, span := s.traced(r, route, start)
		defer func() { span.end(r.Context(), rec.statusCode()) }()
		err := s.checkHost(route, r)
		if err == nil {
			err = s.guard(rec, r, handle)
		}
		if err != nil {
			s.refuse(rec, err, id)
		}
		s.metrics.requests.WithLabelValues(route, knownMethod(r.Method), strconv.Itoa(rec.statusCode())).Inc()
		if !rec.lasting() {
			s.metrics.latency.WithLabelValues(route).Observe(time.Since(start).Seconds())
		}
		s.log.Debug("request", "id", id, "method", r.Method, "route", route, "status", rec.statusCode(),
			"ms", time.Since(start).Milliseconds(), "from", s.clientIP(r))
	})
}

func (s *Server) guard(w http.ResponseWriter, r *http.Request, handle func(http.ResponseWriter, *http.Request) error) (err error) {
	defer func() {
		p := recover()
		if p == http.ErrAbortHandler { //nolint:errorlint // a panic value, not an error that was returned
			panic(p)
		}
		if p != nil {
			s.log.Error("handler panicked", "panic", fmt.Sprint(p), "stack", string(debug.Stack()))
			err = problem(CodeInternal, "the server failed; the request id finds it in its log")
		}
	}()
	return handle(w, r)
}

func (s *Server) refuse(w *recorder, err error, id string) {
	p := *problemOf(err)
	if p.Status >= 500 {
		level := slog.LevelWarn
		if p.Code == CodeStoreUnavailable {
			level = slog.LevelDebug // the store tells its outages, once each
		}
		s.log.Log(context.Background(), level, "request failed", "id", id, "code", p.Code, "err", err)
	}
	if w.status != 0 { // something was sent already; the client sees it cut off
		return
	}
	p.RequestID = id
	p.write(w)
}

// secure sets what every answer carries; the website adds its own policy.
func (s *Server) secure(h http.Header, r *http.Request) {
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
	if s.secured(r) {
		h.Set("Strict-Transport-Security", "max-age=31536000")
	}
}

// withKey admits requests with an API key, each tenant with its own rate; all others count against the
// rate of their address.
func (s *Server) withKey(handle func(http.ResponseWriter, *http.Request) error) func(http.ResponseWriter, *http.Request) error {
	return func(w http.ResponseWriter, r *http.Request) error {
		tenant, ok := s.keys.find(bearer(r))
		if !ok {
			if err := s.limitAddress(w, r); err != nil {
				return err
			}
			return problem(CodeUnauthorized, "a valid API key is needed: Authorization: Bearer …")
		}
		s.warnOfPlainKeys(r)
		left, allowed := s.tenants.allow(tenant)
		left.describe(w.Header(), "tenant")
		if !allowed {
			s.metrics.limited.WithLabelValues("tenant", tenant).Inc()
			return problem(CodeRateLimited, "too many requests of this tenant")
		}
		return handle(w, continues(asTenant(r, tenant), r.Header.Get(tracing.Header)))
	}
}

// charge counts a request of a tenant, which has turned out to cost so much, as so many.
func (s *Server) charge(w http.ResponseWriter, r *http.Request, tokens int) {
	if more := tokens - 1; more > 0 { // withKey has counted one
		s.tenants.charge(tenantOf(r), more).describe(w.Header(), "tenant")
	}
}

type tenantKey struct{}

// asTenant returns the request with its tenant.
func asTenant(r *http.Request, tenant string) *http.Request {
	return r.WithContext(context.WithValue(r.Context(), tenantKey{}, tenant))
}

// tenantOf is the tenant that made the request, "" without an API key.
func tenantOf(r *http.Request) string {
	tenant, _ := r.Context().Value(tenantKey{}).(string)
	return tenant
}

func (s *Server) perAddress(handle func(http.ResponseWriter, *http.Request) error) func(http.ResponseWriter, *http.Request) error {
	return func(w http.ResponseWriter, r *http.Request) error {
		if err := s.limitAddress(w, r); err != nil {
			return err
		}
		return handle(w, r)
	}
}

func (s *Server) limitAddress(w http.ResponseWriter, r *http.Request) error {
	left, allowed := s.perIP.allow(bucketOf(s.clientIP(r)))
	left.describe(w.Header(), "address")
	if allowed {
		return nil
	}
	s.metrics.limited.WithLabelValues("ip", "").Inc()
	return problem(CodeRateLimited, "too many requests from this address")
}

// bucketOf is the address that a limit counts: of IPv6 the /64, which one customer holds whole.
func bucketOf(a netip.Addr) string {
	if a.Is6() {
		if p, err := a.Prefix(64); err == nil {
			return p.String()
		}
	}
	return a.String()
}

// sameOrigin refuses requests that a browser sends for a page elsewhere.
func (s *Server) sameOrigin(handle func(http.ResponseWriter, *http.Request) error) func(http.ResponseWriter, *http.Request) error {
	guard := http.NewCrossOriginProtection()
	return func(w http.ResponseWriter, r *http.Request) error {
		if guard.Check(r) != nil {
			return problem(CodeOriginForbidden, "the demo backend serves its own page only")
		}
		return handle(w, r)
	}
}

// cors opens a path to pages elsewhere, with the headers that RFC 9725 needs seen.
func (s *Server) cors(w http.ResponseWriter, r *http.Request, allow string) {
	w.Header().Add("Vary", "Origin")
	origin := r.Header.Get("Origin")
	if origin == "" || !listed(s.cfg.CORSOrigins, origin) && !s.handedOverHere(r) { // after a redirect a browser says "null"
		return
	}
	h := w.Header()
	h.Set("Access-Control-Allow-Origin", origin)
	h.Set("Access-Control-Expose-Headers", "Location, ETag, Link, Retry-After, RateLimit, RateLimit-Policy, Accept-Post, Accept-Patch, X-Request-Id")
	if r.Method == http.MethodOptions {
		h.Set("Access-Control-Allow-Methods", allow)
		h.Set("Access-Control-Allow-Headers", "Authorization, Content-Type, If-Match, Last-Event-ID, "+attestationHeader)
		h.Set("Access-Control-Max-Age", "600")
	}
}

func listed(origins []string, origin string) bool {
	return slices.Contains(origins, "*") || slices.Contains(origins, origin)
}

// clientIP is the peer's address, or the one that a trusted proxy vouches for:
// the last in X-Forwarded-For that is not a trusted proxy itself.
func (s *Server) clientIP(r *http.Request) netip.Addr {
	ap, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return netip.IPv4Unspecified()
	}
	addr := ap.Addr().Unmap()
	hops := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	for i := len(hops) - 1; i >= 0 && s.trusted(addr); i-- {
		hop, err := netip.ParseAddr(strings.TrimSpace(hops[i]))
		if err != nil {
			break
		}
		addr = hop.Unmap().WithZone("")
	}
	return addr
}

func (s *Server) trusted(a netip.Addr) bool {
	return slices.ContainsFunc(s.proxies, func(p netip.Prefix) bool { return p.Contains(a) })
}

// secured reports whether the client came over TLS.
func (s *Server) secured(r *http.Request) bool {
	if r.TLS != nil {
		return true
	}
	ap, err := netip.ParseAddrPort(r.RemoteAddr)
	return err == nil && s.trusted(ap.Addr().Unmap()) && r.Header.Get("X-Forwarded-Proto") == "https"
}

// warnOfPlainKeys logs once that an API key came over a network in the clear.
func (s *Server) warnOfPlainKeys(r *http.Request) {
	if from := s.clientIP(r); !s.secured(r) && !from.IsLoopback() {
		s.plainKeys.Do(func() {
			s.log.Warn("an API key came over plain HTTP, so whoever is on the way can read it and the results: set ingest.tls_cert and ingest.tls_key, "+
				"or put a proxy with TLS in front that sends X-Forwarded-Proto, and list it in ingest.trusted_proxies", "from", from)
		})
	}
}

// bearer is the credential of the Authorization header, "" without one.
func bearer(r *http.Request) string {
	scheme, credential, ok := strings.Cut(r.Header.Get("Authorization"), " ")
	if !ok || !strings.EqualFold(scheme, "Bearer") {
		return ""
	}
	return strings.TrimSpace(credential)
}

// requestID keeps a caller's id when it is harmless in a log.
func requestID(r *http.Request) string {
	id := r.Header.Get("X-Request-Id")
	harmless := func(c rune) bool {
		return c == '-' || c == '_' || c == '.' || c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
	}
	if id == "" || len(id) > 64 || strings.ContainsFunc(id, func(c rune) bool { return !harmless(c) }) {
		return ids.New(time.Now())
	}
	return id
}

// knownMethod keeps a client's invention out of the metrics' labels.
func knownMethod(m string) string {
	if slices.Contains([]string{"GET", "HEAD", "POST", "PATCH", "PUT", "DELETE", "OPTIONS"}, m) {
		return m
	}
	return "other"
}

// recorder remembers the status and lets a WebSocket take the connection over.
type recorder struct {
	http.ResponseWriter
	status int
}

func (w *recorder) WriteHeader(status int) {
	if w.status == 0 {
		w.status = status
	}
	w.ResponseWriter.WriteHeader(status)
}

func (w *recorder) Write(b []byte) (int, error) {
	if w.status == 0 {
		w.status = http.StatusOK
	}
	return w.ResponseWriter.Write(b)
}

// Hijack implements http.Hijacker.
func (w *recorder) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	w.status = http.StatusSwitchingProtocols
	return http.NewResponseController(w.ResponseWriter).Hijack()
}

// Unwrap serves http.ResponseController.
func (w *recorder) Unwrap() http.ResponseWriter { return w.ResponseWriter }

func (w *recorder) statusCode() int {
	if w.status == 0 {
		return http.StatusOK
	}
	return w.status
}

// lasting reports whether the answer was signalling or events, which take as long as a session.
func (w *recorder) lasting() bool {
	return w.status == http.StatusSwitchingProtocols || w.status == http.StatusOK && w.Header().Get("Content-Type") == typeEvents
}
