package main

import (
	"encoding/json"
	"log/slog"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"github.com/liveproof/liveproof/ingest"
	"github.com/liveproof/liveproof/ingest/live"
	"github.com/liveproof/liveproof/ingest/rtc"
	"github.com/liveproof/liveproof/pipeline"
	"github.com/liveproof/liveproof/scorer"
	"github.com/liveproof/liveproof/store"
)

// TestComposeSetsKnownKeys: docker compose would only show a misspelt variable at start.
func TestComposeSetsKnownKeys(t *testing.T) {
	raw, err := os.ReadFile("../../docker-compose.yml")
	require.NoError(t, err)
	var file struct {
		Services map[string]struct {
			Environment map[string]string `yaml:"environment"`
			Volumes     []string          `yaml:"volumes"`
		} `yaml:"services"`
	}
	require.NoError(t, yaml.Unmarshal(raw, &file))
	require.Contains(t, file.Services, "liveproof")
	fill := strings.NewReplacer("${LIVEPROOF_API_KEY", "0123456789abcdef${", "${LIVEPROOF_TOKEN_SECRET", strings.Repeat("s", 32)+"${",
		"${TURN_SECRET", "secret${", "${PUBLIC_IP", "203.0.113.7${")
	rest := regexp.MustCompile(`\$\{[^}]*\}`)
	var environ []string
	for name, value := range file.Services["liveproof"].Environment {
		environ = append(environ, name+"="+rest.ReplaceAllString(fill.Replace(value), ""))
	}
	cfg, err := loadConfig("../../configs/liveproof.yaml", environ)
	require.NoError(t, err)
	require.Len(t, cfg.Ingest.APIKeys, 1)
	require.Len(t, cfg.WebRTC.TURNURLs, 2)
	require.Equal(t, "json", cfg.Log.Format)
	scraped, err := os.ReadFile("../../configs/prometheus/prometheus.yml")
	require.NoError(t, err)
	require.Contains(t, string(scraped), `targets: ["liveproof`+cfg.Ops.Listen+`"]`, "Prometheus asks the address of the metrics")
	for service, s := range file.Services {
		for _, v := range s.Volumes {
			if source, _, _ := strings.Cut(v, ":"); strings.HasPrefix(source, "./") {
				_, err := os.Stat("../../" + source)
				require.NoError(t, err, service)
			}
		}
	}
}

// TestComposeIsHardened: a service that is taken over can write little, has no rights and limited resources, and no password is known beforehand.
func TestComposeIsHardened(t *testing.T) {
	raw, err := os.ReadFile("../../docker-compose.yml")
	require.NoError(t, err)
	var file struct {
		Services map[string]struct {
			ReadOnly    bool     `yaml:"read_only"`
			Privileged  bool     `yaml:"privileged"`
			CapDrop     []string `yaml:"cap_drop"`
			CapAdd      []string `yaml:"cap_add"`
			SecurityOpt []string `yaml:"security_opt"`
			Memory      string   `yaml:"mem_limit"`
			CPUs        string   `yaml:"cpus"`
			PIDs        int      `yaml:"pids_limit"`
			Restart     string   `yaml:"restart"`
			NetworkMode string   `yaml:"network_mode"`
			PID         string   `yaml:"pid"`
			Volumes     []string `yaml:"volumes"`
		} `yaml:"services"`
	}
	require.NoError(t, yaml.Unmarshal(raw, &file))
	require.GreaterOrEqual(t, len(file.Services), 5)
	for name, s := range file.Services {
		require.True(t, s.ReadOnly, name)
		require.Equal(t, []string{"ALL"}, s.CapDrop, name)
		require.Equal(t, []string{"no-new-privileges:true"}, s.SecurityOpt, "%s; a profile of its own would be another list to keep", name)
		require.Regexp(t, `^(\d+[mg]|\$\{LIVEPROOF_MEMORY:-\d+g\})$`, s.Memory, name)
		require.NotEmpty(t, s.CPUs, name)
		require.Positive(t, s.PIDs, name)
		require.Equal(t, "unless-stopped", s.Restart, "%s: a fault in a decoder ends the process", name)
		require.Empty(t, s.NetworkMode+s.PID, name)
		require.False(t, s.Privileged, name)
		if name != "coturn" {
			require.Empty(t, s.CapAdd, name)
		}
		for _, v := range s.Volumes {
			require.True(t, strings.HasSuffix(v, ":ro") || !strings.HasPrefix(v, "./") && !strings.HasPrefix(v, "/"), "%s writes to the host: %s", name, v)
		}
	}
	secret := regexp.MustCompile(`\$\{[A-Z_]*(?:PASSWORD|SECRET|KEY|TOKEN)[A-Z_]*([^}]*)\}`)
	used := secret.FindAllStringSubmatch(string(raw), -1)
	require.NotEmpty(t, used)
	mends := 0
	for _, u := range used {
		require.NotContains(t, u[1], "-}", u[0])
		require.False(t, strings.HasPrefix(u[1], ":-") || strings.HasPrefix(u[1], "-"), "%s has a default", u[0])
		if strings.HasPrefix(u[1], ":?set ") {
			mends++
		}
	}
	require.Equal(t, 4, mends, "each of the four secrets says what to do where it is missing")
}

