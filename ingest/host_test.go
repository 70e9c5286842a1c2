package ingest

import (
	"net"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/liveproof/liveproof"
)

func TestHosts(t *testing.T) {
	machine, err := os.Hostname()
	require.NoError(t, err)
	cfg := DefaultConfig()
	public := cfg
	public.PublicURL, public.Hosts = "https://Live.example:8443/base", []string{"liveproof", "liveproof.default.svc"}
	public.Listen = "10.0.0.5:8080"
	open := cfg
	open.Hosts = []string{"*"}
	for name, c := range map[string]struct {
		cfg     Config
		yes, no []string
	}{
		"without public_url": {
			cfg,
			[]string{
				"", "localhost", "localhost:8080", "LOCALHOST.", "demo.localhost:1", "127.0.0.1:8080", "127.9.9.9", "[::1]:8080", "[::1]",
				"192.0.2.7:8080", "[fe80::7%eth0]:80", "[::ffff:192.0.2.7]", "203.0.113.9", machine, strings.ToUpper(machine) + ":8080",
			},
			[]string{
				"evil.example", "evil.example:8080", "localhost.evil.example", "127.0.0.1.evil.example", "localhostx", "192.0.2.8", "[2001:db8::1]:80",
				"live.example", "127.0.0.1:8080.evil.example", "evil.example@localhost", "xn--localhost", "127.1", "2130706433", "0x7f000001",
			},
		},
		"with public_url": {
			public,
			[]string{"live.example", "live.example:443", "liveproof:8080", "liveproof.default.svc", "10.0.0.5", "localhost", "127.0.0.1", "192.0.2.7"},
			[]string{"evil.example", "live.example.evil.example", "notlive.example", "liveproof.evil.example", "10.0.0.6"},
		},
		"any": {open, []string{"evil.example", "192.0.2.8"}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHosts(c.cfg, []string{"203.0.113.9/10.0.0.9"}, time.Now)
			h.list = func() ([]net.Addr, error) {
				return []net.Addr{
					&net.IPNet{IP: net.ParseIP("192.0.2.7"), Mask: net.CIDRMask(24, 32)},
					&net.IPNet{IP: net.ParseIP("fe80::7"), Mask: net.CIDRMask(64, 128)},
				}, nil
			}
			for _, host := range c.yes {
				require.True(t, h.Serves(host, false), host)
			}
			for _, host := range c.no {
				require.False(t, h.Serves(host, false), host)
			}
			require.True(t, h.Serves("198.51.100.77:8080", true), "a probe may come by any address")
			require.Equal(t, c.no == nil, h.Serves("evil.example", true), "a probe by another name may not")
		})
	}
}

// TestMachineChangesItsAddress: a new address is known 5 s later, and the list is not read at every request.
func TestMachineChangesItsAddress(t *testing.T) {
	now := time.Now()
	h := newHosts(DefaultConfig(), nil, func() time.Time { return now })
	address, read := "192.0.2.7", 0
	h.list = func() ([]net.Addr, error) {
		read++
		return []net.Addr{&net.IPNet{IP: net.ParseIP(address), Mask: net.CIDRMask(24, 32)}}, nil
	}
	require.True(t, h.Serves("192.0.2.7", false))
	address = "198.51.100.3"
	require.False(t, h.Serves("198.51.100.3", false))
	require.Equal(t, 1, read)
	now = now.Add(ownAddressesFor)
	require.True(t, h.Serves("198.51.100.3", false))
	require.False(t, h.Serves("192.0.2.7", false))
	require.Equal(t, 2, read)
}

// TestRebinding: a page whose name was given this server's address reaches nothing, neither the demo,
// which needs no key, nor signalling, whose origin would be the same.
func TestRebinding(t *testing.T) {
	w := newWorld(t, func(_ *Config, d *Deps, _ *fakeStore) { d.Demo = true })
	for _, r := range w.server.routes {
		path := strings.ReplaceAll(r.path, "{id}", "01ARZ3NDEKTSV4RRFFQ69G5FAV")
		req, err := http.NewRequest(r.method, w.http.URL+strings.ReplaceAll(path, "{resource}", "x"), http.NoBody)
		require.NoError(t, err)
		req.Host = "rebound.example"
		req.Header.Set("Origin", "http://rebound.example")
		req.Header.Set("Authorization", "Bearer "+testKey)
		got := w.send(req)
		require.Equal(t, http.StatusMisdirectedRequest, got.StatusCode, "%s %s", r.method, path)
		var p Problem
		got.json(t, &p)
		require.Equal(t, CodeHostUnknown, p.Code)
		require.Equal(t, liveproof.FaultIntegrator, p.Fault)
		require.Contains(t, p.Detail, `"rebound.example"`)
		require.Contains(t, p.Detail, "ingest.public_url")
	}
	require.Zero(t, w.store.creates)
}

// TestMetricsAreNotServedToClients: whoever scrapes the old address is told the new one, and not given the page.
func TestMetricsAreNotServedToClients(t *testing.T) {
	w := newWorld(t, func(_ *Config, d *Deps, _ *fakeStore) { d.Demo = true })
	got := w.call(http.MethodGet, "/metrics", "")
	require.Equal(t, http.StatusNotFound, got.StatusCode)
	require.Contains(t, string(got.body), "ops.listen")
}

func TestHostsAreChecked(t *testing.T) {
	for _, bad := range []string{"", "https://a.example", "a.example:443", "a.example/x", "*.example", "a b"} {
		cfg := DefaultConfig()
		cfg.Hosts = []string{bad}
		require.ErrorContains(t, cfg.Validate(), "hosts: ", bad)
	}
	for _, good := range []string{"*", "a.example", "liveproof", "10.0.0.1", "2001:db8::1"} {
		cfg := DefaultConfig()
		cfg.Hosts = []string{good}
		require.NoError(t, cfg.Validate(), good)
	}
}
