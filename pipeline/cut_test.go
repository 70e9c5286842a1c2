package pipeline

import (
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/liveproof/liveproof"
)

func shownAt(t time.Duration, scene int, edit func(*liveproof.Thumbnail)) *coarse {
	p := picture{t: t}
	sway(&p, scene)
	var cells liveproof.Thumbnail
	p.show(&cells)
	if edit != nil {
		edit(&cells)
	}
	c := coarsen(&cells)
	return &c
}

func TestCut(t *testing.T) {
	const side = liveproof.ThumbnailSide
	each := func(f func(i int, v float64) float64) func(*liveproof.Thumbnail) {
		return func(to *liveproof.Thumbnail) {
			for i, v := range to {
				to[i] = uint8(min(255, max(0, f(i, float64(v)))))
			}
		}
	}
	grained := rand.New(rand.NewPCG(1, 1))
	frame := time.Second / 30
	for name, tt := range map[string]struct {
		next *coarse
		cut  bool
	}{
		"the same":            {shownAt(0, 0, nil), false},
		"the next picture":    {shownAt(frame, 0, nil), false},
		"five pictures later": {shownAt(5*frame, 0, nil), false},
		"brighter":            {shownAt(frame, 0, each(func(_ int, v float64) float64 { return v + 40 })), false},
		"half as much light":  {shownAt(frame, 0, each(func(_ int, v float64) float64 { return v / 2 })), false},
		"noise":               {shownAt(frame, 0, each(func(_ int, v float64) float64 { return v + 12*grained.Float64() })), false},
		"panned by 2 % of it": {shownAt(frame, 0, func(to *liveproof.Thumbnail) { copy(to[:], to[1:]) }), false},
		"another scene":       {shownAt(frame, 1, nil), true},
		"another scene, dark": {shownAt(frame, 1, each(func(_ int, v float64) float64 { return v / 2 })), true},
		"black":               {shownAt(frame, 0, each(func(int, float64) float64 { return 16 })), true},
		"upside down":         {shownAt(frame, 0, func(to *liveproof.Thumbnail) { slices.Reverse(to[:]) }), true},
		"only the face is new": {shownAt(frame, 0, each(func(i int, v float64) float64 {
			if x, y := i%side, i/side; x >= 18 && x < 46 && y >= 20 && y < 48 {
				return float64(90 + 97*((x/5+y/6)%2))
			}
			return v
		})), true},
	} {
		t.Run(name, func(t *testing.T) {
			d := compare(shownAt(0, 0, nil), tt.next)
			require.Equal(t, tt.cut, d.cut(), "%+v", d)
		})
	}
}

// TestSureCutStandsOut: the changes are those of clips at 15 pictures a second.
func TestSureCutStandsOut(t *testing.T) {
	for name, tt := range map[string]struct {
		before, change difference
		sure           bool
	}{
		"a cut, after a person who sits":                {difference{0.01, 0}, difference{0.23, 0.27}, true},
		"a cut that many patches show":                  {difference{0.02, 0}, difference{0.18, 0.25}, true},
		"a head that turns fast":                        {difference{0.09, 0.06}, difference{0.23, 0.12}, false},
		"… and on":                                      {difference{0.14, 0.09}, difference{0.20, 0.16}, false},
		"an arm before the face":                        {difference{0.01, 0}, difference{0.17, 0.16}, false},
		"a cut within motion, to quite another picture": {difference{0.2, 0.2}, difference{0.64, 0.44}, true},
		"the second of two cuts in a row":               {difference{0.7, 0.5}, difference{0.72, 0.5}, true},
	} {
		t.Run(name, func(t *testing.T) { require.Equal(t, tt.sure, tt.change.exceeds(sureWhole, surePatches, tt.before)) })
	}
}

// TestScenesSeeGaps: after a long silence it may be another scene, however alike it looks.
func TestScenesSeeGaps(t *testing.T) {
	var s scenes
	period := 200 * time.Millisecond
	require.Empty(t, s.observe(0, shownAt(0, 0, nil), period))
	require.False(t, s.unlike(), "there is no sample yet")
	s.markSampled()
	require.Empty(t, s.observe(2*period, shownAt(0, 0, nil), period))
	require.Equal(t, causeGap, s.observe(4*period+1, shownAt(0, 0, nil), period))
	require.False(t, s.unlike())
	require.Equal(t, causeCut, s.observe(5*period, shownAt(0, 1, nil), period))
	require.True(t, s.unlike())
}

// TestCutsInClips: in real clips all cuts are found, and motion is rarely mistaken for a cut. The
// numbers are those of the first pictures of a new scene.
func TestCutsInClips(t *testing.T) {
	root := os.Getenv("LIVEPROOF_SHARED")
	if _, err := exec.LookPath("ffmpeg"); err != nil || root == "" {
		t.Skip("needs ffmpeg and LIVEPROOF_SHARED")
	}
	cuts := map[string][]int{
		"hostile/c0_A1s_then_B.mp4": {30}, "hostile/c1_A1s_then_stillB_pan.mp4": {30},
		// The published clips are edited at these places.
		"person_A_640x480.mjpeg": {77, 143, 267}, "person_C_640x480.mjpeg": {242},
		"encoders/A_1500k_lowcomplexity.mp4": {77, 143}, "encoders/A_1500k_x264_ultrafast.mp4": {77, 143, 267},
	}
	pictures, falsely := 0, 0
	for _, pattern := range []string{"*.m*", "*/*.mp4"} {
		clips, err := filepath.Glob(filepath.Join(root, "media", pattern))
		require.NoError(t, err)
		for _, clip := range clips {
			name, err := filepath.Rel(filepath.Join(root, "media"), clip)
			require.NoError(t, err)
			found, n := cutsOf(t, clip)
			missed := slices.DeleteFunc(slices.Clone(cuts[name]), func(i int) bool { return slices.Contains(found, i) })
			require.Empty(t, missed, "%s: found %v", name, found)
			pictures, falsely = pictures+n, falsely+len(found)-len(cuts[name])
			t.Logf("%-40s %4d pictures, cuts at %v", name, n, found)
		}
	}
	require.LessOrEqual(t, falsely, pictures/900, "one in half a minute")
}

// cutsOf decodes a clip to thumbnails as the pipeline gets them.
func cutsOf(t *testing.T, clip string) (cuts []int, n int) {
	t.Helper()
	args := []string{"-v", "error"}
	if filepath.Ext(clip) == ".mjpeg" {
		args = append(args, "-f", "mjpeg")
	}
	raw, err := exec.Command("ffmpeg", append(args, "-i", clip, "-fps_mode", "passthrough", "-vf", "scale=64:64:flags=area,format=gray",
		"-f", "rawvideo", "-")...).Output()
	require.NoError(t, err)
	var s scenes
	for ; len(raw) >= len(liveproof.Thumbnail{}); n++ {
		cells := coarsen((*liveproof.Thumbnail)(raw))
		if s.observe(time.Duration(n)*time.Second/30, &cells, 200*time.Millisecond) == causeCut {
			cuts = append(cuts, n)
		}
		raw = raw[len(liveproof.Thumbnail{}):]
	}
	require.Positive(t, n)
	return cuts, n
}

// BenchmarkScenes is what each decoded picture costs.
func BenchmarkScenes(b *testing.B) {
	var s scenes
	pictures := [2]*coarse{shownAt(0, 0, nil), shownAt(time.Second/30, 0, nil)}
	b.ReportAllocs()
	for i := range b.N {
		s.observe(time.Duration(i)*time.Second/30, pictures[i%2], 200*time.Millisecond)
	}
}
