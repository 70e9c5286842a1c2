package ingest

import (
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/liveproof/liveproof"
)

const page = "https://bank.example"

// logBuffer keeps what several servers log.
type logBuffer struct {
	mu   sync.Mutex
	text strings.Builder
}

func (b *logBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *logBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}

// nodes are two servers with one store, each at an address of its own; logged is what both log.
func nodes(t *testing.T, urls ...string) (owner, other *world, logged *logBuffer) {
	t.Helper()
	logged = new(logBuffer)
	first := node(t, nil, logged, urls...)
	return first, node(t, first.store, logged, urls...), logged
}

func node(t *testing.T, shared *fakeStore, logged *logBuffer, urls ...string) *world {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	w := newWorld(t, func(c *Config, d *Deps, s *fakeStore) {
		if shared == nil {
			shared = s
		}
		d.Sessions, d.Analyzer, d.Log = shared, &fakeAnalyzer{shared, untilEOF}, slog.New(slog.NewTextHandler(logged, &slog.HandlerOptions{Level: slog.LevelDebug}))
		c.PublicURL, c.CORSOrigins = "http://"+listener.Addr().String()+"/", []string{page}
		if len(urls) > 0 {
			c.PublicURL = urls[0]
		}
	})
	w.store = shared
	w.http.Close()
	w.http = httptest.NewUnstartedServer(w.server.Handler())
	require.NoError(t, w.http.Listener.Close())
	w.http.Listener = listener
	w.http.Start()
	return w
}

// pathAt checks that an absolute URL is of the node, and returns its path with the query.
func (w *world) pathAt(address string) string {
	w.t.Helper()
	u, err := url.Parse(address)
	require.NoError(w.t, err)
	require.Equal(w.t, w.http.URL, u.Scheme+"://"+u.Host, "%s is not at the node", address)
	return u.RequestURI()
}

// TestOfferAtAnotherNode goes through what a browser does whose page is elsewhere: Authorization is dropped and the origin is "null" after the redirect.
func TestOfferAtAnotherNode(t *testing.T) {
	owner, other, logged := nodes(t)
	c := owner.create("")
	require.Equal(t, "/v1/sessions/"+string(c.ID)+"/whip", owner.pathAt(c.WHIPURL))
	path := owner.pathAt(c.WHIPURL)
	sent := other.call("POST", path, goodOffer, withToken(c.ClientToken, "Content-Type", typeSDP, "Origin", page)...)
	require.Equal(t, http.StatusTemporaryRedirect, sent.StatusCode, "%s", sent.body)
	require.Equal(t, page, sent.Header.Get("Access-Control-Allow-Origin"))
	require.Equal(t, "no-store", sent.Header.Get("Cache-Control"))
	require.Equal(t, liveproof.StateCreated, owner.store.record(c.ID).State, "the token is still unused")
	there := owner.pathAt(sent.Header.Get("Location"))

	preflight := owner.call("OPTIONS", there, "", "Origin", "null", "Access-Control-Request-Method", "POST", "Access-Control-Request-Headers", "content-type")
	require.Equal(t, "null", preflight.Header.Get("Access-Control-Allow-Origin"))
	require.NotEmpty(t, preflight.Header.Values("Link"))
	answered := owner.call("POST", there, goodOffer, "Content-Type", typeSDP, "Origin", "null")
	require.Equal(t, 201, answered.StatusCode, "%s", answered.body)
	require.Equal(t, "null", answered.Header.Get("Access-Control-Allow-Origin"))
	resource := owner.pathAt(answered.Header.Get("Location"))
	require.NotContains(t, resource, handoverParameter)
	owner.refused(owner.call("POST", there, goodOffer, "Content-Type", typeSDP), 409, CodeTokenUsed)
	owner.refused(other.call("POST", there, goodOffer, "Content-Type", typeSDP), 409, CodeTokenUsed) // it is not sent on again

	fragment := []string{"Content-Type", typeFragment, "If-Match", "*"}
	require.Equal(t, 204, owner.call("PATCH", resource, "a=x", withToken(c.ClientToken, fragment...)...).StatusCode)
	sent = other.call("PATCH", resource, "a=x", withToken(c.ClientToken, fragment...)...)
	require.Equal(t, http.StatusTemporaryRedirect, sent.StatusCode)
	require.Equal(t, 204, owner.call("PATCH", owner.pathAt(sent.Header.Get("Location")), "a=y", fragment...).StatusCode)
	require.Equal(t, []string{"a=x", "a=y"}, owner.rtc.peer(c.ID).fragments)
	sent = other.call("GET", "/v1/sessions/"+string(c.ID)+"/challenge?wait=0", "", withToken(c.ClientToken)...)
	require.Equal(t, http.StatusTemporaryRedirect, sent.StatusCode)
	require.Equal(t, 204, owner.call("GET", owner.pathAt(sent.Header.Get("Location")), "").StatusCode)
	sent = other.call("DELETE", resource, "", withToken(c.ClientToken)...)
	require.Equal(t, http.StatusTemporaryRedirect, sent.StatusCode)
	require.Equal(t, 200, owner.call("DELETE", owner.pathAt(sent.Header.Get("Location")), "").StatusCode)
	owner.terminal(c.ID)
	require.Equal(t, 200, other.call("DELETE", resource, "", withToken(c.ClientToken)...).StatusCode, "an ended session is known everywhere")
	require.InDelta(t, 4, counted(other.server.metrics.handovers.WithLabelValues("whip")), 0)
	require.NotContains(t, logged.String(), "handover=")
	require.NotContains(t, logged.String(), strings.Split(there, "handover=")[1])
}

