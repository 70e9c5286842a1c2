package console

import (
	"crypto/rand"
	"fmt"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"time"

	"github.com/golang-jwt/jwt/v5"
	lru "github.com/hashicorp/golang-lru/v2"
	"golang.org/x/time/rate"
)

const (
	loginPath  = Path + "/login"
	cookieName = "liveproof_console"
	audience   = "liveproof:console"
	// loginLife is how long a login lasts.
	loginLife = 8 * time.Hour
	// Each address may try five keys at once, and one more every tryEvery.
	triesAtOnce = 5
	tryEvery    = 10 * time.Second
	// maxAddresses are remembered with their tries; the one unused for longest is forgotten first.
	maxAddresses = 10_000
	maxLoginBody = 4 << 10
)

// gate logs operators in. A login is a cookie that this process has signed (a JWT, RFC 7519, with HS256): nothing is kept of it
// here, and the secret dies with the process, so a restart logs everybody out. That is also how an API key that is taken
// out of the configuration loses its logins.
type gate struct {
	check  func(key string) (tenant string, ok bool)
	now    func() time.Time
	secret []byte
	parser *jwt.Parser

	mu    sync.Mutex
	tries *lru.Cache[string, *rate.Limiter]
}

func newGate(check func(string) (string, bool), now func() time.Time) (*gate, error) {
	tries, err := lru.New[string, *rate.Limiter](maxAddresses)
	if err != nil {
		return nil, err
	}
	secret := make([]byte, 32)
	_, _ = rand.Read(secret) // never fails: the runtime stops the program first
	parser := jwt.NewParser(jwt.WithValidMethods([]string{jwt.SigningMethodHS256.Alg()}), jwt.WithAudience(audience),
		jwt.WithExpirationRequired(), jwt.WithStrictDecoding(), jwt.WithTimeFunc(now))
	return &gate{check: check, now: now, secret: secret, parser: parser, tries: tries}, nil
}

// allow counts a try of this address and reports whether it may be made.
func (g *gate) allow(remote string) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	name := bucketOf(remote)
	bucket, ok := g.tries.Get(name)
	if !ok {
		bucket = rate.NewLimiter(rate.Every(tryEvery), triesAtOnce)
		g.tries.Add(name, bucket)
	}
	return bucket.AllowN(g.now(), 1)
}

// bucketOf is the address whose tries are counted together: of IPv6 the /64, which one customer holds whole.
func bucketOf(remote string) string {
	peer, err := netip.ParseAddrPort(remote)
	if err != nil {
		return ""
	}
	addr := peer.Addr().Unmap().WithZone("")
	if addr.Is6() {
		if block, err := addr.Prefix(64); err == nil {
			return block.String()
		}
	}
	return addr.String()
}

// issue is the cookie of a login.
func (g *gate) issue(tenant string, r *http.Request) (*http.Cookie, error) {
	ends := g.now().Add(loginLife)
	claims := jwt.RegisteredClaims{Audience: jwt.ClaimStrings{audience}, Subject: tenant, ExpiresAt: jwt.NewNumericDate(ends)}
	signed, err := jwt.NewWithClaims(jwt.SigningMethodHS256, claims).SignedString(g.secret)
	if err != nil {
		return nil, fmt.Errorf("login: %w", err)
	}
	return cookie(signed, loginLife, r), nil
}

// cookie is for this page only. It is Secure where the visitor came by TLS, which ends at a proxy; whoever lies about that
// only loses their own cookie. A negative life deletes it.
func cookie(value string, life time.Duration, r *http.Request) *http.Cookie {
	return &http.Cookie{ //nolint:gosec // Secure where it can be
		Name: cookieName, Value: value, Path: Path, MaxAge: int(life.Seconds()), HttpOnly: true, SameSite: http.SameSiteStrictMode,
		Secure: r.TLS != nil || r.Header.Get("X-Forwarded-Proto") == "https",
	}
}

// tenant is whose sessions the visitor may see; ok is false without a valid login.
func (g *gate) tenant(r *http.Request) (tenant string, ok bool) {
	c, err := r.Cookie(cookieName)
	if err != nil {
		return "", false
	}
	var claims jwt.RegisteredClaims
	_, err = g.parser.ParseWithClaims(c.Value, &claims, func(*jwt.Token) (any, error) { return g.secret, nil })
	return claims.Subject, err == nil && claims.Subject != ""
}

func (c *console) showLogin(w http.ResponseWriter, _ *http.Request) error {
	return render(w, http.StatusOK, "login", frame{Title: "Log in"})
}

func (c *console) logIn(w http.ResponseWriter, r *http.Request) error {
	if !c.gate.allow(r.RemoteAddr) {
		w.Header().Set("Retry-After", fmt.Sprint(int(tryEvery.Seconds())))
		return c.refuseLogin(w, r, http.StatusTooManyRequests, "Too many attempts from this address. Wait 10 seconds.")
	}
	r.Body = http.MaxBytesReader(w, r.Body, maxLoginBody)
	if err := r.ParseForm(); err != nil {
		return c.refuseLogin(w, r, http.StatusBadRequest, "The form could not be read.")
	}
	tenant, ok := c.deps.Login(strings.TrimSpace(r.PostForm.Get("key")))
	if !ok {
		return c.refuseLogin(w, r, http.StatusUnauthorized, "That is no API key of this server (ingest.api_keys; without the tenant and the colon).")
	}
	login, err := c.gate.issue(tenant, r)
	if err != nil {
		return err
	}
	c.log.Info("console: logged in", "tenant", tenant, "from", r.RemoteAddr)
	http.SetCookie(w, login)
	http.Redirect(w, r, Path+"/", http.StatusSeeOther)
	return nil
}

func (c *console) refuseLogin(w http.ResponseWriter, r *http.Request, status int, why string) error {
	c.log.Warn("console: login refused", "status", status, "from", r.RemoteAddr)
	return render(w, status, "login", frame{Title: "Log in", Content: why})
}

func (c *console) logOut(w http.ResponseWriter, r *http.Request) error {
	http.SetCookie(w, cookie("", -time.Second, r))
	http.Redirect(w, r, loginPath, http.StatusSeeOther)
	return nil
}
