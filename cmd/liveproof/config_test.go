package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/liveproof/liveproof/configs"
	"github.com/liveproof/liveproof/detector"
	"github.com/liveproof/liveproof/ingest"
	"github.com/liveproof/liveproof/ingest/live"
	"github.com/liveproof/liveproof/models"
)

func TestConfigIsStrict(t *testing.T) {
	for name, c := range map[string]struct{ text, complaint string }{
		"unknown section":    {"ingst: {}\n", "field ingst not found"},
		"unknown key":        {"webrtc: {udp_prt: 1}\n", "field udp_prt not found"},
		"wrong type":         {"pipeline: {sample_rate: fast}\n", "cannot unmarshal"},
		"repeated key":       {"log: {format: json}\nlog: {format: text}\n", "already defined"},
		"bad range":          {"pipeline: {sample_rate: 0}\n", "pipeline.sample_rate: 0 is out of range"},
		"NaN":                {"pipeline: {sample_rate: .nan}\n", "pipeline.sample_rate: NaN is out of range"},
		"bad port":           {"webrtc: {udp_port: 70000}\n", "webrtc.udp_port: 70000"},
		"weak secret":        {"ingest: {token_secret: short}\n", "ingest.token_secret: "},
		"log format":         {"log: {format: xml}\n", "log.format: "},
		"log level":          {"log: {level: loud}\n", "unknown name"},
		"profiler exposed":   {"ops: {listen: \"0.0.0.0:9464\", profiles: true}\n", "ops.profiles: "},
		"console nowhere":    {"ops: {listen: \"\", console: true}\n", "ops.console: "},
		"profiler nowhere":   {"ops: {listen: \"\", profiles: true}\n", "ops.profiles: "},
		"metrics nowhere":    {"ops: {listen: \"9464\"}\n", "ops.listen: "},
		"candidates":         {"webrtc: {allow_candidates: [10.0.0.0/8]}\n", "webrtc.allow_candidates: "},
		"hosts":              {"ingest: {hosts: [\"https://a.example\"]}\n", "ingest.hosts: "},
		"listen":             {"ingest: {listen: \"8080\"}\n", "ingest.listen: "},
		"deadline too short": {"session: {deadline: 2s}\n", "session.deadline: 2s is less than"},
		"record too short":   {"session: {record_ttl: 1h}\n", "session.record_ttl: 1h0m0s does not outlast"},
		"two keys, one name": {"ingest: {api_keys: [0123456789abcdef, 123456789abcdef0]}\n", "2 keys have no name"},
		"two documents":      {"log: {}\n---\nlog: {}\n", "more than one YAML document"},
		"sessions in words":  {"session: {max_sessions: many}\n", `"many" is neither auto nor a whole number from 1 to 100000`},
		"half a session":     {"session: {max_sessions: 1.5}\n", `"1.5" is neither auto nor a whole number`},
		"no session":         {"session: {max_sessions: 0}\n", "session.max_sessions: 0 is neither auto nor a whole number"},
		"not YAML":           {"\t{", "yaml"},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "liveproof.yaml")
			require.NoError(t, os.WriteFile(path, []byte(c.text), 0o600))
			_, err := loadConfig(path, nil)
			require.ErrorContains(t, err, c.complaint)
		})
	}
}

func TestMaxSessions(t *testing.T) {
	require.Equal(t, live.Auto, DefaultConfig().Session.MaxSessions)
	for text, want := range map[string]live.Limit{"auto": live.Auto, "200": 200, `"200"`: 200} {
		path := filepath.Join(t.TempDir(), "liveproof.yaml")
		require.NoError(t, os.WriteFile(path, []byte("session: {max_sessions: "+text+"}\n"), 0o600))
		cfg, err := loadConfig(path, nil)
		require.NoError(t, err, text)
		require.Equal(t, want, cfg.Session.MaxSessions)
	}
	for text, want := range map[string]live.Limit{"auto": live.Auto, "7": 7} {
		cfg, err := loadConfig("", []string{"LIVEPROOF_SESSION_MAX_SESSIONS=" + text})
		require.NoError(t, err, text)
		require.Equal(t, want, cfg.Session.MaxSessions)
	}
	_, err := loadConfig("", []string{"LIVEPROOF_SESSION_MAX_SESSIONS=lots"})
	require.ErrorContains(t, err, `LIVEPROOF_SESSION_MAX_SESSIONS: max_sessions: "lots" is neither auto nor a whole number from 1 to 100000`)
}

