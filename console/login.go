package console

import (
	"crypto/rand"
	"crypto/sha256"
	"fmt"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"
	"golang.org/x/time/rate"
)

const (
	loginPath  = Path + "/login"
	cookieName = "liveproof_console"
	// loginLife is how long a login lasts.
	loginLife = 8 * time.Hour
	// maxLogins are valid at a time; above it the one unused for longest ends.
	maxLogins = 1000
	// Each address may try five keys at once, and one more every tryEvery.
	triesAtOnce = 5
	tryEvery    = 10 * time.Second
	// maxAddresses are remembered with their tries; the one unused for longest is forgotten first.
	maxAddresses = 10_000
	maxLoginBody = 4 << 10
)

// gate logs visitors in. A login is random, and this process remembers it until it ends or the visitor logs out; the cookie is only
// its name. So a copied cookie is worth nothing after logging out, and a restart logs everybody out. That is also how an API key that
// is taken out of the configuration loses its logins.
type gate struct {
	now    func() time.Time
	logins *lru.Cache[[sha256.Size]byte, login] // by the hash of the cookie's value

	mu    sync.Mutex
	tries *lru.Cache[string, *rate.Limiter]
}

// login is what a visitor may see, until it ends.
type login struct {
	tenant   string
	operator bool
	ends     time.Time
}

func newGate(now func() time.Time) (*gate, error) {
	tries, err := lru.New[string, *rate.Limiter](maxAddresses)
	if err != nil {
		return nil, err
	}
	logins, err := lru.New[[sha256.Size]byte, login](maxLogins)
	return &gate{now: now, logins: logins, tries: tries}, err
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

// begin is the cookie of a new login.
func (g *gate) begin(who login, r *http.Request) *http.Cookie {
	name := rand.Text() + rand.Text() // 260 bits
	who.ends = g.now().Add(loginLife)
	g.logins.Add(sha256.Sum256([]byte(name)), who)
	return cookie(name, loginLife, r)
}

// cookie is for this page only. It is Secure where the visitor came by TLS, which ends at a proxy; whoever lies about that
// only loses their own cookie. A negative life deletes it.
func cookie(value string, life time.Duration, r *http.Request) *http.Cookie {
	return &http.Cookie{ //nolint:gosec // Secure where it can be
		Name: cookieName, Value: value, Path: Path, MaxAge: int(life.Seconds()), HttpOnly: true, SameSite: http.SameSiteStrictMode,
		Secure: r.TLS != nil || r.Header.Get("X-Forwarded-Proto") == "https",
	}
}

// login is the visitor's; ok is false without one that is valid.
func (g *gate) login(r *http.Request) (who login, ok bool) {
	c, err := r.Cookie(cookieName)
	if err != nil {
		return login{}, false
	}
	who, ok = g.logins.Get(sha256.Sum256([]byte(c.Value)))
	if !ok || !g.now().Before(who.ends) {
		return login{}, false
	}
	return who, true
}

// end ends the visitor's login, wherever its cookie was copied to.
func (g *gate) end(r *http.Request) {
	if c, err := r.Cookie(cookieName); err == nil {
		g.logins.Remove(sha256.Sum256([]byte(c.Value)))
	}
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
	who, ok := c.identify(strings.TrimSpace(r.PostForm.Get("key")))
	if !ok {
		return c.refuseLogin(w, r, http.StatusUnauthorized,
			"That is no key of this server (ingest.api_keys, without the tenant and the colon, or ops.operator_keys).")
	}
	c.warnOfPlainKeys(r)
	c.log.Info("console: logged in", "tenant", who.tenant, "operator", who.operator, "from", r.RemoteAddr)
	http.SetCookie(w, c.gate.begin(who, r))
	http.Redirect(w, r, Path+"/", http.StatusSeeOther)
	return nil
}

// identify is whose key it is.
func (c *console) identify(key string) (who login, ok bool) {
	if c.deps.Operator != nil && c.deps.Operator(key) {
		return login{operator: true}, true
	}
	tenant, ok := c.deps.Login(key)
	return login{tenant: tenant}, ok
}

// warnOfPlainKeys logs once that a key came over a network in the clear.
func (c *console) warnOfPlainKeys(r *http.Request) {
	peer, err := netip.ParseAddrPort(r.RemoteAddr)
	if err == nil && peer.Addr().Unmap().IsLoopback() || cookie("", 0, r).Secure {
		return
	}
	c.plainKeys.Do(func() {
		c.log.Warn("console: a key came over plain HTTP, so whoever is on the way can read it: put a proxy with TLS in front of ops.listen "+
			"that sends X-Forwarded-Proto, or use a loopback address and a tunnel", "from", r.RemoteAddr)
	})
}

func (c *console) refuseLogin(w http.ResponseWriter, r *http.Request, status int, why string) error {
	c.log.Warn("console: login refused", "status", status, "from", r.RemoteAddr)
	return render(w, status, "login", frame{Title: "Log in", Content: why})
}

func (c *console) logOut(w http.ResponseWriter, r *http.Request) error {
	c.gate.end(r)
	http.SetCookie(w, cookie("", -time.Second, r))
	http.Redirect(w, r, loginPath, http.StatusSeeOther)
	return nil
}
