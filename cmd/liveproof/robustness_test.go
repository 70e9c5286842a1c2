package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/liveproof/liveproof"
	"github.com/liveproof/liveproof/evaluation/robustness"
	"github.com/liveproof/liveproof/internal/datasettest"
)

// shortVideos are a bona fide video, an attack, a file that is no video, and a picture, with their table. Nobody is in them, so that
// no encoder or network changes what is decided.
func shortVideos(t *testing.T) (root, table string) {
	t.Helper()
	root, table = t.TempDir(), filepath.Join(t.TempDir(), "files.csv")
	video := datasettest.Clip{Suffix: ".avi", Frames: 30, Nobody: true}.Encode(t)
	for name, data := range map[string][]byte{
		"person.avi": video, "attack.avi": video, "broken.avi": []byte(strings.Repeat("not a film ", 1000)), "still.png": {1},
	} {
		require.NoError(t, os.WriteFile(filepath.Join(root, name), data, 0o600))
	}
	require.NoError(t, os.WriteFile(table, []byte("filename,subject,attack_type\nperson.avi,a,\nattack.avi,b,print\nbroken.avi,c,print\nstill.png,a,\n"), 0o600))
	return root, table
}

// TestRobustness: every path is judged, the report has a row for each, and the same command goes on where it was interrupted.
func TestRobustness(t *testing.T) {
	t.Parallel()
	needRuntime(t)
	root, table := shortVideos(t)
	out := t.TempDir()
	args := []string{"robustness", "--csv", table, "--root", root, "--out", out, "--codec", "h264", "--bitrate", "300k", "--loss", "0,0.1", "--delay", "5ms"}
	text, errText, code := command(t, args...)
	require.Equal(t, exitPartial, code, errText)
	require.Contains(t, errText, "1 single pictures are left out")
	require.Contains(t, errText, "4 of 4: h264 300 kbit/s, WebRTC with a loss of 10 %")
	require.Contains(t, errText, "could not be judged")
	require.Contains(t, text, "re-encoded → WebRTC")
	var r robustness.Report
	require.NoError(t, json.Unmarshal([]byte(readFile(t, out, "robustness.json")), &r))
	require.Equal(t, [2]int{1, 2}, [2]int{r.BonaFide, r.Attacks})
	require.Len(t, r.Encodings, 1)
	for _, e := range r.Encodings {
		require.Equal(t, robustness.Matrix{liveproof.OutcomeInconclusive: {liveproof.OutcomeInconclusive: 2}}, e.Encoder.Verdicts, "what cannot be encoded is left out")
		require.Len(t, e.WebRTC, 2)
		for _, s := range e.WebRTC {
			require.Equal(t, 3, s.FromOriginal.Files)
			require.Equal(t, 1, s.Outcome.Failed)
			require.InDelta(t, 1, s.Outcome.Inconclusive, 0)
		}
	}
	for _, name := range []string{"robustness.txt", "robustness.md", "robustness.svg"} {
		require.NotEmpty(t, readFile(t, out, name))
	}

	before := readFile(t, out, "h264-300k-loss0.1", "results.jsonl")
	again, _, code := command(t, append(args, "--json", "--quiet")...)
	require.Equal(t, exitPartial, code)
	require.JSONEq(t, readFile(t, out, "robustness.json"), again)
	after := readFile(t, out, "h264-300k-loss0.1", "results.jsonl")
	require.Equal(t, 1, strings.Count(strings.TrimPrefix(after, before), "\n"), "only what could not be read is tried again")
}

func TestRobustnessRefuses(t *testing.T) {
	root, table := shortVideos(t)
	for _, c := range []struct {
		args []string
		says string
	}{
		{[]string{"--loss", "1.5"}, "--loss: 1.5 is out of range [0, 1]"},
		{[]string{"--loss", "0.1,0.1"}, "comes twice"},
		{[]string{"--loss", "0.1", "--parity"}, "give one of them"},
		{[]string{"--bitrate", "fast"}, "--bitrate:"},
		{[]string{"--codec", "av1"}, "--codec:"},
		{[]string{"--preset", "ultrafast"}, "--preset:"},
		{[]string{"--sessions", "0"}, "--sessions: 0"},
		{[]string{"--out", ""}, "--out: a folder"},
		{[]string{"--out", root}, "folder of their own"},
		{[]string{"--only", "filename=still.png"}, "it has no video"},
		{[]string{"surplus"}, "surplus"},
	} {
		args := append([]string{"robustness", "--csv", table, "--root", root, "--out", t.TempDir()}, c.args...)
		_, errText, code := command(t, args...)
		require.Equal(t, exitUsage, code, "%v: %s", c.args, errText)
		require.Contains(t, errText, c.says, "%v", c.args)
	}
}
