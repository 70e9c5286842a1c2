package main

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// replay runs `liveproof replay --json args…`.
func replay(t *testing.T, args ...string) (lines []replayLine, code int) {
	t.Helper()
	needRuntime(t)
	var out, errOut bytes.Buffer
	root := newRootCommand()
	root.SetArgs(append([]string{"replay", "--json"}, args...))
	root.SetOut(&out)
	root.SetErr(&errOut)
	code = exitCode(root.ExecuteContext(t.Context()))
	for text := range strings.SplitSeq(strings.TrimSpace(out.String()), "\n") {
		var l replayLine
		require.NoError(t, json.Unmarshal([]byte(text), &l), "%s\n%s", text, errOut.String())
		lines = append(lines, l)
	}
	return lines, code
}

func TestReplayTellsEveryFile(t *testing.T) {
	dir := t.TempDir()
	empty, broken, absent := filepath.Join(dir, "empty.mp4"), filepath.Join(dir, "broken.mkv"), filepath.Join(dir, "absent.avi")
	require.NoError(t, os.WriteFile(empty, nil, 0o600))
	require.NoError(t, os.WriteFile(broken, bytes.Repeat([]byte("not a film "), 1000), 0o600))
	good := filepath.Join(dir, "nobody.mkv")
	if _, err := exec.LookPath("ffmpeg"); err != nil {
		t.Skip("ffmpeg is not installed (make setup)")
	}
	out, err := exec.Command("ffmpeg", "-v", "error", "-f", "lavfi", "-i",
		"gradients=size=320x240:rate=15:speed=0.02:seed=1,noise=alls=8:allf=t,format=yuv420p", "-t", "4", good).CombinedOutput()
	require.NoError(t, err, "%s", out)

	lines, code := replay(t, empty, good, broken, absent)
	require.Equal(t, exitPartial, code)
	require.Len(t, lines, 4)
	for i, file := range []string{empty, good, broken, absent} {
		require.Equal(t, file, lines[i].File, "in the order given")
		require.EqualValues(t, "inconclusive", lines[i].Verdict)
		require.Equal(t, file != good, lines[i].Error != "", "%+v", lines[i])
	}
	require.EqualValues(t, 60, lines[1].Frames.Decoded, "lossless")
	require.InDelta(t, 20, lines[1].Frames.Sampled, 1, "five a second")
}

func TestReplayIsDeterministic(t *testing.T) {
	clip := shared(t, "media/person_A_640x480.mjpeg")
	first, code := replay(t, "--samples", clip)
	require.Equal(t, exitOK, code)
	again, _ := replay(t, "--samples", clip)
	require.Equal(t, first, again)
	require.GreaterOrEqual(t, first[0].Frames.Scored, int64(40))
	t.Logf("%s: %s score %.3f mean %.3f", filepath.Base(clip), first[0].Verdict, first[0].Score, first[0].MeanRho)
}

// TestReplayOfPicturesAsMeant: people whose recordings are mirrored, turned by a message in the stream, and of high dynamic range.
func TestReplayOfPicturesAsMeant(t *testing.T) {
	for _, name := range []string{"hflip.mp4", "sei180.mp4", "pq.mov"} {
		lines, code := replay(t, shared(t, "inputs/"+name))
		require.Equal(t, exitOK, code)
		require.EqualValues(t, "live", lines[0].Verdict, "%s: %v", name, lines[0].Reasons)
	}
}

func TestWrongUsage(t *testing.T) {
	for _, args := range [][]string{
		{"nonsense"}, {"serve", "surplus"}, {"serve", "--listen", "8080"},
		{"load"}, {"load", "--chaos", "-1", "x.ivf"}, {"load", "--chaos", "1", "--nodes", "x", "x.ivf"}, {"load", "--chaos", "1", "--leave", "2", "x.ivf"},
		{"load", "--sessions", "0", "x.ivf"}, {"load", "--mode", "x", "x.ivf"}, {"load", "--window", "1ms", "x.ivf"},
		{"models", "list", "surplus"}, {"replay"}, {"replay", "--mode", "guess", "x"}, {"replay", "--jobs", "0", "x"}, {"replay", "--nonsense"},
	} {
		require.Equal(t, exitUsage, run(t.Context(), args), "%v", args)
	}
}
