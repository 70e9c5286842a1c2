package identity

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/liveproof/liveproof"
)

// placed puts the template's landmarks into a picture.
func placed(scale, turn, x, y float64) *liveproof.Landmarks {
	var l liveproof.Landmarks
	sin, cos := math.Sincos(turn)
	for i, p := range template {
		u, v := float64(p.X)*scale, float64(p.Y)*scale
		l[i] = liveproof.Point{X: float32(cos*u - sin*v + x), Y: float32(sin*u + cos*v + y)}
	}
	return &l
}

func TestAlignmentFindsTheSimilarity(t *testing.T) {
	s, ok := alignment(placed(1.5, 0.3, 40, -7))
	require.True(t, ok)
	require.InDelta(t, 1.5*math.Cos(0.3), s.a, 1e-4)
	require.InDelta(t, 1.5*math.Sin(0.3), s.b, 1e-4)
	require.InDelta(t, 40, s.tx, 1e-3)
	require.InDelta(t, -7, s.ty, 1e-3)
	_, ok = alignment(&liveproof.Landmarks{})
	require.False(t, ok, "landmarks in one point")
}

func TestFrontal(t *testing.T) {
	require.True(t, frontal(placed(1, 0.5, 0, 0)))
	turned := placed(1, 0, 0, 0)
	turned[2].X += 12
	require.False(t, frontal(turned))
	require.False(t, frontal(&liveproof.Landmarks{}))
	turned[2].X = float32(math.NaN())
	require.False(t, frontal(turned))
}

// FuzzAlignedSamplesStayInside: landmarks may lie anywhere.
func FuzzAlignedSamplesStayInside(f *testing.F) {
	f.Add(float32(3), float32(4), float32(30), float32(4), float32(16), float32(40), 7, 5)
	f.Add(float32(-1e30), float32(1e30), float32(math.NaN()), float32(math.Inf(1)), float32(0), float32(0), 1, 1)
	f.Fuzz(func(t *testing.T, ax, ay, bx, by, cx, cy float32, width, height int) {
		img := &liveproof.Image{Width: 1 + abs(width)%64, Height: 1 + abs(height)%64}
		img.Stride = 3 * img.Width
		img.Pix = make([]byte, img.Stride*img.Height)
		l := &liveproof.Landmarks{{X: ax, Y: ay}, {X: bx, Y: by}, {X: (ax + bx) / 2, Y: (ay + cy) / 2}, {X: ax, Y: cy}, {X: cx, Y: cy}}
		frontal(l)
		if s, ok := alignment(l); ok {
			appearanceOf(img, s)
			faceOf(img, s)
		}
		sceneOf(img)
	})
}

func abs(i int) int { return max(i, -(i + 1)) }

func TestFaceIsInterpolated(t *testing.T) {
	img := &liveproof.Image{Width: 200, Height: 200, Stride: 600, Pix: make([]byte, 600*200)}
	for i := range img.Pix {
		img.Pix[i] = byte(i % 600 / 3) // a ramp: the level is the column
	}
	for _, scale := range []float64{0.5, 1, 1.5} {
		s, ok := alignment(placed(scale, 0, 8, 8))
		require.True(t, ok)
		f := cutOut(img, s)
		for _, x := range []int{0, 31, 111} {
			want := (8 + scale*(float64(x)+0.5) - 0.5 - 127.5) / 128
			require.InDelta(t, want, f[50*side+x], 0.01, "scale %v, column %d", scale, x)
		}
	}
}

// TestFlatLightChangesNoFace: a face of half the contrast is the same picture to the embedder, whether or not it is low already; noise is not
// stretched to a face.
func TestFlatLightChangesNoFace(t *testing.T) {
	at, _ := alignment(placed(1, 0, 0, 0))
	seen := func(spread float64) *face {
		img := liveproof.NewImage(side, side)
		for i := range img.Pix {
			img.Pix[i] = uint8(math.Round(120 + spread*math.Sin(float64(i)/50)))
		}
		return faceOf(img, at)
	}
	contrast := func(f *face) float64 {
		var squares float64
		for _, v := range f {
			squares += math.Pow(float64(v)+7.5/128, 2)
		}
		return math.Sqrt(squares / float64(len(f)))
	}
	require.InDelta(t, leastContrast, contrast(seen(40)), 0.01)
	require.InDelta(t, leastContrast, contrast(seen(20)), 0.01)
	require.InDelta(t, 70/math.Sqrt2/128, contrast(seen(70)), 0.01, "enough contrast stays as it is")
	require.InDelta(t, 2/math.Sqrt2/128*mostStretch, contrast(seen(2)), 0.01)
	low, lower := seen(40), seen(20)
	for i := range low {
		require.InDelta(t, low[i], lower[i], 0.03)
	}
}
