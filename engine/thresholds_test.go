package engine_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/liveproof/liveproof"
	"github.com/liveproof/liveproof/calibration"
	"github.com/liveproof/liveproof/engine"
	"github.com/liveproof/liveproof/store"
)

func sum(data []byte) string {
	s := sha256.Sum256(data)
	return hex.EncodeToString(s[:])
}

// writeCalibration writes a calibration for the model's content.
func writeCalibration(t *testing.T, path, name string, theta float64, model []byte) {
	t.Helper()
	i := calibration.Interval{Low: 0, High: 1, Confidence: 0.95}
	data, err := calibration.Calibration{
		Schema: calibration.Schema, Name: name, Threshold: theta, Interval: i, Rule: calibration.Rule{Kind: calibration.RuleEER},
		Model:    calibration.Model{Name: "tiny", SHA256: sum(model)},
		Evidence: calibration.Evidence{Scores: []calibration.Source{{File: "scores-dev.csv", SHA256: sum(nil)}}, BonaFide: 1, Attacks: 1, Subjects: 2},
		Made:     calibration.Made{At: time.Unix(1_700_000_000, 0).UTC(), By: "test"},
	}.Encode()
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(path, data, 0o600))
}

// models are two that differ in their thresholds: 0.5 and 0.7.
func models(t *testing.T) (one, other []byte) {
	t.Helper()
	one, err := os.ReadFile("../scorer/testdata/tiny.onnx")
	require.NoError(t, err)
	other = bytes.Replace(one, []byte("\x080.500000"), []byte("\x080.700000"), 1)
	require.NotEqual(t, one, other, "tiny.onnx has changed")
	return one, other
}

func TestCalibrationOfAnotherModelIsRefusedAtStart(t *testing.T) {
	_, other := models(t)
	for key, set := range map[string]func(c *calibration.Config, path string){
		"calibration.default":       func(c *calibration.Config, path string) { c.Default = path },
		"calibration.tenants.bank":  func(c *calibration.Config, path string) { c.Tenants = map[string]string{"bank": path} },
		"calibration.requests.high": func(c *calibration.Config, path string) { c.Requests = map[string]string{"high": path} },
	} {
		path := filepath.Join(t.TempDir(), "c.json")
		writeCalibration(t, path, "theirs", 0.3, other)
		cfg := tiny()
		set(&cfg.Calibration, path)
		needRuntime(t, cfg)
		_, err := engine.Open(t.Context(), cfg, engine.Deps{})
		require.ErrorIs(t, err, engine.ErrConfig)
		require.ErrorIs(t, err, calibration.ErrOtherModel)
		require.ErrorContains(t, err, key+": ")
	}
	cfg := tiny()
	cfg.Calibration.Default, cfg.Verdict.Threshold = filepath.Join(t.TempDir(), "missing.json"), 0.5
	_, err := engine.Open(t.Context(), cfg, engine.Deps{})
	require.ErrorIs(t, err, engine.ErrConfig)
	require.ErrorContains(t, err, "calibration.default: open ")
}

// TestReloadChangesModelAndCalibrationTogether: or neither.
func TestReloadChangesModelAndCalibrationTogether(t *testing.T) {
	one, other := models(t)
	dir := t.TempDir()
	model, path := filepath.Join(dir, "model.onnx"), filepath.Join(dir, "c.json")
	require.NoError(t, os.WriteFile(model, one, 0o600))
	writeCalibration(t, path, "first", 0.3, one)
	cfg := tiny()
	cfg.Scorer.Model, cfg.Calibration.Default = model, path
	e := open(t, cfg)
	judges := func(name string, theta float64, by []byte) {
		t.Helper()
		got, err := e.Threshold(liveproof.Session{})
		require.NoError(t, err)
		data, err := os.ReadFile(path)
		require.NoError(t, err)
		want := liveproof.Threshold{Value: theta, Source: liveproof.ThresholdOfConfiguration, Calibration: name, CalibrationSHA256: sum(data)}
		if name == "first" {
			want.CalibrationSHA256 = got.CalibrationSHA256 // of the file as it was at the start
		}
		require.Equal(t, want, got)
		require.Equal(t, sum(by), e.Model().SHA256)
	}
	judges("first", 0.3, one)

	require.NoError(t, os.WriteFile(model, other, 0o600))
	require.ErrorIs(t, e.Reload(t.Context()), calibration.ErrOtherModel)
	judges("first", 0.3, one)

	writeCalibration(t, path, "second", 0.6, other)
	require.NoError(t, os.WriteFile(model, other[:len(other)/2], 0o600))
	require.Error(t, e.Reload(t.Context()))
	judges("first", 0.3, one)

	require.NoError(t, os.WriteFile(model, other, 0o600))
	require.NoError(t, e.Reload(t.Context()))
	judges("second", 0.6, other)

	require.NoError(t, os.Remove(path))
	require.ErrorContains(t, e.Reload(t.Context()), "calibration.default: open ")
	got, err := e.Threshold(liveproof.Session{})
	require.NoError(t, err)
	require.Equal(t, "second", got.Calibration)
}

// TestUnknownCalibrationIsNotJudged: a server whose configuration lacks the name ends the session without a verdict.
func TestUnknownCalibrationIsNotJudged(t *testing.T) {
	e := open(t, tiny())
	require.Empty(t, e.Calibrations())
	db := store.NewMemory(store.DefaultConfig(), time.Now)
	made := claimed(t, db)
	made.Calibration = "high_value"
	var logged error
	endings := []liveproof.Ending{}
	logged = e.Live(db).Analyze(t.Context(), made, ended{}, func(ev liveproof.Event) { endings = append(endings, *ev.Ended) })
	require.ErrorIs(t, logged, calibration.ErrUnknown)
	require.Equal(t, []liveproof.Ending{liveproof.Unjudged(liveproof.ReasonInternalError)}, endings)
	got, err := db.Get(t.Context(), made.ID)
	require.NoError(t, err)
	require.Equal(t, liveproof.StateConnecting, got.State)
}

// TestSessionIsJudgedByItsThreshold: the record has the calibration of the session's tenant, and a file that of the configuration.
func TestSessionIsJudgedByItsThreshold(t *testing.T) {
	one, _ := models(t)
	path := filepath.Join(t.TempDir(), "c.json")
	writeCalibration(t, path, "bank", 0.3, one)
	cfg := tiny()
	cfg.Calibration.Tenants, cfg.Verdict.Threshold = map[string]string{"bank": path}, 0.4
	e := open(t, cfg)
	db := store.NewMemory(store.DefaultConfig(), time.Now)
	made := claimed(t, db)
	made.Tenant = "bank"
	require.Len(t, analyze(t, e.Live(db), made, ended{}), 1)
	got, err := db.Get(t.Context(), made.ID)
	require.NoError(t, err)
	require.Equal(t, liveproof.ThresholdOfTenant, got.Threshold.Source)
	require.InDelta(t, 0.3, got.Threshold.Value, 0)
	require.True(t, strings.HasPrefix(got.Threshold.Calibration, "bank"))
	require.InDelta(t, 0.5, got.Model.Threshold, 0, "the model's own is still told")
}
