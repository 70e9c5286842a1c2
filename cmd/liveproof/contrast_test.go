package main

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/liveproof/liveproof"
)

// dimmed are ffmpeg filters for a picture with less contrast, about its middle or towards black.
func dimmed() map[string]string {
	filters := map[string]string{}
	chroma := func(gain float64) string { return fmt.Sprintf(":u=(val-128)*%[1]v+128:v=(val-128)*%[1]v+128", gain) }
	for _, gain := range []float64{0.7, 0.5, 0.35, 0.25} {
		filters[fmt.Sprintf("contrast %v", gain)] = fmt.Sprintf("lutyuv=y=(val-128)*%v+128", gain) + chroma(gain)
	}
	for _, gain := range []float64{0.5, 0.25} {
		filters[fmt.Sprintf("dark %v", gain)] = fmt.Sprintf("lutyuv=y=(val-16)*%v+16", gain) + chroma(gain)
	}
	return filters
}

// TestFlatPeopleAreNotFrozen: what is merely flat or dark is told as that. The scorer passes everything, so
// the reasons are those of the rules before it.
func TestFlatPeopleAreNotFrozen(t *testing.T) {
	constantScorer(t)
	t.Setenv("LIVEPROOF_ONNX_PROVIDER", "cpu") // no trial of others, for each file anew
	for _, clip := range []string{"person_A_640x480.mjpeg", "person_B_640x480.mjpeg"} {
		for name, filter := range dimmed() {
			t.Run(clip+" "+name, func(t *testing.T) {
				e := lossy[1]
				path := film(t, e.file, e.args, "-f", "mjpeg", "-r", "30", "-i", shared(t, "media/"+clip), "-vf", filter, "-t", "5")
				toldAsFlat(t, path)
			})
		}
	}
	t.Run("contrast 0.35 of a person who hardly moves", func(t *testing.T) {
		l := toldAsFlat(t, shared(t, "inputs/lowcontrast.mp4"))
		require.Zero(t, l.Unscored[liveproof.ReasonFrozenPicture])
	})
}

// toldAsFlat allows frozen pictures as TestPeopleAreNotFrozen does: the second sample comes soon after the first.
func toldAsFlat(t *testing.T, path string) replayLine {
	t.Helper()
	lines, _ := replay(t, "--mode", "call", path)
	l := lines[0]
	t.Logf("%s scored %d of %d unscored %v", l.Verdict, l.Frames.Scored, l.Frames.Sampled, l.Unscored)
	require.Zero(t, l.Unscored[liveproof.ReasonBlurred])
	require.LessOrEqual(t, l.Unscored[liveproof.ReasonFrozenPicture], int64(1))
	require.Greater(t, l.Frames.Scored+l.Unscored[liveproof.ReasonLowContrast]+l.Unscored[liveproof.ReasonTooDark], l.Frames.Sampled/2)
	return l
}

// TestFlatStillIsNeverLive: less contrast makes no evidence out of a photograph, with the encoders whose noise
// is largest.
func TestFlatStillIsNeverLive(t *testing.T) {
	constantScorer(t)
	t.Setenv("LIVEPROOF_ONNX_PROVIDER", "cpu")
	shared(t, "models/retinaface_mobilenet025.onnx")
	picture := still(t, "media/person_B_640x480.mjpeg")
	for name, filter := range dimmed() {
		for _, e := range lossy {
			if e.name != "VP8 300k, a key frame each second" && e.name != "H264 150k" {
				continue
			}
			t.Run(name+" "+e.name, func(t *testing.T) {
				path := film(t, e.file, e.args, "-loop", "1", "-framerate", "30", "-i", picture, "-vf", "scale=640:-2,format=yuv420p,"+filter, "-t", "5")
				lines, _ := replay(t, path) // one-shot: it would end with the first live
				l := lines[0]
				t.Logf("%s scored %d of %d unscored %v", l.Verdict, l.Frames.Scored, l.Frames.Sampled, l.Unscored)
				require.NotEqual(t, liveproof.OutcomeLive, l.Verdict)
				require.LessOrEqual(t, l.Frames.Scored, int64(9))
			})
		}
	}
}
