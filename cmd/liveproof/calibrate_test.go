package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/liveproof/liveproof/calibration"
)

// calibrateCLI runs the command and returns what it prints.
func calibrateCLI(args ...string) (out, warnings string, err error) {
	var o, e bytes.Buffer
	root := newRootCommand()
	root.SetArgs(append([]string{"calibrate"}, args...))
	root.SetOut(&o)
	root.SetErr(&e)
	err = root.Execute()
	return o.String(), e.String(), err
}

// evaluated writes the folder of an evaluation: 40 people, each with a bona fide video and an attack, in both sets.
func evaluated(t *testing.T, files ...string) (dir string) {
	t.Helper()
	dir = t.TempDir()
	for _, file := range files {
		var b strings.Builder
		b.WriteString("claimed_id,test_label,is_bonafide,attack_type,score,acquired\n")
		for i := range 40 {
			fmt.Fprintf(&b, "p%d,%d-live.mp4,True,,%.2f,True\n", i, i, 0.50+0.01*float64(i))
			fmt.Fprintf(&b, "p%d,%d-print.mp4,False,print,%.2f,True\n", i, i, 0.12+0.01*float64(i))
		}
		require.NoError(t, os.WriteFile(filepath.Join(dir, file), []byte(b.String()), 0o600))
	}
	about := `{"format":"liveproof.evaluation/1","about":{"version":"0.2.0","model":{"name":"tiny","sha256":"` + strings.Repeat("ab", 32) +
		`","threshold":0.5,"demo":true,"provider":"openvino","precision":"bf16"},"detector":"retinaface","config_sha256":"cafe"},"folds":[]}`
	require.NoError(t, os.WriteFile(filepath.Join(dir, "report.json"), []byte(about), 0o600))
	return dir
}

// TestCalibrate: what is written is what serve reads, with the evidence of the files.
func TestCalibrate(t *testing.T) {
	dir := evaluated(t, "scores-dev.csv", "scores-eval.csv")
	scores, path := filepath.Join(dir, "scores-dev.csv"), filepath.Join(dir, "Bank A.2026.json")
	out, warnings, err := calibrateCLI("--scores", scores, "--bpcer", "0.1", "--out", path)
	require.NoError(t, err)
	require.Empty(t, warnings)
	for _, want := range []string{
		"threshold 0.5400 (95 % interval ", "by the rule bpcer 0.1: the highest that rejects at most 10 % of the bona fide",
		"chosen on 40 bona fide and 40 attacks (print 40) of 40 subjects, set dev; model tiny, sha256 abababababab…",
		"BPCER   10.0 %  (4 of 40; interval ", "APCER    0.0 %  (0 of 40, species print, the worst; interval ", "verdict.margin (0.05 by default)",
		"calibration: {default: " + path + "}",
	} {
		require.Contains(t, out, want)
	}
	c, err := calibration.Read(path)
	require.NoError(t, err)
	data, err := os.ReadFile(scores)
	require.NoError(t, err)
	require.InDelta(t, 0.54, c.Threshold, 0)
	require.Equal(t, "bank-a-2026", c.Name)
	require.Equal(t, calibration.Rule{Kind: calibration.RuleBPCER, AtMost: 0.1}, c.Rule)
	require.Equal(t, calibration.Model{Name: "tiny", SHA256: strings.Repeat("ab", 32)}, c.Model)
	require.Equal(t, calibration.Evidence{
		Scores: []calibration.Source{{File: "scores-dev.csv", SHA256: sumOf(data)}}, Set: "dev", BonaFide: 40, Attacks: 40, Subjects: 40,
		Species: map[string]int{"print": 40}, ConfigSHA256: "cafe", Detector: "retinaface", Provider: "openvino", Precision: "bf16",
	}, c.Evidence)
	require.Equal(t, "liveproof "+currentRelease().Version, c.Made.By)
	t.Setenv("LIVEPROOF_CALIBRATION_DEFAULT", path)
	_, err = loadConfig("", os.Environ())
	require.NoError(t, err)
}

func TestCalibrateShowsWithoutWriting(t *testing.T) {
	dir := evaluated(t, "scores-dev.csv")
	out, _, err := calibrateCLI("--scores", filepath.Join(dir, "scores-dev.csv"), "--eer")
	require.NoError(t, err)
	require.Contains(t, out, "Nothing was written; --out FILE writes")
	files, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Len(t, files, 2)
}

