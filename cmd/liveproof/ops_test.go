package main

import (
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/liveproof/liveproof/ingest/rtc"
)

// ask makes one request with this Host header; "" is that of the URL.
func ask(t *testing.T, url, host string) (status int, body string) {
	t.Helper()
	req, err := http.NewRequest(http.MethodGet, url, http.NoBody)
	require.NoError(t, err)
	req.Host = host
	resp, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	return resp.StatusCode, string(raw)
}

// TestMetricsHaveAListenerOfTheirOwn: they are there and not where clients are, and no page of another
// site can read them. Profiles are off unless switched on. A second server on the machine gets its own.
func TestMetricsHaveAListenerOfTheirOwn(t *testing.T) {
	first := startServer(t)
	t.Setenv("LIVEPROOF_OPS_PROFILES", "true")
	second := startServer(t)
	require.NotEqual(t, first.ops, second.ops)
	for _, s := range []*server{first, second} {
		status, body := ask(t, s.ops, "")
		require.Equal(t, http.StatusOK, status)
		require.Contains(t, body, "\nliveproof_pipeline_sessions_active 0\n")
		status, body = ask(t, s.ops, "rebound.example")
		require.Equal(t, http.StatusMisdirectedRequest, status)
		require.NotContains(t, body, "liveproof_pipeline")
		status, _ = ask(t, strings.Replace(s.ops, "127.0.0.1", "localhost", 1), "")
		require.Equal(t, http.StatusOK, status)
		status, body = ask(t, s.url+"/metrics", "")
		require.Equal(t, http.StatusNotFound, status)
		require.Contains(t, body, "ops.listen")
	}
	for s, want := range map[*server]int{first: http.StatusNotFound, second: http.StatusOK} {
		status, _ := ask(t, strings.TrimSuffix(s.ops, "metrics")+"debug/pprof/cmdline", "")
		require.Equal(t, want, status)
		status, _ = ask(t, s.url+"/debug/pprof/cmdline.txt", "")
		require.Equal(t, http.StatusNotFound, status)
	}
}

// TestMetricsConnectionsEnd: nobody holds connections to the metrics for good.
func TestMetricsConnectionsEnd(t *testing.T) {
	ops, err := listenOps(OpsConfig{Listen: "127.0.0.1:0"}, newRegistry(), slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	defer ops.Close()
	server := ops.server()
	for name, limit := range map[string]time.Duration{
		"headers": server.ReadHeaderTimeout, "request": server.ReadTimeout, "answer": server.WriteTimeout, "between requests": server.IdleTimeout,
	} {
		require.Positive(t, limit, name)
	}
}

func TestMetricsSwitchedOff(t *testing.T) {
	s := startServer(t, "--ops-listen", "")
	require.Empty(t, s.ops)
	status, _ := ask(t, s.url+"/healthz", "")
	require.Equal(t, http.StatusOK, status)
}

// TestTakenPort: the error names the key and the flag to change.
func TestTakenPort(t *testing.T) {
	needRuntime(t)
	tcp, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer tcp.Close()
	udp, err := net.ListenPacket("udp", "127.0.0.1:0")
	require.NoError(t, err)
	defer udp.Close()
	_, udpPort, err := net.SplitHostPort(udp.LocalAddr().String())
	require.NoError(t, err)
	_, tcpPort, err := net.SplitHostPort(tcp.Addr().String())
	require.NoError(t, err)
	for name, c := range map[string]struct{ args, says []string }{
		"clients": {[]string{"--listen", tcp.Addr().String()}, []string{"ingest.listen", "--listen", "LIVEPROOF_INGEST_LISTEN"}},
		"metrics": {[]string{"--ops-listen", tcp.Addr().String()}, []string{"ops.listen", "--ops-listen", "LIVEPROOF_OPS_LISTEN", "switches"}},
		"media":   {[]string{"--udp-port", udpPort}, []string{"webrtc.udp_port", "--udp-port", "LIVEPROOF_WEBRTC_UDP_PORT"}},
		"TCP":     {[]string{"--udp-port", tcpPort}, []string{"webrtc.tcp_port", "--udp-port", "LIVEPROOF_WEBRTC_TCP_PORT"}},
	} {
		t.Run(name, func(t *testing.T) {
			root := newRootCommand()
			root.SetOut(io.Discard)
			root.SetErr(testWriter{t})
			root.SetArgs(append([]string{"serve", "--listen", "127.0.0.1:0", "--ops-listen", "127.0.0.1:0", "--udp-port", "0"}, c.args...))
			err := root.ExecuteContext(t.Context())
			require.Error(t, err)
			for _, says := range append(c.says, "another program has this port") {
				require.ErrorContains(t, err, says)
			}
		})
	}
}

// TestMediaFollowsTheListener: a server for this machine only receives media here only, unless its
// configuration says that clients are elsewhere.
func TestMediaFollowsTheListener(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*Config)
		want   rtc.Bind
	}{
		"default":                   {func(*Config) {}, rtc.BindAll},
		"loopback":                  {func(c *Config) { c.Ingest.Listen = "127.0.0.1:8080" }, rtc.BindLoopback},
		"loopback by name":          {func(c *Config) { c.Ingest.Listen = "localhost:0" }, rtc.BindLoopback},
		"loopback of IPv6":          {func(c *Config) { c.Ingest.Listen = "[::1]:8080" }, rtc.BindLoopback},
		"one address":               {func(c *Config) { c.Ingest.Listen = "192.0.2.1:8080" }, rtc.BindAll},
		"behind a proxy":            {func(c *Config) { c.Ingest.Listen, c.Ingest.PublicURL = "127.0.0.1:8080", "https://a.example" }, rtc.BindAll},
		"behind a translator":       {func(c *Config) { c.Ingest.Listen, c.WebRTC.PublicIPs = "127.0.0.1:8080", []string{"192.0.2.1"} }, rtc.BindAll},
		"with interfaces":           {func(c *Config) { c.Ingest.Listen, c.WebRTC.Interfaces = "127.0.0.1:8080", []string{"eth0"} }, rtc.BindAll},
		"all, explicitly":           {func(c *Config) { c.Ingest.Listen, c.WebRTC.Bind = "127.0.0.1:8080", rtc.BindAll }, rtc.BindAll},
		"loopback media explicitly": {func(c *Config) { c.WebRTC.Bind = rtc.BindLoopback }, rtc.BindLoopback},
	} {
		t.Run(name, func(t *testing.T) {
			cfg := DefaultConfig()
			c.change(&cfg)
			require.Equal(t, c.want, cfg.webrtc().Bind)
		})
	}
}