func TestMissingFileIsNamed(t *testing.T) {
	_, err := loadConfig("no/such/liveproof.yaml", nil)
	require.ErrorContains(t, err, "no/such/liveproof.yaml")
	require.Equal(t, exitUsage, run(t.Context(), []string{"serve", "--config", "no/such/liveproof.yaml"}))
}

func TestServerWithFileNeedsSecrets(t *testing.T) {
	path := filepath.Join(t.TempDir(), "liveproof.yaml")
	require.NoError(t, os.WriteFile(path, []byte("log: {level: error}\n"), 0o600))
	require.NotEqual(t, exitOK, run(t.Context(), []string{"serve", "--config", path, "--listen", "127.0.0.1:0"}))
}

func TestEnvironment(t *testing.T) {
	cfg, err := loadConfig("", []string{
		"LIVEPROOF_WEBRTC_UDP_PORT=9000",
		"LIVEPROOF_WEBRTC_STUN_URLS=stun:a.example:3478, stun:b.example:3478",
		"LIVEPROOF_INGEST_API_KEYS=0123456789abcdef, bank-a:123456789abcdef0",
		"LIVEPROOF_INGEST_RATE_PER_IP_BURST=7",
		"LIVEPROOF_SESSION_DEADLINE=20s",
		"LIVEPROOF_STORE_REDIS=redis://localhost:6379/0",
		"LIVEPROOF_LOG_LEVEL=debug",
		"LIVEPROOF_MODELS=/a:/b", // another component's: not of the form SECTION_KEY
		"LIVEPROOF_URL=http://localhost:8080",
		"LIVEPROOF_API_KEY=0123456789abcdef",
		"HOME=/root",
	})
	require.NoError(t, err)
	require.Equal(t, 9000, cfg.WebRTC.UDPPort)
	require.Equal(t, []string{"stun:a.example:3478", "stun:b.example:3478"}, cfg.WebRTC.STUNURLs)
	require.Equal(t, []ingest.APIKey{{Key: "0123456789abcdef"}, {Tenant: "bank-a", Key: "123456789abcdef0"}}, cfg.Ingest.APIKeys)
	require.Equal(t, 7, cfg.Ingest.RatePerIP.Burst)
	require.Equal(t, 20*time.Second, cfg.Session.Deadline)
	require.Equal(t, 20*time.Second, cfg.engine().Verdict.Deadline, "one key, for the server and for replay")
	require.Equal(t, "redis://localhost:6379/0", cfg.Store.Redis)
	require.Equal(t, "DEBUG", cfg.Log.Level.String())

	_, err = loadConfig("", []string{"LIVEPROOF_WEBRTC_UDP_PRT=9000"})
	require.ErrorContains(t, err, `LIVEPROOF_WEBRTC_UDP_PRT: unknown key "udp_prt"`)
	for _, misspelt := range []string{"LIVEPROOF_WEBRT_UDP_PORT=1", "LIVEPROOF_REDIS_URL=x"} {
		_, err = loadConfig("", []string{misspelt})
		require.ErrorContains(t, err, "no such section")
	}
	_, err = loadConfig("", []string{"LIVEPROOF_SERVICE_HOST=10.0.0.1", "LIVEPROOF_PORT_8080_TCP=x"})
	require.NoError(t, err, "Kubernetes sets these")
	_, err = loadConfig("", []string{detectorAddress(t) + "=https://models.example/face.onnx"})
	require.NoError(t, err, "the model catalogue names this one")
	_, err = loadConfig("", []string{"LIVEPROOF_WEBRTC_UDP_PORT=many", "LIVEPROOF_STORE_RETRIES=few"})
	require.ErrorContains(t, err, "LIVEPROOF_WEBRTC_UDP_PORT: ")
	require.ErrorContains(t, err, "LIVEPROOF_STORE_RETRIES: ", "all faults at once")
}

