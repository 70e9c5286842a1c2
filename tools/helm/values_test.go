package helm

import (
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	core "k8s.io/api/core/v1"
	strict "sigs.k8s.io/yaml"
)

// configured is the server's configuration of a release.
func configured(t *testing.T, all objects) map[string]any {
	t.Helper()
	var config map[string]any
	require.NoError(t, strict.Unmarshal([]byte(get[*core.ConfigMap](t, all, "liveproof-config").Data["liveproof.yaml"]), &config))
	return config
}

func sessionDrain(t *testing.T, all objects) int64 {
	t.Helper()
	text := configured(t, all)["session"].(map[string]any)["drain_timeout"].(string)
	seconds, err := strconv.ParseInt(strings.TrimSuffix(text, "s"), 10, 64)
	require.NoError(t, err)
	return seconds
}

// TestWrongValuesAreRefused: with a message that names the value.
func TestWrongValuesAreRefused(t *testing.T) {
	for values, want := range map[string]string{
		"media: {network: host}":                 "media.network",
		"media: {replicas: 0}":                   "media.replicas",
		"media: {drainSeconds: 3600}":            "media.drainSeconds",
		"media: {domain: 'https://example.org'}": "media.domain",
		"media: {ports: {https: 70000}}":         "media.ports.https",
		"media: {replica: 3}":                    "replica",
		"scorer: {backend: triton}":              "scorer.backend",
		"scorer: {target: scorer}":               "scorer.target",
		"autoscaling: {kind: vpa}":               "autoscaling.kind",
		"secret: ''":                             "secret",
		"networkPolicy: {redis: []}":             "networkPolicy.redis",
		"deletionCost: {every: often}":           "deletionCost.every",
		"monitoring: {enabled: true}":            "monitoring",
	} {
		_, err := render(t, values)
		require.Error(t, err, values)
		require.Contains(t, strings.ReplaceAll(err.Error(), "/", "."), want, values)
	}
}

// TestConfiguration: the user's keys stay, the chart's own win, lists are joined, and all pods sign as one service.
func TestConfiguration(t *testing.T) {
	config := configured(t, decoded(t, `config: {ingest: {listen: ":1", hosts: [live.internal], trusted_proxies: [10.0.0.0/8]}, session: {deadline: 20s}}`))
	ingest := config["ingest"].(map[string]any)
	require.Equal(t, ":8443", ingest["listen"])
	require.ElementsMatch(t, []any{"liveness.example.org", "liveproof-api", "liveproof-api.live", "liveproof-api.live.svc", "live.internal"}, ingest["hosts"])
	require.Equal(t, []any{"10.0.0.0/8"}, ingest["trusted_proxies"])
	require.Equal(t, "20s", config["session"].(map[string]any)["deadline"])
	require.Equal(t, "json", config["log"].(map[string]any)["format"])
	require.Equal(t, "https://liveness.example.org", config["results"].(map[string]any)["issuer"], "ingest.public_url differs from pod to pod")
	own := configured(t, decoded(t, "config: {results: {issuer: 'https://bank.example'}}"))
	require.Equal(t, "https://bank.example", own["results"].(map[string]any)["issuer"])
}

// TestSecretsAreRequired where the configuration needs them.
func TestSecretsAreRequired(t *testing.T) {
	optional := func(values, name string) bool {
		ref := variable(t, server(t, decoded(t, values).templates()["liveproof-media"]), name).ValueFrom.SecretKeyRef
		return ref.Optional != nil && *ref.Optional
	}
	require.False(t, optional("", "LIVEPROOF_INGEST_API_KEYS"))
	require.False(t, optional("", "LIVEPROOF_STORE_REDIS"))
	require.True(t, optional("", "LIVEPROOF_WEBRTC_TURN_SECRET"))
	require.False(t, optional("config: {webrtc: {turn_urls: ['turn:192.0.2.1:3478']}}", "LIVEPROOF_WEBRTC_TURN_SECRET"))
	require.True(t, optional("", "LIVEPROOF_WEBHOOKS_SECRETS"))
	require.False(t, optional("config: {webhooks: {urls: {bank-a: 'https://bank.example/hook'}}}", "LIVEPROOF_WEBHOOKS_SECRETS"))
}

// TestNotes: what the user is told after an install names the addresses that must exist.
func TestNotes(t *testing.T) {
	for values, want := range map[string]string{
		"":                              "https://NODE.media.example.org:8443. Both",
		"media: {network: stunner}":     "https://POD.media.example.org. Both",
		"media: {ports: {public: 443}}": "https://NODE.media.example.org. Both",
	} {
		files, err := render(t, values)
		require.NoError(t, err)
		require.Contains(t, files["liveproof/templates/NOTES.txt"], want)
	}
}
