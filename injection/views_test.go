package injection

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/liveproof/liveproof"
)

// photo is a smooth picture with sensor noise of so many levels.
func photo(noise float64, random *rand.Rand) *liveproof.Image {
	img := liveproof.NewImage(640, 480)
	for y := range img.Height {
		for x := range img.Width {
			v := 120 + 60*math.Sin(float64(x)/90)*math.Cos(float64(y)/70) + random.NormFloat64()*noise
			for c := range 3 {
				img.Pix[3*(y*img.Width+x)+c] = uint8(max(0, min(255, v+0.5)))
			}
		}
	}
	return img
}

func TestNoiseOfStillPictures(t *testing.T) {
	random := rand.New(rand.NewPCG(4, 4))
	for _, sigma := range []float64{1, 2, 4} {
		var v views
		v.observe(photo(sigma, random))
		require.False(t, v.noise.known)
		v.observe(photo(sigma, random))
		require.True(t, v.noise.known)
		require.InDelta(t, sigma, v.noise.noise, 0.25*sigma, "the quieter quarter")
		require.Less(t, v.noise.still, 0.05)
	}
}

func TestFrozenBackground(t *testing.T) {
	img := photo(0, rand.New(rand.NewPCG(1, 1)))
	var v views
	v.observe(img)
	v.observe(img)
	require.Equal(t, texture{true, 0, 1}, v.noise)
}

func TestViewsOfAnotherSizeBeginAnew(t *testing.T) {
	var v views
	v.observe(photo(1, rand.New(rand.NewPCG(9, 9))))
	for _, size := range [][2]int{{320, 240}, {1, 1}, {3, 900}, {4000, 2}} {
		v.observe(liveproof.NewImage(size[0], size[1]))
		require.False(t, v.noise.known, "%v", size)
		v.observe(liveproof.NewImage(size[0], size[1]))
		require.Equal(t, size[0]*viewRows >= segment, v.noise.known, "%v", size)
	}
}

func BenchmarkView(b *testing.B) {
	img := photo(1, rand.New(rand.NewPCG(1, 1)))
	w := New(DefaultConfig(), "", nil, nil)
	for i := range 100 {
		at := time.Duration(i) * time.Second / 30
		w.Picture(at, scene(float64(i)/30, nil))
		w.unit(&liveproof.AccessUnit{Codec: liveproof.CodecVP8, PTS: at, ArrivedAt: time.Unix(0, 0).Add(at), Data: append([]byte{1}, make([]byte, 4000+i)...)})
	}
	view := liveproof.View{Image: img}
	for b.Loop() {
		_, _ = w.Examine(b.Context(), view)
	}
}

func BenchmarkPicture(b *testing.B) {
	w := New(DefaultConfig(), "", nil, nil)
	cells := scene(0, nil)
	at := time.Duration(0)
	for b.Loop() {
		at += time.Second / 30
		w.Picture(at, cells)
	}
}
