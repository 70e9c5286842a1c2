package main

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/liveproof/liveproof"
)

// TestEncoderIsNoAttack: one clip of a person through two encoders at one bitrate. Where every picture is a key frame, few
// bits are left for each, the model takes it for an attack, and the quantiser says that it cannot be judged.
func TestEncoderIsNoAttack(t *testing.T) {
	shared(t, "models/retinaface_mobilenet025.onnx")
	t.Setenv("LIVEPROOF_ONNX_PROVIDER", "cpu")
	lines, _ := replay(t, shared(t, "media/encoders/A_1500k_x264_ultrafast.mp4"), shared(t, "media/encoders/A_1500k_lowcomplexity.mp4"))
	require.Equal(t, liveproof.OutcomeLive, lines[0].Verdict)
	require.Zero(t, lines[0].Unscored[liveproof.ReasonLowBitrate])
	require.Equal(t, liveproof.OutcomeInconclusive, lines[1].Verdict)
	require.Contains(t, lines[1].Reasons, liveproof.ReasonLowBitrate)
	require.Greater(t, lines[1].Unscored[liveproof.ReasonLowBitrate], 9*lines[1].Frames.Scored)
}
