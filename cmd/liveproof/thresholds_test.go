package main

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"github.com/liveproof/liveproof"
	"github.com/liveproof/liveproof/calibration"
	"github.com/liveproof/liveproof/internal/redistest"
	"github.com/liveproof/liveproof/publish"
)

func sumOf(data []byte) string {
	s := sha256.Sum256(data)
	return hex.EncodeToString(s[:])
}

// writeCalibration writes a calibration of the model's content and returns the hash of the file.
func writeCalibration(t *testing.T, path, name string, theta float64, model []byte) (sum string) {
	t.Helper()
	data, err := calibration.Calibration{
		Schema: calibration.Schema, Name: name, Threshold: theta, Rule: calibration.Rule{Kind: calibration.RuleEER},
		Interval: calibration.Interval{Low: 0, High: 1, Confidence: 0.95}, Model: calibration.Model{Name: "tiny", SHA256: sumOf(model)},
		Evidence: calibration.Evidence{Scores: []calibration.Source{{File: "scores-dev.csv", SHA256: sumOf(nil)}}, BonaFide: 1, Attacks: 1, Subjects: 2},
		Made:     calibration.Made{At: time.Unix(1_700_000_000, 0).UTC(), By: "test"},
	}.Encode()
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(path, data, 0o600))
	return sumOf(data)
}

// calibratedServer is a server with tenants, of which bank-a has a calibration, and a calibration that requests may ask for.
// Its thresholds are far from every score, so that they alone decide.
type calibratedServer struct {
	*server
	redis              *redis.Client
	dir                string
	model              []byte
	ofTenant, ofStrict string // hashes
}

const (
	keyA, keyB = "0123456789abcdef-of-a", "0123456789abcdef-of-b"
	lax, high  = 0.002, 0.998
)

func startCalibrated(t *testing.T, more string) calibratedServer {
	t.Helper()
	dir := t.TempDir()
	model, _ := tinyModels(t)
	c := calibratedServer{
		dir: dir, model: model,
		ofTenant: writeCalibration(t, filepath.Join(dir, "a.json"), "of-bank-a", lax, model),
		ofStrict: writeCalibration(t, filepath.Join(dir, "strict.json"), "strict-2026", high, model),
	}
	path := filepath.Join(dir, "model.onnx")
	require.NoError(t, os.WriteFile(path, model, 0o600))
	db := redistest.Start(t)
	config := fmt.Sprintf(`
ingest: {api_keys: ["bank-a:%s", "bank-b:%s"], token_secret: %s}
scorer: {model: %s}
calibration: {tenants: {bank-a: %s/a.json}, requests: {high_value: %s/strict.json}}
`, keyA, keyB, strings.Repeat("s", 32), path, dir, dir)
	file := filepath.Join(dir, "liveproof.yaml")
	require.NoError(t, os.WriteFile(file, []byte(config+more), 0o600))
	c.server = startServer(t, "--config", file, "--redis", db.URL())
	opt, err := redis.ParseURL(db.URL())
	require.NoError(t, err)
	c.redis = redis.NewClient(opt)
	t.Cleanup(func() { require.NoError(t, c.redis.Close()) })
	return c
}

// judged is a session as the API and as Redis have it.
type judgedSession struct {
	State       string               `json:"state"`
	Verdict     string               `json:"verdict"`
	Calibration string               `json:"calibration"`
	Threshold   *liveproof.Threshold `json:"threshold"`
	stored      map[string]string
	event       map[string]any // the last
}

// judge runs a call with the tenant's key until its verdict is one or the other.
func (c calibratedServer) judge(t *testing.T, clip *publish.Clip, key, body, want string) (v judgedSession) {
	t.Helper()
	c.key = key
	made := c.create(body)
	leave := c.publish(made, clip)
	c.await(made.ID, want, func(v sessionView) bool { return v.Verdict == want })
	leave()
	c.await(made.ID, "a terminal state", sessionView.terminal)
	require.Equal(t, http.StatusOK, c.api(http.MethodGet, "/v1/sessions/"+made.ID, "", &v))
	var err error
	v.stored, err = c.redis.HGetAll(t.Context(), "liveproof:{"+made.ID+"}:session").Result()
	require.NoError(t, err)
	events, err := c.redis.XRevRangeN(t.Context(), "liveproof:events", "+", "-", 1).Result()
	require.NoError(t, err)
	v.event = events[0].Values
	return v
}

