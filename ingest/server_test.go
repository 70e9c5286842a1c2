package ingest

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/liveproof/liveproof"
	"github.com/liveproof/liveproof/ingest/live"
)

const (
	testKey    = "test-key-0123456789abcdef" // the default tenant's
	otherKey   = "another-key-0123456789"    // bank-a's
	testSecret = "test-secret-0123456789abcdef0123456789"
	videoOffer = "s=-\r\nt=0 0\r\nm=video 9 UDP/TLS/RTP/SAVPF 96\r\nc=IN IP4 0.0.0.0\r\na=mid:0\r\na=sendonly\r\na=rtcp-mux\r\na=rtpmap:96 VP8/90000\r\n" +
		"a=ice-ufrag:EsAw\r\na=ice-pwd:P2uYro0UCOQ4zxjKXaWCBui1\r\na=setup:actpass\r\na=fingerprint:sha-256 " +
		"D2:FA:0E:C3:22:59:5E:14:95:69:92:3D:13:B4:84:24:2C:C2:A2:C0:3E:FD:34:8E:5E:EA:6F:AF:52:CE:E6:0F\r\n"
	goodOffer = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\n" + videoOffer
	// badOffer is well formed; the peer refuses it.
	badOffer = "v=0\r\no=- 2 2 IN IP4 127.0.0.1\r\n" + videoOffer
	// wait is generous: the machine may be busy, and a pass never waits for it.
	wait = 20 * time.Second
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// clock is the tests' time of tokens and records.
type clock struct {
	mu sync.Mutex
	t  time.Time
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.t
}

func (c *clock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.t = c.t.Add(d)
}

// world is a server with everything around it faked, on a real port.
type world struct {
	t      *testing.T
	store  *fakeStore
	rtc    *fakeRTC
	clock  *clock
	server *Server
	http   *httptest.Server
}

func testConfig() Config {
	cfg := DefaultConfig()
	cfg.APIKeys = []APIKey{{"bank-a", otherKey}, {"", testKey}}
	cfg.TokenSecret = testSecret
	cfg.RatePerIP, cfg.RatePerTenant = Rate{10_000, 10_000}, Rate{10_000, 10_000}
	return cfg
}

func testSession() live.Config {
	cfg := live.DefaultConfig()
	cfg.DisconnectGrace, cfg.DecideTimeout = 20*time.Millisecond, 10*time.Second
	return cfg
}

// testDeps is a server's surroundings that nothing happens in.
func testDeps() Deps {
	s, r := newFakeStore(time.Now), newFakeRTC()
	return Deps{Sessions: s, Analyzer: &fakeAnalyzer{s, untilEOF}, RTC: r, Dial: r.dial, Session: testSession()}
}

// change alters a world before it begins.
type change = func(*Config, *Deps, *fakeStore)

func newWorld(t *testing.T, change change) *world {
	t.Helper()
	w := &world{t: t, rtc: newFakeRTC(), clock: &clock{t: time.Now()}}
	w.store = newFakeStore(w.clock.now)
	cfg := testConfig()
	deps := Deps{
		Sessions: w.store, Analyzer: &fakeAnalyzer{w.store, untilEOF}, RTC: w.rtc, Dial: w.rtc.dial,
		Session: testSession(), Now: w.clock.now,
	}
	if change != nil {
		change(&cfg, &deps, w.store)
	}
	var err error
	w.server, err = New(cfg, deps)
	require.NoError(t, err)
	w.http = httptest.NewServer(w.server.Handler())
	t.Cleanup(func() {
		require.NoError(t, w.server.Close())
		w.http.Close()
		http.DefaultTransport.(*http.Transport).CloseIdleConnections()
	})
	return w
}

// reply is a response with its body read.
type reply struct {
	*http.Response
	body []byte
}

func (r reply) json(t *testing.T, into any) {
	t.Helper()
	require.NoError(t, json.Unmarshal(r.body, into), "%s", r.body)
}

// call sends a request; headers are pairs. Every answer is held against openapi.yaml.
func (w *world) call(method, path, body string, headers ...string) reply {
	w.t.Helper()
	req, err := http.NewRequest(method, w.http.URL+path, strings.NewReader(body))
	require.NoError(w.t, err)
	for i := 0; i+1 < len(headers); i += 2 {
		req.Header.Add(headers[i], headers[i+1])
	}
	return w.send(req)
}

func (w *world) send(req *http.Request) reply {
	w.t.Helper()
	resp, err := http.DefaultTransport.RoundTrip(req)
	require.NoError(w.t, err)
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	require.NoError(w.t, err)
	checkAgainstDocument(w.t, req, resp, b)
	return reply{resp, b}
}

func (w *world) refused(r reply, status int, code Code) {
	w.t.Helper()
	var p Problem
	require.Equal(w.t, status, r.StatusCode, "%s", r.body)
	require.Equal(w.t, "application/problem+json", r.Header.Get("Content-Type"))
	r.json(w.t, &p)
	require.Equal(w.t, code, p.Code)
	require.Equal(w.t, status, p.Status)
	require.NotEmpty(w.t, p.RequestID)
}

func withKey(more ...string) []string {
	return append([]string{"Authorization", "Bearer " + testKey, "Content-Type", "application/json"}, more...)
}

func withToken(token string, more ...string) []string {
	return append([]string{"Authorization", "Bearer " + token}, more...)
}

func (w *world) create(body string) created {
	w.t.Helper()
	r := w.call("POST", "/v1/sessions", body, withKey()...)
	require.Equal(w.t, 201, r.StatusCode, "%s", r.body)
	var c created
	r.json(w.t, &c)
	return c
}

func (w *world) read(id liveproof.SessionID) view {
	w.t.Helper()
	r := w.call("GET", "/v1/sessions/"+string(id), "", withKey()...)
	require.Equal(w.t, 200, r.StatusCode, "%s", r.body)
	var v view
	d := json.NewDecoder(bytes.NewReader(r.body))
	d.DisallowUnknownFields()
	require.NoError(w.t, d.Decode(&v))
	return v
}

// terminal waits until the session has ended and its connection has gone.
func (w *world) terminal(id liveproof.SessionID) liveproof.Session {
	w.t.Helper()
	var s liveproof.Session
	require.Eventually(w.t, func() bool {
		s = w.store.record(id)
		return s.State.Terminal() && w.server.live.Find(id) == nil
	}, wait, 2*time.Millisecond, "session %s is not terminal", id)
	return s
}

// dial opens signalling as a browser does.
func (w *world) dial(c created, header http.Header) (*websocket.Conn, *http.Response, error) {
	d := websocket.Dialer{Subprotocols: []string{subprotocol, bearerPrefix + c.ClientToken}, HandshakeTimeout: wait}
	ws, resp, err := d.Dial("ws"+strings.TrimPrefix(w.http.URL, "http")+"/v1/sessions/"+string(c.ID)+"/signal", header)
	if ws != nil {
		w.t.Cleanup(func() { _ = ws.Close() })
		_ = ws.SetReadDeadline(time.Now().Add(wait))
	}
	return ws, resp, err
}

func (w *world) mustDial(c created) *websocket.Conn {
	w.t.Helper()
	ws, _, err := w.dial(c, nil)
	require.NoError(w.t, err)
	require.Equal(w.t, subprotocol, ws.Subprotocol())
	return ws
}

// await reads messages until one of the type comes; it returns all types seen.
func (w *world) await(ws *websocket.Conn, kind string) (message, []string) {
	w.t.Helper()
	var seen []string
	for {
		var m message
		require.NoError(w.t, ws.ReadJSON(&m), "after %v", seen)
		seen = append(seen, m["type"].(string))
		if m["type"] == kind {
			return m, seen
		}
	}
}

func offerMessage(sdp string) message { return message{"type": "offer", "sdp": sdp} }

// sweep is one round of the server's sweep, with a server that has run for long.
func (w *world) sweep() {
	w.t.Helper()
	require.NoError(w.t, w.server.live.SweepOnce(w.t.Context(), time.Time{}))
}
