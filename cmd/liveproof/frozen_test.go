package main

import (
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/liveproof/liveproof"
)

// constantScorer replaces the model by one whose ρ is the crop's mean
// brightness: what it is shown passes unless something else objects.
func constantScorer(t *testing.T) {
	t.Helper()
	model, err := filepath.Abs("../../scorer/testdata/tiny.onnx")
	require.NoError(t, err)
	t.Setenv("LIVEPROOF_SCORER_MODEL", model)
	t.Setenv("LIVEPROOF_VERDICT_THRESHOLD", "0.1")
}

// lossy are the encoders of browsers and of ffmpeg.
var lossy = []struct {
	name, file string
	args       []string
}{
	{"VP8 150k", "v.webm", []string{"-c:v", "libvpx", "-b:v", "150k", "-g", "300", "-deadline", "realtime", "-cpu-used", "8"}},
	{"VP8 500k", "v.webm", []string{"-c:v", "libvpx", "-b:v", "500k", "-g", "300", "-deadline", "realtime", "-cpu-used", "8"}},
	{"H264 150k", "v.mkv", []string{"-c:v", "libx264", "-b:v", "150k", "-g", "300", "-preset", "veryfast", "-tune", "zerolatency"}},
	{"VP8 300k, a key frame each second", "v.webm", []string{"-c:v", "libvpx", "-b:v", "300k", "-g", "30", "-deadline", "realtime", "-cpu-used", "8"}},
	{"VP9 600k", "v.webm", []string{"-c:v", "libvpx-vp9", "-b:v", "600k", "-g", "300", "-deadline", "realtime", "-cpu-used", "8"}},
	{"H264 300k", "v.mkv", []string{"-c:v", "libx264", "-b:v", "300k", "-preset", "veryfast", "-tune", "zerolatency"}},
	{"H264 1M, a key frame each second", "v.mkv", []string{"-c:v", "libx264", "-b:v", "1M", "-g", "30", "-preset", "veryfast"}},
}

// film runs ffmpeg with its arguments for input and filters, then those of the encoder.
func film(t *testing.T, file string, encoder []string, args ...string) string {
	t.Helper()
	if _, err := exec.LookPath("ffmpeg"); err != nil {
		t.Skip("ffmpeg is not installed (make setup)")
	}
	path := filepath.Join(t.TempDir(), file)
	command := append([]string{"-v", "error"}, args...)
	command = append(append(command, "-an", "-pix_fmt", "yuv420p"), encoder...)
	out, err := exec.Command("ffmpeg", append(command, path)...).CombinedOutput()
	require.NoError(t, err, "%s", out)
	return path
}

// still takes one picture out of a clip.
func still(t *testing.T, clip string) string {
	return film(t, "still.png", nil, "-f", "mjpeg", "-i", shared(t, clip), "-vf", `select=eq(n\,40)`, "-frames:v", "1")
}

// TestLossyStillIsNeverLive: a photograph sent through a real encoder is no evidence.
func TestLossyStillIsNeverLive(t *testing.T) {
	constantScorer(t)
	shared(t, "models/retinaface_mobilenet025.onnx")
	pictures := map[string][]string{
		"person B": {"-i", still(t, "media/person_B_640x480.mjpeg")},
		"portrait": {"-i", shared(t, "faces/SFHQ_sample_2x4_1_0.jpg")},
	}
	for name, input := range pictures {
		for _, e := range fewOf(lossy, 2) {
			t.Run(name+" "+e.name, func(t *testing.T) {
				t.Parallel()
				args := append([]string{"-loop", "1", "-framerate", "30"}, input...)
				path := film(t, e.file, e.args, append(args, "-vf", "scale=640:-2", "-t", "5")...)
				for _, mode := range []string{"onboarding", "call"} {
					lines, _ := replay(t, "--mode", mode, path)
					l := lines[0]
					t.Logf("%s: %s scored %d unscored %v ρ %.2f", mode, l.Verdict, l.Frames.Scored, l.Unscored, l.MeanRho)
					require.NotEqual(t, liveproof.OutcomeLive, l.Verdict)
					require.LessOrEqual(t, l.Frames.Scored, int64(9))
					require.Positive(t, l.Unscored[liveproof.ReasonFrozenPicture])
				}
			})
		}
	}
}

