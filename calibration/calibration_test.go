package calibration

import (
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/liveproof/liveproof"
)

var (
	modelSum = strings.Repeat("ab", 32)
	ours     = liveproof.ModelInfo{Name: "ours", SHA256: modelSum, Threshold: 0.5}
	theirs   = liveproof.ModelInfo{Name: "theirs", SHA256: strings.Repeat("cd", 32), Threshold: 0.7}
)

func valid() Calibration {
	i := Interval{Low: 0.55, High: 0.7, Confidence: 0.95}
	return Calibration{
		Schema: 1, Name: "bank-2026", Threshold: 0.62, Interval: i, Rule: Rule{Kind: RuleBPCER, AtMost: 0.05},
		Expected: Expected{
			BPCER: &Rate{Errors: 5, Of: 120, Interval: Interval{Low: 0.01, High: 0.09, Confidence: 0.95}},
			APCER: &Rate{Errors: 30, Of: 240, Species: "print", Interval: Interval{Low: 0.05, High: 0.2, Confidence: 0.95}},
		},
		Model: Model{Name: "ours", SHA256: modelSum},
		Evidence: Evidence{
			Scores: []Source{{File: "scores-dev.csv", SHA256: strings.Repeat("0f", 32)}}, Set: "dev", BonaFide: 120, Attacks: 480,
			Subjects: 30, Species: map[string]int{"print": 240, "screen": 240}, Detector: "retinaface",
		},
		Made: Made{At: time.Date(2026, 5, 4, 3, 2, 1, 0, time.UTC), By: "liveproof 0.2.0"},
	}
}

// write writes a calibration and returns its path.
func write(t testing.TB, c Calibration) string {
	t.Helper()
	data, err := c.Encode()
	require.NoError(t, err)
	path := filepath.Join(t.TempDir(), "calibration.json")
	require.NoError(t, os.WriteFile(path, data, 0o600))
	return path
}

func TestFileIsReadAsItWasWritten(t *testing.T) {
	for name, change := range map[string]func(*Calibration){
		"bpcer":         func(*Calibration) {},
		"eer":           func(c *Calibration) { c.Rule = Rule{Kind: RuleEER} },
		"bona fide":     func(c *Calibration) { c.Expected.APCER, c.Evidence.Species, c.Evidence.Attacks = nil, nil, 0 },
		"to the bit":    func(c *Calibration) { c.Threshold = math.Nextafter(0.62, 1) },
		"smallest":      func(c *Calibration) { c.Threshold = 5e-324 },
		"no error":      func(c *Calibration) { c.Expected.BPCER.Errors = 0 },
		"nothing right": func(c *Calibration) { c.Expected.BPCER.Errors = 120 },
	} {
		t.Run(name, func(t *testing.T) {
			want := valid()
			change(&want)
			got, err := Read(write(t, want))
			require.NoError(t, err)
			require.Regexp(t, "^[0-9a-f]{64}$", got.SHA256)
			got.SHA256 = ""
			require.Equal(t, want, got)
		})
	}
}

func TestBadCalibrationsNameTheKey(t *testing.T) {
	nan := math.NaN()
	for key, spoil := range map[string]func(*Calibration){
		"schema: 2":                        func(c *Calibration) { c.Schema = 2 },
		"name: ":                           func(c *Calibration) { c.Name = "Bank A" },
		"threshold: 0 ":                    func(c *Calibration) { c.Threshold = 0 },
		"threshold: 1 ":                    func(c *Calibration) { c.Threshold = 1 },
		"threshold: NaN":                   func(c *Calibration) { c.Threshold = nan },
		"interval.high: 0.5 ":              func(c *Calibration) { c.Interval.High = 0.5 },
		"interval.low: -":                  func(c *Calibration) { c.Interval.Low = -0.1 },
		"interval.confidence: 1 ":          func(c *Calibration) { c.Interval.Confidence = 1 },
		"rule.kind: ":                      func(c *Calibration) { c.Rule.Kind = "best" },
		"rule.at_most: 0 ":                 func(c *Calibration) { c.Rule.AtMost = 0 },
		"rule.at_most: 0.05: the rule eer": func(c *Calibration) { c.Rule.Kind = RuleEER },
		"expected.bpcer.of: 0":             func(c *Calibration) { c.Expected.BPCER.Of = 0 },
		"expected.bpcer.errors: 121":       func(c *Calibration) { c.Expected.BPCER.Errors = 121 },
		"expected.apcer.interval.high":     func(c *Calibration) { c.Expected.APCER.Interval.High = nan },
		"model.sha256: ":                   func(c *Calibration) { c.Model.SHA256 = strings.ToUpper(modelSum) },
		"model.name: ":                     func(c *Calibration) { c.Model.Name = " " },
		"evidence.scores: ":                func(c *Calibration) { c.Evidence.Scores = nil },
		"evidence.scores[0].sha256: ":      func(c *Calibration) { c.Evidence.Scores[0].SHA256 = "" },
		"evidence.subjects: 0":             func(c *Calibration) { c.Evidence.Subjects = 0 },
		"made.at: ":                        func(c *Calibration) { c.Made.At = time.Time{} },
	} {
		c := valid()
		spoil(&c)
		require.ErrorContains(t, c.Validate(), key)
		_, err := c.Encode()
		require.Error(t, err, "it is not written either")
	}
	c := valid()
	c.Threshold, c.Name = 2, ""
	err := c.Validate()
	require.ErrorContains(t, err, "threshold: 2")
	require.ErrorContains(t, err, "name: ", "all faults at once")
}

func TestFilesThatAreNoCalibration(t *testing.T) {
	good, err := valid().Encode()
	require.NoError(t, err)
	for name, data := range map[string]string{
		"empty":          "",
		"not JSON":       "threshold: 0.5\n",
		"null":           "null",
		"a number":       "0.6",
		"half":           string(good[:len(good)/2]),
		"two":            string(good) + string(good),
		"unknown member": strings.Replace(string(good), `"name"`, `"comment": "x", "name"`, 1),
		"no model":       strings.Replace(string(good), modelSum, "", 1),
		"too large":      string(good) + strings.Repeat(" ", maxFile),
		"NaN":            strings.Replace(string(good), "0.62", "NaN", 1),
		"beyond floats":  strings.Replace(string(good), "0.62", "1e999", 1),
	} {
		c, err := Parse([]byte(data))
		require.Error(t, err, name)
		require.Equal(t, Calibration{}, c, name)
	}
}

// FuzzParse: no content panics, and what is accepted is a calibration that is written and read again unchanged.
func FuzzParse(f *testing.F) {
	good, err := valid().Encode()
	require.NoError(f, err)
	f.Add(good)
	f.Add([]byte(`{"schema":1,"threshold":1e-400}`))
	f.Add([]byte(strings.Replace(string(good), `"bpcer"`, `"eer"`, 1)))
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := Parse(data)
		if err != nil {
			require.Equal(t, Calibration{}, c)
			return
		}
		require.True(t, c.Threshold > 0 && c.Threshold < 1)
		judged, err := Rules{Default: &c}.For(liveproof.Session{}, liveproof.ModelInfo{SHA256: c.Model.SHA256})
		require.NoError(t, err)
		require.True(t, judged.Valid(), "%+v", judged)
		again, err := c.Encode()
		require.NoError(t, err)
		back, err := Parse(again)
		require.NoError(t, err)
		one, err := json.Marshal(c)
		require.NoError(t, err)
		other, err := json.Marshal(back)
		require.NoError(t, err)
		require.JSONEq(t, string(one), string(other))
	})
}
