package detector

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/liveproof/liveproof"
)

// encodedAt is a picture whose left half was encoded at one step and whose right half at another.
func encodedAt(left, right float32, bits float64) *liveproof.Image {
	img := liveproof.NewImage(640, 480)
	img.Coding = &liveproof.Coding{Bits: bits}
	for i := range img.Coding.Quantisers {
		img.Coding.Quantisers[i] = left
		if i%liveproof.QuantiserSide >= liveproof.QuantiserSide/2 {
			img.Coding.Quantisers[i] = right
		}
	}
	return img
}

// TestCoarseFaceIsNotScored: the quantiser around the face decides, not that of the background; and with few bits the limit shrinks.
func TestCoarseFaceIsNotScored(t *testing.T) {
	cfg := DefaultConfig().Quality
	for name, c := range map[string]struct {
		left, right float32
		bits        float64
		low         bool
	}{
		"fine":                          {4, 4, 0.1, false},
		"coarse":                        {19, 4, 0.1, true}, // the face has 197 pixels
		"only the background":           {4, 60, 0.1, false},
		"few bits, coarse enough":       {12, 12, 0.016, true},
		"few bits, a still":             {3.8, 3.8, 0.02, false},
		"bits not known":                {17, 17, 0, false},
		"nothing known":                 {0, 0, 0, false},
		"coarse although bits are many": {19, 4, 1, true},
	} {
		t.Run(name, func(t *testing.T) {
			q := liveproof.Quality{Size: 150, Blur: 100, Exposure: 120, Contrast: 30}
			q.Quantiser, q.Bits = coded(encodedAt(c.left, c.right, c.bits), liveproof.Box{X1: 60, Y1: 100, X2: 257, Y2: 297})
			var want []liveproof.Reason
			if c.low {
				want = []liveproof.Reason{liveproof.ReasonLowBitrate}
			}
			require.Equal(t, want, cfg.Refuses(q))
		})
	}
	q, bits := coded(liveproof.NewImage(64, 48), liveproof.Box{X2: 10, Y2: 10})
	require.Zero(t, q)
	require.Zero(t, bits)
}

// TestStepFollowsTheFace: a step counts more for a face that is enlarged, and in full for one that is shrunk.
func TestStepFollowsTheFace(t *testing.T) {
	for size, want := range map[float32]float64{197: 10, 394: 10, 98.5: 20, 49: 40} {
		q, _ := coded(encodedAt(10, 10, 0.1), liveproof.Box{X2: size, Y2: size})
		require.InEpsilon(t, want, q, 0.01, "%v pixels", size)
	}
}

// TestShrunkFaceHasMoreBits: several source pixels go into one of the scorer's.
func TestShrunkFaceHasMoreBits(t *testing.T) {
	_, small := coded(encodedAt(1, 1, 0.02), liveproof.Box{X2: 100, Y2: 100})
	_, large := coded(encodedAt(1, 1, 0.02), liveproof.Box{X2: 394, Y2: 394}) // 1.3 × 394 is 2 × 256
	require.InDelta(t, 0.02, small, 1e-9)
	require.InDelta(t, 0.08, large, 1e-3)
}
