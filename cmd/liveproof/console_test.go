package main

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/liveproof/liveproof/ingest"
	"github.com/liveproof/liveproof/store"
)

// TestConsoleOfADevelopmentServer: it shows a session that the API has made, to this machine only, and not where clients are.
func TestConsoleOfADevelopmentServer(t *testing.T) {
	s := startServer(t)
	made := s.create(`{"mode":"onboarding","external_id":"<b>order</b>"}`)
	console := strings.TrimSuffix(s.ops, "metrics") + "console/"
	status, body := ask(t, console, "")
	require.Equal(t, http.StatusOK, status)
	require.Contains(t, body, made.ID)
	require.Contains(t, body, "&lt;b&gt;order&lt;/b&gt;")
	status, body = ask(t, console+"sessions/"+made.ID, "")
	require.Equal(t, http.StatusOK, status)
	require.Contains(t, body, "created")
	status, body = ask(t, console+"server", "")
	require.Equal(t, http.StatusOK, status)
	require.Contains(t, body, "sessions created")
	status, body = ask(t, console, "rebound.example")
	require.Equal(t, http.StatusMisdirectedRequest, status)
	require.NotContains(t, body, made.ID)
	_, body = ask(t, s.url+"/console/sessions/"+made.ID, "")
	require.NotContains(t, body, made.ID)
}

// consoleOf is the handler of the ops listener of a server with this configuration.
func consoleOf(t *testing.T, mode serveMode, change func(*Config)) http.Handler {
	t.Helper()
	cfg := DefaultConfig()
	cfg.Ingest.APIKeys = []ingest.APIKey{{Tenant: "bank-a", Key: strings.Repeat("a", 16)}, {Tenant: "bank-b", Key: strings.Repeat("b", 16)}}
	change(&cfg)
	require.NoError(t, cfg.Validate())
	s := &service{cfg: cfg, mode: mode, log: slog.New(slog.DiscardHandler)}
	reg := newRegistry()
	s.ops = &opsListener{cfg: cfg.Ops, log: s.log, mux: opsMux(cfg.Ops, reg)}
	require.NoError(t, s.openConsole(store.NewMemory(cfg.Store, time.Now), reg))
	return s.ops.handler()
}

// TestConsoleIsOffUnlessSwitchedOn, and elsewhere than on a loopback address an API key is needed to log in.
func TestConsoleIsOffUnlessSwitchedOn(t *testing.T) {
	on := func(listen string) func(*Config) {
		return func(c *Config) { c.Ops.Console, c.Ops.Listen = true, listen }
	}
	for name, c := range map[string]struct {
		handler http.Handler
		status  int
	}{
		"off":                       {consoleOf(t, serveMode{}, func(*Config) {}), http.StatusNotFound},
		"on":                        {consoleOf(t, serveMode{}, on("127.0.0.1:9464")), http.StatusOK},
		"on, for a network":         {consoleOf(t, serveMode{}, on(":9464")), http.StatusSeeOther},
		"on, for one address":       {consoleOf(t, serveMode{}, on("192.0.2.1:9464")), http.StatusSeeOther},
		"development":               {consoleOf(t, serveMode{demo: true}, func(*Config) {}), http.StatusOK},
		"development for a network": {consoleOf(t, serveMode{demo: true}, func(c *Config) { c.Ops.Listen = ":9464" }), http.StatusSeeOther},
	} {
		r := httptest.NewRequest(http.MethodGet, "http://127.0.0.1:9464/console/", http.NoBody)
		w := httptest.NewRecorder()
		c.handler.ServeHTTP(w, r)
		require.Equal(t, c.status, w.Code, name)
	}
}

// TestConsoleLogsInWithAnAPIKey of the configuration, and shows that key's tenant.
func TestConsoleLogsInWithAnAPIKey(t *testing.T) {
	handler := consoleOf(t, serveMode{}, func(c *Config) { c.Ops.Console, c.Ops.Listen = true, ":9464" })
	logIn := func(key string) *httptest.ResponseRecorder {
		r := httptest.NewRequest(http.MethodPost, "/console/login", strings.NewReader(url.Values{"key": {key}}.Encode()))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r)
		return w
	}
	require.Equal(t, http.StatusUnauthorized, logIn("bank-b").Code)
	w := logIn(strings.Repeat("b", 16))
	require.Equal(t, http.StatusSeeOther, w.Code)
	r := httptest.NewRequest(http.MethodGet, "/console/", http.NoBody)
	r.AddCookie(w.Result().Cookies()[0])
	w = httptest.NewRecorder()
	handler.ServeHTTP(w, r)
	require.Equal(t, http.StatusOK, w.Code)
	require.Contains(t, w.Body.String(), "<b>bank-b</b>")
	require.NotContains(t, w.Body.String(), "bank-a")
}