// TestLossyLoopIsNeverLive: a second of a person, over and over.
func TestLossyLoopIsNeverLive(t *testing.T) {
	constantScorer(t)
	for _, clip := range []string{"person_A_640x480.mjpeg", "person_B_640x480.mjpeg"} {
		for _, e := range fewOf(lossy, 2) {
			t.Run(clip+" "+e.name, func(t *testing.T) {
				t.Parallel()
				loopIsNeverLive(t, "onboarding", clip, e.file, e.args, "25", "null")
			})
		}
		// 15 of 30 pictures a second, as if a temporal layer was left out. The loop's length is
		// odd, so that only every second pass shows the same pictures again; a one-shot
		// session may have ended by then.
		for _, e := range fewOf(lossy[:4], 1) {
			t.Run(clip+" every second picture "+e.name, func(t *testing.T) {
				t.Parallel()
				loopIsNeverLive(t, "call", clip, e.file, e.args, "30", `select=not(mod(n\,2))`)
			})
		}
	}
}

// loopIsNeverLive repeats 23 pictures of a clip. This length is not a multiple of the sampling period.
func loopIsNeverLive(t *testing.T, mode, clip, file string, encoder []string, rate, kept string) {
	t.Helper()
	filters := "trim=start_frame=20:end_frame=43,setpts=PTS-STARTPTS,loop=loop=-1:size=23:start=0,setpts=N/" + rate + "/TB," + kept
	path := film(t, file, encoder, "-f", "mjpeg", "-r", rate, "-i", shared(t, "media/"+clip), "-vf", filters, "-vsync", "vfr", "-t", "5")
	lines, _ := replay(t, "--mode", mode, path)
	l := lines[0]
	t.Logf("%s scored %d unscored %v ρ %.2f", l.Verdict, l.Frames.Scored, l.Unscored, l.MeanRho)
	require.NotEqual(t, liveproof.OutcomeLive, l.Verdict)
	require.Positive(t, l.Unscored[liveproof.ReasonFrozenPicture])
}

// TestPeopleAreNotFrozen: with the same encoders, people who move are not
// frozen.
func TestPeopleAreNotFrozen(t *testing.T) {
	constantScorer(t)
	for _, clip := range []string{"person_A_640x480.mjpeg", "person_B_640x480.mjpeg", "person_C_640x480.mjpeg"} {
		t.Run(clip+" as it is", func(t *testing.T) { passes(t, shared(t, "media/"+clip)) })
		for _, e := range fewOf(lossy[:2], 1) {
			t.Run(clip+" "+e.name, func(t *testing.T) {
				t.Parallel()
				passes(t, film(t, e.file, e.args, "-f", "mjpeg", "-r", "25", "-i", shared(t, "media/"+clip), "-t", "8"))
			})
		}
	}
}

func passes(t *testing.T, path string) {
	t.Helper()
	lines, _ := replay(t, path)
	l := lines[0]
	t.Logf("%s at %.1f s scored %d unscored %v ρ %.2f", l.Verdict, l.DecidedAt, l.Frames.Scored, l.Unscored, l.MeanRho)
	want := liveproof.OutcomeLive
	if l.Unscored[liveproof.ReasonLowBitrate] > l.Frames.Sampled/2 { // stillness is looked for all the same
		want = liveproof.OutcomeInconclusive
	}
	require.Equal(t, want, l.Verdict)
	require.LessOrEqual(t, l.Unscored[liveproof.ReasonFrozenPicture], l.Frames.Sampled/20+1)
}