func TestCalibrateRefuses(t *testing.T) {
	dir := evaluated(t, "scores-dev.csv", "scores-eval.csv", "scores-k.1-eval.csv", "scores-k.1-dev.csv")
	dev, eval := filepath.Join(dir, "scores-dev.csv"), filepath.Join(dir, "scores-eval.csv")
	bare := filepath.Join(t.TempDir(), "mine.csv")
	require.NoError(t, os.WriteFile(bare, []byte("score,subject,attack_type,set\n0.5,a,,train\n"), 0o600))
	other := evaluated(t, "scores-x-dev.csv")
	report := filepath.Join(other, "report.json")
	data, err := os.ReadFile(report)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(report, bytes.ReplaceAll(data, []byte("abab"), []byte("cdcd")), 0o600))
	for name, c := range map[string]struct {
		args      []string
		complaint string
	}{
		"no rule":              {[]string{"--scores", dev}, "name one rule: --bpcer 0.05, --apcer 0.01 or --eer"},
		"two rules":            {[]string{"--scores", dev, "--eer", "--bpcer", "0.1"}, "name one rule"},
		"no scores":            {[]string{"--eer"}, "--scores: name a file"},
		"everybody rejected":   {[]string{"--scores", dev, "--bpcer", "1"}, "--bpcer: 1 is out of range (0, 1)"},
		"per cent":             {[]string{"--scores", dev, "--apcer", "5"}, "--apcer: 5 is out of range (0, 1)"},
		"the test set":         {[]string{"--scores", eval, "--eer"}, "A threshold comes from a development set, never from the test set"},
		"names the dev file":   {[]string{"--scores", filepath.Join(dir, "scores-k.1-eval.csv"), "--eer"}, "Give --scores " + filepath.Join(dir, "scores-k.1-dev.csv")},
		"too few":              {[]string{"--scores", dev, "--bpcer", "0.01"}, "40 bona fide are too few for bpcer 0.01"},
		"two folds":            {[]string{"--scores", dev, "--scores", filepath.Join(dir, "scores-k.1-dev.csv"), "--eer"}, "is there twice: give the scores of one fold only"},
		"a set that is absent": {[]string{"--scores", dev, "--set", "eval", "--eer"}, `no presentation of the set "eval"`},
		"the training set":     {[]string{"--scores", bare, "--set", "train", "--eer", "--model", "x.onnx"}, "a model knows the presentations that it was trained on"},
		"unknown set":          {[]string{"--scores", dev, "--set", "all", "--eer"}, `--set: "all" is neither dev nor eval`},
		"bad name":             {[]string{"--scores", dev, "--name", "Bank A", "--eer"}, `--name: "Bank A"`},
		"no such file":         {[]string{"--scores", dev + "x", "--eer"}, "no such file"},
		"two models":           {[]string{"--scores", dev, "--scores", filepath.Join(other, "scores-x-dev.csv"), "--eer"}, "a threshold holds for one model"},
		"model and report":     {[]string{"--scores", dev, "--model", "../../scorer/testdata/tiny.onnx", "--eer"}, "a threshold holds for one model"},
	} {
		t.Run(name, func(t *testing.T) {
			_, _, err := calibrateCLI(c.args...)
			require.ErrorContains(t, err, c.complaint)
			require.Equal(t, exitUsage, exitCode(err))
		})
	}
	_, _, err = calibrateCLI("--scores", dev, "--eer", "--out", filepath.Join(dev, "in-a-file.json"))
	require.ErrorContains(t, err, "--out: ")
}

// TestCalibrateOnTheTestSet: with --set, or where there is nothing else, and never without a warning.
func TestCalibrateOnTheTestSet(t *testing.T) {
	const warning = "the threshold is chosen on the test set"
	both, alone := evaluated(t, "scores-dev.csv", "scores-eval.csv"), evaluated(t, "scores-eval.csv")
	for _, args := range [][]string{
		{"--scores", filepath.Join(both, "scores-eval.csv"), "--set", "eval"},
		{"--scores", filepath.Join(alone, "scores-eval.csv")},
	} {
		out, warnings, err := calibrateCLI(append(args, "--bpcer", "0.1")...)
		require.NoError(t, err)
		require.Contains(t, warnings, warning)
		require.Contains(t, out, "set eval")
	}
}

// TestCalibrateOtherScores: a table of another program, with the model named.
func TestCalibrateOtherScores(t *testing.T) {
	dir := t.TempDir()
	scores, path := filepath.Join(dir, "mine.csv"), filepath.Join(dir, "mine.json")
	text := "score,subject,attack_type\n0.9,anna,\n0.8,ben,\n0.1,anna,mask\n0.2,carl,mask\n"
	require.NoError(t, os.WriteFile(scores, []byte(text), 0o600))
	_, _, err := calibrateCLI("--scores", scores, "--eer")
	require.ErrorContains(t, err, "there is no report.json beside it, so it is not known which model gave these scores. Name it: --model liveproof-demo-mobilenetv2-int8")
	_, warnings, err := calibrateCLI("--scores", scores, "--eer", "--model", "../../scorer/testdata/tiny.onnx", "--out", path)
	require.NoError(t, err)
	require.Contains(t, warnings, "3 subjects: the intervals are rough")
	c, err := calibration.Read(path)
	require.NoError(t, err)
	model, _ := tinyModels(t)
	require.Equal(t, sumOf(model), c.Model.SHA256)
	require.InDelta(t, 0.5, c.Threshold, 1e-12)
	require.Empty(t, c.Evidence.Set)
	var members map[string]any
	data, err := os.ReadFile(path)
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(data, &members))
	require.NotContains(t, members, "SHA256")
}
