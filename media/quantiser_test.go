package media

import (
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/liveproof/liveproof"
	"github.com/liveproof/liveproof/internal/codecs"
)

// steady makes an encoder use one quantiser for all pictures; index is on the encoder's own scale.
var steady = map[liveproof.Codec]func(index int) []string{
	liveproof.CodecVP8: qRange,
	liveproof.CodecVP9: func(i int) []string { return append(qRange(i), "-aq-mode", "0") },
	liveproof.CodecAV1: func(i int) []string { return append(qRange(i), "-aq-mode", "0") },
	liveproof.CodecH264: func(i int) []string {
		return []string{"-x264-params", fmt.Sprintf("aud=1:scenecut=0:slices=1:qp=%d:ipratio=1:aq-mode=0", i)}
	},
}

func qRange(i int) []string { return []string{"-qmin", strconv.Itoa(i), "-qmax", strconv.Itoa(i)} }

// TestQuantiserStep encodes with a known quantiser and compares the step that pictures carry with the table of the format.
func TestQuantiserStep(t *testing.T) {
	for _, c := range []struct {
		codec liveproof.Codec
		index int     // for the encoder
		step  float64 // by the format's table
	}{
		{liveproof.CodecVP8, 2, 6. / 2 / 2.25},    // y_ac_qi 2
		{liveproof.CodecVP8, 40, 68. / 2 / 2.25},  // 59
		{liveproof.CodecVP8, 63, 284. / 2 / 2.25}, // 127
		{liveproof.CodecVP9, 2, 15. / 8 / 4},      // base_q_idx 8
		{liveproof.CodecVP9, 40, 305. / 8 / 4},    // 160
		{liveproof.CodecVP9, 63, 1828. / 8 / 4},   // 255
		{liveproof.CodecAV1, 2, 15. / 8 / 8},
		{liveproof.CodecAV1, 40, 305. / 8 / 8},
		{liveproof.CodecAV1, 63, 1828. / 8 / 8},
		{liveproof.CodecH264, 10, 2},
		{liveproof.CodecH264, 30, math.Exp2(26. / 6)},
		{liveproof.CodecH264, 51, math.Exp2(47. / 6)},
	} {
		t.Run(fmt.Sprintf("%s %d", c.codec, c.index), func(t *testing.T) {
			units := encode(t, c.codec, noisy("320x240", 12), steady[c.codec](c.index)...)
			for i, s := range steps(t, units) {
				require.InEpsilon(t, c.step, s, 0.01, "picture %d", i)
			}
			headers := newCodingReader(codecs.Find(c.codec), nil)
			for i, unit := range units {
				require.InEpsilon(t, c.step, headers.read(unit.Data, unit.Key).Step, 0.01, "header of picture %d", i)
			}
		})
	}
}

// scripted is a codecs.QuantiserReader of steps that a test gives.
type scripted []float64

func (s *scripted) Read([]byte) (q codecs.Quantised) {
	q.Step, *s = (*s)[0], (*s)[1:]
	return q
}

// TestRecentSteps: pictures after a coarse one count as coarse, until as many finer ones as recentSteps have come or a key frame comes.
func TestRecentSteps(t *testing.T) {
	const coarse, fine = 45, 9
	for name, c := range map[string]struct {
		steps []float64
		key   int // index of a second key frame; 0: none
		want  []float64
	}{
		"constant":                 {[]float64{12, 12, 12}, 0, []float64{1, 1, 1}},
		"first picture is coarse":  {[]float64{coarse, fine, fine, fine}, 0, []float64{1, 3, 21. / 9, 2}},
		"key frame":                {[]float64{coarse, fine, fine}, 1, []float64{1, 1, 1}},
		"coarse key frame":         {[]float64{fine, coarse, fine}, 1, []float64{1, 1, 3}},
		"coarser than before":      {[]float64{fine, coarse}, 0, []float64{1, 1}},
		"a step that is not known": {[]float64{coarse, 0, fine}, 0, []float64{1, 1, 3}},
		"known only later":         {[]float64{0, 0, coarse, fine}, 0, []float64{1, 1, 1, 3}},
	} {
		t.Run(name, func(t *testing.T) {
			steps := scripted(c.steps)
			reader := codingReader{quantisers: &steps}
			for i, want := range c.want {
				got := reader.read(nil, i == 0 || c.key > 0 && i == c.key).coarser()
				require.InDelta(t, want, got, 1e-9, "picture %d", i)
			}
		})
	}
}

// TestRecentStepsFade: after 3 × recentSteps fine pictures a coarse start is forgotten but for 1 %.
func TestRecentStepsFade(t *testing.T) {
	steps := scripted{100}
	for range 4 * recentSteps {
		steps = append(steps, 1)
	}
	reader := codingReader{quantisers: &steps}
	last := reader.read(nil, true)
	for len(steps) > 0 {
		next := reader.read(nil, false)
		require.Less(t, next.recent, last.recent)
		last = next
	}
	require.InDelta(t, 1, last.coarser(), 0.5)
}

