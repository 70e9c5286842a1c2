package media

import (
	"fmt"
	"math"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/liveproof/liveproof"
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
		{liveproof.CodecVP8, 2, 6. / 2 / 3},     // y_ac_qi 2
		{liveproof.CodecVP8, 40, 68. / 2 / 3},   // 59
		{liveproof.CodecVP8, 63, 284. / 2 / 3},  // 127
		{liveproof.CodecVP9, 2, 15. / 8 / 4},    // base_q_idx 8
		{liveproof.CodecVP9, 40, 305. / 8 / 4},  // 160
		{liveproof.CodecVP9, 63, 1828. / 8 / 4}, // 255
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
		})
	}
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