// detectorAddress is the variable that gives the address of the detector's model file.
func detectorAddress(t *testing.T) string {
	t.Helper()
	catalog, err := models.New(models.DefaultConfig(), configs.Models(), models.Places{})
	require.NoError(t, err)
	entry, err := catalog.Lookup(detector.Model())
	require.NoError(t, err)
	require.NotEmpty(t, entry.URLEnv)
	return entry.URLEnv
}

// TestOldKeysAreRefusedWithTheirNewNames, in the file and in the environment.
func TestOldKeysAreRefusedWithTheirNewNames(t *testing.T) {
	known := map[string]bool{}
	for section, v := range DefaultConfig().sections() {
		for i := range v.NumField() {
			tag, _, _ := strings.Cut(v.Type().Field(i).Tag.Get("yaml"), ",")
			known[section+"."+tag] = true
		}
	}
	for old, now := range renamed {
		require.True(t, known[now], "%s is a key", now)
		require.False(t, known[old], "%s is no key any more", old)
		section, key, _ := strings.Cut(old, ".")
		err := parseConfig([]byte(section+": {"+key+": 10s}\n"), new(Config))
		require.EqualError(t, err, old+": this key is now "+now)
		_, err = loadConfig("", []string{variable(old) + "=10s"})
		require.ErrorContains(t, err, "this key is now "+variable(now))
	}
	_, err := loadConfig("", []string{"LIVEPROOF_INGEST_RATE_PER_KEY_BURST=7"})
	require.ErrorContains(t, err, "this key is now LIVEPROOF_INGEST_RATE_PER_TENANT_BURST")
	err = parseConfig([]byte("ingest: {deadline: 10s, max_call: 1h}\nwebrtc: {idle_timeout: 1s}\n"), new(Config))
	for _, now := range []string{"session.deadline", "session.max_call", "session.idle_timeout"} {
		require.ErrorContains(t, err, now, "all at once")
	}
}

// TestEveryFaultAtOnce: one start reports every fault of the configuration.
func TestEveryFaultAtOnce(t *testing.T) {
	_, err := loadConfig("", []string{
		"LIVEPROOF_PIPELINE_QUEUE_SIZE=0", "LIVEPROOF_PIPELINE_IN_FLIGHT=0", "LIVEPROOF_STORE_RETRIES=99",
		"LIVEPROOF_SESSION_MAX_SESSIONS=0", "LIVEPROOF_SCORER_MAX_BATCH=0",
	})
	for _, key := range []string{"pipeline.queue_size", "pipeline.in_flight", "store.retries", "session.max_sessions", "scorer.max_batch"} {
		require.ErrorContains(t, err, key+": ")
	}
}

func TestListsInTheEnvironmentMayBeEmpty(t *testing.T) {
	cfg, err := loadConfig("", []string{"LIVEPROOF_WEBRTC_STUN_URLS="})
	require.NoError(t, err)
	require.Empty(t, cfg.WebRTC.STUNURLs)
}

func FuzzConfig(f *testing.F) {
	shipped, err := os.ReadFile(shippedConfig)
	require.NoError(f, err)
	f.Add(string(shipped))
	f.Add("a: &a [*a]\n")
	f.Fuzz(func(t *testing.T, text string) {
		cfg := DefaultConfig()
		if parseConfig([]byte(text), &cfg) == nil {
			_ = cfg.Validate()
		}
	})
}