// TestUnitIsHardened: the unit restarts the server for ever, and gives it no rights, nothing to write to and limits.
func TestUnitIsHardened(t *testing.T) {
	raw, err := os.ReadFile("../../configs/systemd/liveproof.service")
	require.NoError(t, err)
	lines := strings.Split(string(raw), "\n")
	for _, want := range []string{
		"Restart=always", "StartLimitIntervalSec=0", "DynamicUser=yes", "NoNewPrivileges=yes", "CapabilityBoundingSet=", "ProtectSystem=strict",
		"ProtectHome=yes", "PrivateTmp=yes", "PrivateDevices=yes", "RestrictNamespaces=yes", "SystemCallArchitectures=native", "LimitCORE=0",
		"MemoryMax=4G", "TasksMax=1024", "ExecStart=/usr/local/bin/liveproof serve --config /etc/liveproof/liveproof.yaml",
	} {
		require.Contains(t, lines, want)
	}
	require.NotRegexp(t, `(?m)^[^#]*(SECRET|KEYS|PASSWORD)`, string(raw), "secrets come from a file of their own")
}

// TestDashboardShowsMetricsThatExist checks that the queries of Grafana and the alerts use only metrics
// of the code.
func TestDashboardShowsMetricsThatExist(t *testing.T) {
	known := metricNames(t)
	for _, path := range []string{"../../configs/grafana/dashboards/liveproof.json", "../../configs/prometheus/alerts.yml"} {
		raw, err := os.ReadFile(path)
		require.NoError(t, err)
		if strings.HasSuffix(path, ".json") {
			require.True(t, json.Valid(raw))
		}
		names := regexp.MustCompile(`\bliveproof_[a-z_]+[a-z]`).FindAllString(string(raw), -1)
		require.NotEmpty(t, names)
		for _, name := range names {
			require.Contains(t, known, strings.TrimSuffix(name, "_bucket"), path)
		}
	}
}

// metricNames asks what the rooms register.
func metricNames(t *testing.T) map[string]bool {
	reg := &recorder{Registry: prometheus.NewRegistry(), names: map[string]bool{}}
	pipeline.NewMetrics(reg)
	scorer.NewMetrics(reg)
	api, err := rtc.New(ephemeral(rtc.DefaultConfig()), slog.New(slog.DiscardHandler), reg)
	require.NoError(t, err)
	defer func() { require.NoError(t, api.Close()) }()
	_, err = ingest.New(ingest.DefaultConfig(), ingest.Deps{
		Sessions: store.NewMemory(store.DefaultConfig(), time.Now), Analyzer: struct{ ingest.Analyzer }{}, RTC: api, Dial: live.Dial(api),
		Session: live.DefaultConfig(), Metrics: reg, Dev: true,
	})
	require.NoError(t, err)
	return reg.names
}

func ephemeral(cfg rtc.Config) rtc.Config {
	cfg.UDPPort, cfg.TCPPort = 0, 0
	return cfg
}

// recorder notes the names of what is registered: a vector without children gathers nothing.
type recorder struct {
	*prometheus.Registry
	names map[string]bool
}

var fqName = regexp.MustCompile(`fqName: "([^"]+)"`)

// Register implements prometheus.Registerer.
func (r *recorder) Register(c prometheus.Collector) error {
	descs := make(chan *prometheus.Desc, 64)
	c.Describe(descs)
	close(descs)
	for d := range descs {
		r.names[fqName.FindStringSubmatch(d.String())[1]] = true
	}
	return r.Registry.Register(c)
}

// MustRegister implements prometheus.Registerer.
func (r *recorder) MustRegister(cs ...prometheus.Collector) {
	for _, c := range cs {
		if err := r.Register(c); err != nil {
			panic(err)
		}
	}
}
