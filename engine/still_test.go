package engine_test

import (
	"bytes"
	"image/png"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/liveproof/liveproof"
	"github.com/liveproof/liveproof/engine"
	"github.com/liveproof/liveproof/internal/datasettest"
	"github.com/liveproof/liveproof/media"
)

// picture converts a PNG to a file of the suffix with ffmpeg.
func picture(t *testing.T, content []byte, name string, args ...string) string {
	t.Helper()
	if _, err := exec.LookPath("ffmpeg"); err != nil {
		t.Skip("ffmpeg is not installed (make setup)")
	}
	dir := t.TempDir()
	from, to := filepath.Join(dir, "from.png"), filepath.Join(dir, name)
	require.NoError(t, os.WriteFile(from, content, 0o600))
	out, err := exec.Command("ffmpeg", append(append([]string{"-v", "error", "-i", from}, args...), to)...).CombinedOutput()
	require.NoError(t, err, "%s", out)
	return to
}

func TestJudgeStill(t *testing.T) {
	e := open(t, tiny())
	var portrait bytes.Buffer
	require.NoError(t, png.Encode(&portrait, datasettest.Portrait(t)))
	var first engine.Still
	for i, path := range []string{
		picture(t, portrait.Bytes(), "face.png"),
		picture(t, portrait.Bytes(), "alpha.png", "-pix_fmt", "rgba"),
		picture(t, portrait.Bytes(), "lossless.webp", "-lossless", "1"),
		picture(t, portrait.Bytes(), "fine.jpg", "-q:v", "1", "-pix_fmt", "yuvj444p"),
	} {
		s, err := e.JudgeStill(t.Context(), path)
		require.NoError(t, err, path)
		require.True(t, s.Sample.Scored, "%s: %v", path, s.Sample.Reasons)
		require.Equal(t, e.Model(), s.Model)
		require.Equal(t, e.Detector(), s.Detector)
		if i == 0 {
			first = s
		}
		require.InDelta(t, first.Sample.Rho, s.Sample.Rho, .02, "the same picture in another format: %s", path)
	}
	require.Zero(t, e.Pool().Leased())
}

// The limits of quality are reported, and forbid nothing.
func TestJudgeStillOfABadPicture(t *testing.T) {
	e := open(t, tiny())
	var portrait bytes.Buffer
	require.NoError(t, png.Encode(&portrait, datasettest.Portrait(t)))
	s, err := e.JudgeStill(t.Context(), picture(t, portrait.Bytes(), "dark.png", "-vf", "lutyuv=y=16+(val-16)*0.25"))
	require.NoError(t, err)
	require.True(t, s.Sample.Scored)
	require.Contains(t, s.Sample.Reasons, liveproof.ReasonTooDark)
	require.Zero(t, s.Sample.Weight)
}

func TestJudgeStillWithoutAFace(t *testing.T) {
	e := open(t, tiny())
	var portrait bytes.Buffer
	require.NoError(t, png.Encode(&portrait, datasettest.Portrait(t)))
	s, err := e.JudgeStill(t.Context(), picture(t, portrait.Bytes(), "grey.jpg", "-vf", "geq=lum=128:cb=128:cr=128"))
	require.NoError(t, err)
	require.Equal(t, liveproof.Sample{Seq: 1, Reasons: []liveproof.Reason{liveproof.ReasonNoFace}}, s.Sample)

	broken := filepath.Join(t.TempDir(), "broken.jpg")
	require.NoError(t, os.WriteFile(broken, []byte("no picture"), 0o600))
	_, err = e.JudgeStill(t.Context(), broken)
	require.ErrorIs(t, err, media.ErrUnreadable)
	_, err = e.JudgeStill(t.Context(), broken+".missing")
	require.ErrorIs(t, err, os.ErrNotExist)
}

// A recording of a still print has only one sample in a session, and all of them where it is known to be a recording. A file
// that is stored upside down is judged as it would be upright.
func TestRecordedAndTurnedFiles(t *testing.T) {
	cfg := tiny()
	cfg.Detector.Quality.MaxYaw, cfg.Detector.Quality.MaxPitch = 1, 1 // the portrait looks aside
	e := open(t, cfg)
	file := func(c datasettest.Clip) string {
		path := filepath.Join(t.TempDir(), "clip"+c.Suffix)
		require.NoError(t, os.WriteFile(path, c.Encode(t), 0o600))
		return path
	}
	still := file(datasettest.Clip{Suffix: ".avi", Frames: 51})
	session, err := e.JudgeFile(t.Context(), still)
	require.NoError(t, err)
	require.Equal(t, map[liveproof.Reason]int64{liveproof.ReasonFrozenPicture: 10}, session.Unscored)
	recorded, err := e.JudgeFile(t.Context(), still, engine.Recorded())
	require.NoError(t, err)
	require.EqualValues(t, 11, recorded.Counts.Scored, "%v", recorded.Unscored)

	over := file(datasettest.Clip{Suffix: ".avi", Frames: 51, UpsideDown: true})
	turned, err := e.JudgeFile(t.Context(), over, engine.Recorded(), engine.Turned())
	require.NoError(t, err)
	require.EqualValues(t, 11, turned.Counts.Scored, "%v", turned.Unscored)
	require.InDelta(t, recorded.MeanRho, turned.MeanRho, .02)
	asIs, err := e.JudgeFile(t.Context(), over, engine.Recorded())
	require.NoError(t, err)
	require.NotEqual(t, turned.Samples, asIs.Samples)
}
