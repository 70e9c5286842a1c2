package main

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
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
	s.ops = &opsListener{cfg: cfg.Ops, log: s.log, hosts: ingest.NewHosts(cfg.Ops.Listen, cfg.Ops.Hosts, time.Now), mux: opsMux(cfg.Ops, reg)}
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
		"on, behind a proxy":        {consoleOf(t, serveMode{}, func(c *Config) { on("127.0.0.1:9464")(c); c.Ops.Hosts = []string{"ops.example"} }), http.StatusSeeOther},
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
	handler := consoleOf(t, serveMode{}, func(c *Config) {
		c.Ops.Console, c.Ops.Listen, c.Ops.OperatorKeys = true, ":9464", []string{strings.Repeat("o", 16)}
	})
	logIn := func(key string) *httptest.ResponseRecorder {
		r := httptest.NewRequest(http.MethodPost, "http://localhost/console/login", strings.NewReader(url.Values{"key": {key}}.Encode()))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r)
		return w
	}
	require.Equal(t, http.StatusUnauthorized, logIn("bank-b").Code)
	w := logIn(strings.Repeat("b", 16))
	require.Equal(t, http.StatusSeeOther, w.Code)
	r := httptest.NewRequest(http.MethodGet, "http://localhost/console/", http.NoBody)
	r.AddCookie(w.Result().Cookies()[0])
	w = httptest.NewRecorder()
	handler.ServeHTTP(w, r)
	require.Equal(t, http.StatusOK, w.Code)
	require.Contains(t, w.Body.String(), "<b>bank-b</b>")
	require.NotContains(t, w.Body.String(), "bank-a")
	w = logIn(strings.Repeat("o", 16))
	require.Equal(t, http.StatusSeeOther, w.Code)
	r.Header.Del("Cookie")
	r.AddCookie(w.Result().Cookies()[0])
	w = httptest.NewRecorder()
	handler.ServeHTTP(w, r)
	require.Contains(t, w.Body.String(), "bank-a", "an operator chooses among the tenants")
	require.Contains(t, w.Body.String(), "bank-b")
}

// TestOpsRefusesOtherHosts: on a network too, no page of another site whose name leads here reads anything; and on a loopback address
// no proxy's clients are taken for users of the machine.
func TestOpsRefusesOtherHosts(t *testing.T) {
	machine, err := os.Hostname()
	require.NoError(t, err)
	on := func(listen string, hosts ...string) http.Handler {
		return consoleOf(t, serveMode{}, func(c *Config) { c.Ops.Console, c.Ops.Listen, c.Ops.Hosts = true, listen, hosts })
	}
	loopback, network, named := on("127.0.0.1:9464"), on(":9464"), on("127.0.0.1:9464", "ops.example")
	for name, c := range map[string]struct {
		handler http.Handler
		url     string
		header  string
		status  int
	}{
		"loopback":                             {loopback, "http://localhost:9464/console/", "", http.StatusOK},
		"loopback, rebound":                    {loopback, "http://rebound.example:9464/console/", "", http.StatusMisdirectedRequest},
		"loopback, by the machine's name":      {loopback, "http://" + machine + ":9464/console/", "", http.StatusMisdirectedRequest},
		"loopback, through a proxy":            {loopback, "http://127.0.0.1:9464/console/", "X-Forwarded-For", http.StatusMisdirectedRequest},
		"loopback, through another proxy":      {loopback, "http://127.0.0.1:9464/console/", "Via", http.StatusMisdirectedRequest},
		"network, rebound":                     {network, "http://rebound.example:9464/console/", "", http.StatusMisdirectedRequest},
		"network, metrics, rebound":            {network, "http://rebound.example:9464/metrics", "", http.StatusMisdirectedRequest},
		"network, metrics, by another address": {network, "http://203.0.113.77:9464/metrics", "", http.StatusOK},
		"network, console, by another address": {network, "http://203.0.113.77:9464/console/", "", http.StatusMisdirectedRequest},
		"network, by the machine's name":       {network, "http://" + machine + ":9464/console/", "", http.StatusSeeOther},
		"network, through a proxy":             {network, "http://" + machine + ":9464/console/", "X-Forwarded-For", http.StatusSeeOther},
		"behind a proxy, by its name":          {named, "http://ops.example/console/", "X-Forwarded-For", http.StatusSeeOther},
		"behind a proxy, by another name":      {named, "http://rebound.example/console/", "X-Forwarded-For", http.StatusMisdirectedRequest},
		"behind a proxy, without it":           {named, "http://localhost:9464/console/", "", http.StatusSeeOther},
	} {
		r := httptest.NewRequest(http.MethodGet, c.url, http.NoBody)
		if c.header != "" {
			r.Header.Set(c.header, "192.0.2.1")
		}
		w := httptest.NewRecorder()
		c.handler.ServeHTTP(w, r)
		require.Equal(t, c.status, w.Code, name)
		if c.status == http.StatusMisdirectedRequest {
			require.Contains(t, w.Body.String(), "ops.", name)
		}
	}
}

// TestOperatorKeys are long, and no tenant's.
func TestOperatorKeys(t *testing.T) {
	for want, change := range map[string]func(*Config){
		"ops.operator_keys: key 1 has 5 characters":                   func(c *Config) { c.Ops.OperatorKeys = []string{"short"} },
		"ops.operator_keys: key 2 is in ingest.api_keys too":          func(c *Config) { c.Ops.OperatorKeys = []string{strings.Repeat("o", 16), strings.Repeat("k", 16)} },
		`ops.hosts: "https://ops.example" is not a name`:              func(c *Config) { c.Ops.Hosts = []string{"https://ops.example"} },
		"ops.profiles: profiles are for this machine only: ops.hosts": func(c *Config) { c.Ops.Profiles, c.Ops.Hosts = true, []string{"ops.example"} },
	} {
		cfg := DefaultConfig()
		cfg.Ingest.APIKeys = []ingest.APIKey{{Key: strings.Repeat("k", 16)}}
		change(&cfg)
		err := cfg.Validate()
		require.ErrorContains(t, err, want)
		require.NotContains(t, err.Error(), strings.Repeat("k", 16))
	}
}