// TestHandoverTokens: what a handover token is good for, and what not.
func TestHandoverTokens(t *testing.T) {
	owner, other, _ := nodes(t)
	c, second := owner.create(""), owner.create("")
	path, post := owner.pathAt(c.WHIPURL), func(w *world, path string, headers ...string) reply {
		return w.call("POST", path, goodOffer, append([]string{"Content-Type", typeSDP}, headers...)...)
	}
	other.refused(post(other, path), 401, CodeUnauthorized)
	other.refused(post(other, path, withToken(second.ClientToken)...), 401, CodeTokenWrongSession)
	other.refused(post(other, path+"?handover=x"), 401, CodeTokenInvalid)
	there := owner.pathAt(post(other, path, withToken(c.ClientToken)...).Header.Get("Location"))
	_, token, _ := strings.Cut(there, "handover=")
	owner.refused(post(owner, owner.pathAt(second.WHIPURL)+"?handover="+token), 401, CodeTokenWrongSession)
	owner.refused(post(owner, path, withToken(token)...), 401, CodeTokenInvalid)
	owner.refused(post(owner, path+"?handover="+c.ClientToken), 401, CodeTokenInvalid)
	require.Empty(t, owner.call("OPTIONS", path+"?handover="+c.ClientToken, "", "Origin", "null").Header.Get("Access-Control-Allow-Origin"))
	require.Empty(t, owner.call("OPTIONS", path, "", "Origin", "null").Header.Get("Access-Control-Allow-Origin"))
	owner.clock.advance(handoverFor + time.Second)
	owner.refused(post(owner, there), 401, CodeTokenExpired)
	require.Equal(t, liveproof.StateCreated, owner.store.record(c.ID).State)
}

func TestSignallingAtAnotherNode(t *testing.T) {
	owner, other, _ := nodes(t)
	c := owner.create("")
	require.Equal(t, "ws"+strings.TrimPrefix(owner.http.URL, "http")+"/v1/sessions/"+string(c.ID)+"/signal", c.SignalURL)
	code, last := closeCode(t, other.mustDial(c))
	require.Equal(t, closeMoved, code)
	require.Equal(t, message{"type": "moved", "signal_url": c.SignalURL}, last)
	ws := owner.mustDial(c)
	require.NoError(t, ws.WriteJSON(offerMessage(goodOffer)))
	owner.await(ws, "answer")
	other.refused(other.call("GET", "/v1/sessions/"+string(c.ID)+"/signal", ""), 426, CodeUpgradeRequired)
}

// TestEveryNodeAnswers for every session: its reading, its list and its deletion, and a creation that is repeated at another node.
func TestEveryNodeAnswers(t *testing.T) {
	owner, other, _ := nodes(t)
	var first, again created
	owner.call("POST", "/v1/sessions", "{}", withKey("Idempotency-Key", "k")...).json(t, &first)
	other.call("POST", "/v1/sessions", "{}", withKey("Idempotency-Key", "k")...).json(t, &again)
	require.Equal(t, first.ID, again.ID)
	require.Equal(t, first.WHIPURL, again.WHIPURL)
	require.Equal(t, first.SignalURL, again.SignalURL)
	require.Equal(t, liveproof.StateCreated, other.read(first.ID).State)
	require.Equal(t, []liveproof.SessionID{first.ID}, other.list(""))

	ws := owner.mustDial(first)
	require.NoError(t, ws.WriteJSON(offerMessage(goodOffer)))
	owner.await(ws, "answer")
	require.Equal(t, 204, other.call("DELETE", "/v1/sessions/"+string(first.ID), "", withKey()...).StatusCode)
	decided, _ := owner.await(ws, "decided")
	require.Equal(t, "retry", decided["result"], "the owner ends it when it renews its leases")
}

// TestNodesWithOneAddress: servers that clients cannot tell apart take one another's sessions, as a sticky balancer wants it.
func TestNodesWithOneAddress(t *testing.T) {
	owner, other, _ := nodes(t, "https://liveness.example.org")
	c := owner.create("")
	require.Equal(t, "https://liveness.example.org/v1/sessions/"+string(c.ID)+"/whip", c.WHIPURL)
	require.Equal(t, 201, other.whip(c).StatusCode)
}
