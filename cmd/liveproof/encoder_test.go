package main

import (
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/liveproof/liveproof"
)

// TestEncoderIsNoAttack: one clip of a person through two encoders at one bitrate. Where every picture is a key frame, few
// bits are left for each, the model takes it for an attack, and the quantiser says that it cannot be judged.
func TestEncoderIsNoAttack(t *testing.T) {
	shared(t, "models/retinaface_mobilenet025.onnx")
	lines, _ := replay(t, shared(t, "media/encoders/A_1500k_x264_ultrafast.mp4"), shared(t, "media/encoders/A_1500k_lowcomplexity.mp4"))
	require.Equal(t, liveproof.OutcomeLive, lines[0].Verdict)
	require.Zero(t, lines[0].Unscored[liveproof.ReasonLowBitrate])
	require.Equal(t, liveproof.OutcomeInconclusive, lines[1].Verdict)
	require.Contains(t, lines[1].Reasons, liveproof.ReasonLowBitrate)
	require.Greater(t, lines[1].Unscored[liveproof.ReasonLowBitrate], 9*lines[1].Frames.Scored)
}

// TestCoarseMotionJPEGIsNoAttack: a person in Motion JPEG, as webcams and cheap recorders compress it, and so finely that it can be judged.
func TestCoarseMotionJPEGIsNoAttack(t *testing.T) {
	shared(t, "models/retinaface_mobilenet025.onnx")
	if _, err := exec.LookPath("ffmpeg"); err != nil {
		t.Skip("needs the ffmpeg command line tool (Debian package ffmpeg) to make test media")
	}
	var files []string
	for _, q := range []string{"5", "10", "20"} {
		file := filepath.Join(t.TempDir(), "q"+q+".mkv")
		out, err := exec.Command("ffmpeg", "-v", "error", "-framerate", "30", "-i", shared(t, "media/person_B_640x480.mjpeg"),
			"-t", "4", "-c:v", "mjpeg", "-q:v", q, file).CombinedOutput()
		require.NoError(t, err, "%s", out)
		files = append(files, file)
	}
	lines, _ := replay(t, files...)
	require.Equal(t, liveproof.OutcomeLive, lines[0].Verdict)
	for _, l := range lines[1:] {
		require.Equal(t, liveproof.OutcomeInconclusive, l.Verdict)
		require.Zero(t, l.Frames.Scored)
		require.Contains(t, l.Reasons, liveproof.ReasonLowBitrate)
	}
}