func (v judgedSession) is(t *testing.T, want liveproof.Threshold) {
	t.Helper()
	require.Equal(t, &want, v.Threshold)
	fields := map[string]string{
		"threshold": fmt.Sprint(want.Value), "threshold_source": string(want.Source),
		"threshold_calibration": want.Calibration, "threshold_sha256": want.CalibrationSHA256,
	}
	for field, value := range fields {
		require.Equal(t, value, v.stored[field], field)
		if value != "" {
			require.Equal(t, value, v.event[field], field)
		}
	}
	require.Equal(t, v.Verdict, v.event["verdict"])
}

// TestThresholdPrecedence: request before tenant before configuration before model, and each verdict says which judged it.
func TestThresholdPrecedence(t *testing.T) {
	clip := person(t, "person_A_640x480.mjpeg", "12")
	c := startCalibrated(t, "verdict: {threshold: 0.998, margin: 0.001, hysteresis: 0.001}\n")
	asked := liveproof.Threshold{Value: high, Source: liveproof.ThresholdOfRequest, Calibration: "strict-2026", CalibrationSHA256: c.ofStrict}
	for _, x := range []struct {
		name, key, body, verdict string
		by                       liveproof.Threshold
	}{
		{"tenant", keyA, `{"mode":"call"}`, "live", liveproof.Threshold{Value: lax, Source: liveproof.ThresholdOfTenant, Calibration: "of-bank-a", CalibrationSHA256: c.ofTenant}},
		{"request before tenant", keyA, `{"mode":"call","calibration":"high_value"}`, "spoof", asked},
		{"request before configuration", keyB, `{"mode":"call","calibration":"high_value"}`, "spoof", asked},
		{"configuration", keyB, `{"mode":"call"}`, "spoof", liveproof.Threshold{Value: 0.998, Source: liveproof.ThresholdOfConfiguration}},
	} {
		t.Run(x.name, func(t *testing.T) {
			c.t = t
			c.judge(t, clip, x.key, x.body, x.verdict).is(t, x.by)
		})
	}
	c.t = t
	require.Equal(t, http.StatusBadRequest, c.api(http.MethodPost, "/v1/sessions", `{"calibration":"of-bank-a"}`, nil), "a name of the configuration's requests only")
}

// TestModelsOwnThreshold: without any calibration the model's metadata judges, as before.
func TestModelsOwnThreshold(t *testing.T) {
	model, _ := tinyModels(t)
	path := filepath.Join(t.TempDir(), "model.onnx")
	require.NoError(t, os.WriteFile(path, model, 0o600))
	t.Setenv("LIVEPROOF_SCORER_MODEL", path)
	s := startServer(t)
	made := s.create(`{"mode":"call"}`)
	s.publish(made, nobody(t, "8"))
	s.await(made.ID, "media", func(v sessionView) bool { return v.State == "streaming" })
	var v judgedSession
	require.Equal(t, http.StatusOK, s.api(http.MethodGet, "/v1/sessions/"+made.ID, "", &v))
	require.Equal(t, &liveproof.Threshold{Value: 0.5, Source: liveproof.ThresholdOfModel}, v.Threshold)
}

