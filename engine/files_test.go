package engine_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/liveproof/liveproof"
	"github.com/liveproof/liveproof/engine"
)

// gradient is a video of 2 s in which there is no face.
func gradient(t *testing.T) string {
	t.Helper()
	if _, err := exec.LookPath("ffmpeg"); err != nil {
		t.Skip("ffmpeg is not installed (make setup)")
	}
	path := filepath.Join(t.TempDir(), "gradient.mkv")
	out, err := exec.Command("ffmpeg", "-v", "error", "-f", "lavfi", "-i",
		"gradients=size=320x240:rate=15:speed=0.02:seed=1", "-t", "2", path).CombinedOutput()
	require.NoError(t, err, "%s", out)
	return path
}

func TestJudgeFilesKeepsTheOrderAndGoesOn(t *testing.T) {
	e := open(t, tiny())
	good := gradient(t)
	broken := filepath.Join(t.TempDir(), "broken.mp4")
	require.NoError(t, os.WriteFile(broken, []byte("no video"), 0o600))
	paths := []string{good, broken, good + ".missing", good, broken}
	for _, jobs := range []int{0, 1, 2, 9} {
		var got []engine.Judged
		e.JudgeFiles(t.Context(), paths, jobs, func(j engine.Judged) { got = append(got, j) })
		require.Len(t, got, len(paths))
		for i, j := range got {
			require.Equal(t, paths[i], j.Path, "in the order given")
			require.Equal(t, paths[i] != good, j.Err != nil, "%+v", j)
			require.Equal(t, liveproof.OutcomeInconclusive, j.Verdict.Outcome)
		}
		require.EqualValues(t, 30, got[0].Counts.Decoded, "lossless")
		require.Equal(t, got[0].Report, got[3].Report)
	}
	e.JudgeFiles(t.Context(), nil, 2, func(engine.Judged) { t.Error("there is no file") })
}

func TestFollowingNamesTheFile(t *testing.T) {
	e := open(t, tiny())
	path, last := gradient(t), 0.
	_, err := e.JudgeFile(t.Context(), path, engine.As(liveproof.ModeCall), engine.Following(func(p string, share float64) {
		require.Equal(t, path, p)
		require.GreaterOrEqual(t, share, last)
		last = share
	}))
	require.NoError(t, err)
	require.InDelta(t, 1, last, .01)
}