// TestQuantiserStepOfDeepSamples: H.264's quantiser has an offset of 6 for each bit beyond eight (ITU-T H.264, 7.4.2.1.1), which
// x264's has too. Steps are in levels of 8-bit samples.
func TestQuantiserStepOfDeepSamples(t *testing.T) {
	for _, qp := range []int{22, 42, 63} {
		deep := append(steady[liveproof.CodecH264](qp), "-profile:v", "high10", "-pix_fmt", "yuv420p10le")
		for i, s := range steps(t, encode(t, liveproof.CodecH264, noisy("320x240", 4), deep...)) {
			require.InEpsilon(t, math.Exp2(float64(qp-2*6-4)/6), s, 0.01, "QP %d, picture %d", qp, i)
		}
	}
}

// TestDeblockedStep: a filter that works makes the step smaller, whatever else is in the slice headers before its flag, and
// in every container. x264 leaves the filter's control out of its headers where the filter is as H.264 presumes.
func TestDeblockedStep(t *testing.T) {
	const (
		plain    = 16.0 // qp 28
		filtered = plain / 1.75
	)
	for name, c := range map[string]struct {
		params string
		want   float64
	}{
		"presumed":           {"deblock=0,0", filtered},
		"off":                {"no-deblock=1", plain},
		"stronger":           {"deblock=2,1", filtered},
		"weakened":           {"deblock=-3,-3", plain},
		"CABAC":              {"cabac=1:deblock=1,1", filtered},
		"CABAC, off":         {"cabac=1:no-deblock=1", plain},
		"B pictures":         {"bframes=3:b-pyramid=normal:b-adapt=0:deblock=1,1", filtered},
		"B pictures, off":    {"bframes=3:b-pyramid=normal:b-adapt=0:no-deblock=1", plain},
		"weights":            {"bframes=2:weightp=2:weightb=1:ref=4:deblock=1,1", filtered},
		"weights, off":       {"bframes=2:weightp=2:weightb=1:ref=4:no-deblock=1", plain},
		"interlaced":         {"interlaced=1:deblock=1,1", filtered},
		"interlaced, off":    {"interlaced=1:no-deblock=1", plain},
		"4:4:4":              {"deblock=1,1", filtered},
		"slices of a screen": {"slices=4:deblock=1,1", filtered},
	} {
		t.Run(name, func(t *testing.T) {
			format := "yuv420p"
			if name == "4:4:4" {
				format = "yuv444p"
			}
			constant := ":qp=28:ipratio=1:pbratio=1:aq-mode=0:scenecut=0:keyint=8"
			args := append(noisy("320x240", 20), "-pix_fmt", format, "-c:v", "libx264", "-preset", "medium", "-x264-params", c.params+constant)
			files := []string{"a.mp4"}
			if strings.HasPrefix(name, "CABAC") {
				files = append(files, "a.mkv", "a.ts", "a.h264")
			}
			for _, file := range files {
				for i, got := range fileSteps(t, ffmpeg(t, file, args...)) {
					require.InEpsilon(t, c.want, got, 0.01, "%s picture %d", file, i)
				}
			}
		})
	}
}

// TestDeblockedStepLive: the parameter sets of a live stream come in the units.
func TestDeblockedStepLive(t *testing.T) {
	for params, want := range map[string]float64{"deblock=0,0": 16 / 1.75, "deblock=1,1": 16 / 1.75, "no-deblock=1": 16} {
		units := encode(t, liveproof.CodecH264, noisy("320x240", 12),
			"-preset", "medium", "-x264-params", "aud=1:scenecut=0:slices=1:qp=28:ipratio=1:aq-mode=0:"+params)
		for i, s := range steps(t, units) {
			require.InEpsilon(t, want, s, 0.01, "%s picture %d", params, i)
		}
	}
}

// fileSteps returns the quantiser step of each picture of a file; all must have one.
func fileSteps(t *testing.T, path string) (all []float64) {
	t.Helper()
	f := openFile(t, path)
	defer f.Close()
	var pool liveproof.ImagePool
	for {
		p, err := f.Next(t.Context())
		if err != nil {
			require.ErrorIs(t, err, io.EOF)
			require.NotEmpty(t, all)
			return all
		}
		img, err := p.RGB(&pool)
		require.NoError(t, err)
		require.NotNil(t, img.Coding)
		all = append(all, img.Coding.Quantisers.Around(liveproof.Box{}, img))
		img.Release()
		p.Release()
	}
}

// steps plays units and returns the quantiser step of each picture's image.
func steps(t *testing.T, units []liveproof.AccessUnit) (all []float64) {
	t.Helper()
	var pool liveproof.ImagePool
	s, err := NewStream(DefaultConfig(), &script{units: units})
	require.NoError(t, err)
	defer s.Close()
	for range units {
		p, err := s.Next(t.Context())
		require.NoError(t, err)
		img, err := p.RGB(&pool)
		require.NoError(t, err)
		all = append(all, img.Coding.Quantisers.Around(liveproof.Box{}, img))
		img.Release()
		p.Release()
	}
	return all
}