// TestReloadReadsCalibrations: SIGHUP changes the thresholds of new sessions, and refuses a calibration of another model.
func TestReloadReadsCalibrations(t *testing.T) {
	clip := nobody(t, "8")
	c := startCalibrated(t, "")
	reload := func(text string) {
		t.Helper()
		require.NoError(t, syscall.Kill(os.Getpid(), syscall.SIGHUP))
		require.Eventually(t, func() bool { return strings.Contains(strings.Join(c.log.lines(text), ""), text) }, 30*time.Second, 20*time.Millisecond, text)
	}
	threshold := func() *liveproof.Threshold {
		t.Helper()
		c.key = keyA
		made := c.create(`{"mode":"call"}`)
		leave := c.publish(made, clip)
		defer leave()
		c.await(made.ID, "media", func(v sessionView) bool { return v.State == "streaming" })
		var v judgedSession
		require.Equal(t, http.StatusOK, c.api(http.MethodGet, "/v1/sessions/"+made.ID, "", &v))
		return v.Threshold
	}
	_, other := tinyModels(t)
	writeCalibration(t, filepath.Join(c.dir, "a.json"), "of-another-model", 0.9, other)
	reload("calibration.tenants.bank-a: calibration of another model: of-another-model was made for tiny")
	require.Equal(t, "of-bank-a", threshold().Calibration)

	sum := writeCalibration(t, filepath.Join(c.dir, "a.json"), "of-bank-a-2", 0.25, c.model)
	reload("model and calibrations were read again")
	require.Equal(t, &liveproof.Threshold{Value: 0.25, Source: liveproof.ThresholdOfTenant, Calibration: "of-bank-a-2", CalibrationSHA256: sum}, threshold())
}

func TestCalibrationOfAnotherModelStopsTheStart(t *testing.T) {
	needRuntime(t)
	_, other := tinyModels(t)
	path := filepath.Join(t.TempDir(), "c.json")
	writeCalibration(t, path, "theirs", 0.3, other)
	t.Setenv("LIVEPROOF_SCORER_MODEL", "../../scorer/testdata/tiny.onnx")
	t.Setenv("LIVEPROOF_CALIBRATION_DEFAULT", path)
	root := newRootCommand()
	root.SetArgs([]string{"serve", "--listen", "127.0.0.1:0", "--udp-port", "0"})
	root.SetOut(io.Discard)
	err := root.ExecuteContext(t.Context())
	require.ErrorContains(t, err, "calibration.default: calibration of another model: theirs was made for tiny")
	require.Equal(t, exitUsage, exitCode(err))
}

func TestCalibrationKeys(t *testing.T) {
	model, _ := tinyModels(t)
	dir := t.TempDir()
	good := filepath.Join(dir, "good.json")
	writeCalibration(t, good, "good", 0.3, model)
	broken := filepath.Join(dir, "broken.json")
	require.NoError(t, os.WriteFile(broken, []byte(`{"threshold": 0.5}`), 0o600))
	config := filepath.Join(dir, "liveproof.yaml")
	text := fmt.Sprintf(`
ingest: {api_keys: ["bank-a:0123456789abcdef"]}
verdict: {threshold: 0.5, margin: 0.7}
calibration: {default: %s, tenants: {bnak-a: %s, bank-a: %s}, requests: {"High": %s, gone: %s/gone.json}}
`, good, good, broken, good, dir)
	require.NoError(t, os.WriteFile(config, []byte(text), 0o600))
	_, err := loadConfig(config, nil)
	for _, want := range []string{
		"calibration.default: verdict.threshold is set too", `calibration.tenants: "bnak-a" has no key in ingest.api_keys; there are keys of bank-a`,
		"calibration.tenants.bank-a: " + broken + ": schema: 0", "calibration.tenants.bank-a: " + broken + ": name: ", `calibration.requests: the name "High"`,
		"calibration.requests.gone: open ", "verdict.margin: 0.7",
	} {
		require.ErrorContains(t, err, want, "every fault at once")
	}
	cfg, err := loadConfig("", []string{"LIVEPROOF_CALIBRATION_DEFAULT=" + good, "LIVEPROOF_CALIBRATION_REQUESTS={high: " + good + "}"})
	require.NoError(t, err)
	require.Equal(t, calibration.Config{Default: good, Requests: map[string]string{"high": good}}, cfg.Calibration)
}
