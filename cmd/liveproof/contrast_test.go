package main

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/liveproof/liveproof"
)

// dimming is an ffmpeg filter for a picture with less contrast.
type dimming struct{ name, filter string }

// dimmed have less contrast about the middle or towards black, the hardest first.
func dimmed() (all []dimming) {
	chroma := func(gain float64) string { return fmt.Sprintf(":u=(val-128)*%[1]v+128:v=(val-128)*%[1]v+128", gain) }
	add := func(name string, black, gain float64) {
		all = append(all, dimming{fmt.Sprintf("%s %v", name, gain), fmt.Sprintf("lutyuv=y=(val-%[1]v)*%[2]v+%[1]v", black, gain) + chroma(gain)})
	}
	add("contrast", 128, 0.25)
	add("dark", 16, 0.25)
	add("contrast", 128, 0.5)
	add("dark", 16, 0.5)
	add("contrast", 128, 0.35)
	add("contrast", 128, 0.7)
	return all
}

// TestFlatPeopleAreNotFrozen: what is merely flat or dark is told as that. The scorer passes everything, so
// the reasons are those of the rules before it.
func TestFlatPeopleAreNotFrozen(t *testing.T) {
	constantScorer(t)
	for _, clip := range []string{"person_A_640x480.mjpeg", "person_B_640x480.mjpeg"} {
		for _, d := range fewOf(dimmed(), 3) {
			t.Run(clip+" "+d.name, func(t *testing.T) {
				e := lossy[1]
				path := film(t, e.file, e.args, "-f", "mjpeg", "-r", "30", "-i", shared(t, "media/"+clip), "-vf", d.filter, "-t", "5")
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
	require.Greater(t, l.Frames.Scored+l.Unscored[liveproof.ReasonHazy]+l.Unscored[liveproof.ReasonLowContrast]+l.Unscored[liveproof.ReasonTooDark], l.Frames.Sampled/2)
	return l
}

// TestFlatStillIsNeverLive: less contrast makes no evidence out of a photograph, with the encoders whose noise
// is largest.
func TestFlatStillIsNeverLive(t *testing.T) {
	constantScorer(t)
	shared(t, "models/retinaface_mobilenet025.onnx")
	picture := still(t, "media/person_B_640x480.mjpeg")
	for _, d := range fewOf(dimmed(), 3) {
		for _, e := range lossy {
			if e.name != "VP8 300k, a key frame each second" && e.name != "H264 150k" {
				continue
			}
			t.Run(d.name+" "+e.name, func(t *testing.T) {
				path := film(t, e.file, e.args, "-loop", "1", "-framerate", "30", "-i", picture, "-vf", "scale=640:-2,format=yuv420p,"+d.filter, "-t", "5")
				lines, _ := replay(t, path) // one-shot: it would end with the first live
				l := lines[0]
				t.Logf("%s scored %d of %d unscored %v", l.Verdict, l.Frames.Scored, l.Frames.Sampled, l.Unscored)
				require.NotEqual(t, liveproof.OutcomeLive, l.Verdict)
				require.LessOrEqual(t, l.Frames.Scored, int64(9))
			})
		}
	}
}
