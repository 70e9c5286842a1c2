package variants_test

import (
	"context"
	"errors"
	"io"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/liveproof/liveproof"
	"github.com/liveproof/liveproof/internal/variants"
)

const (
	width, height = 64, 48
	rate          = 15
)

// clip is smooth patterns that move with time.
func clip(seed uint64, n int) variants.Clip {
	r := rand.New(rand.NewPCG(seed, 0))
	a, b, c := 0.1+0.2*r.Float64(), 0.1+0.2*r.Float64(), r.Float64()
	out := variants.Clip{Rate: rate}
	for i := range n {
		img := liveproof.NewImage(width, height)
		for k := range width * height {
			x, y := float64(k%width), float64(k/width)
			v := 128 + 60*math.Sin(a*x+c+0.3*float64(i)) + 50*math.Cos(b*y-0.2*float64(i))
			img.Pix[3*k], img.Pix[3*k+1], img.Pix[3*k+2] = byte(v), byte(0.8*v), byte(0.7*v)
		}
		out.Pictures = append(out.Pictures, img)
	}
	return out
}

func material() variants.Material {
	return variants.Material{
		Person: clip(1, 40), Other: clip(2, 40), Still: 7,
		Face: liveproof.Face{Box: liveproof.Box{X1: 20, Y1: 10, X2: 44, Y2: 40}},
	}
}

func made(t *testing.T, name string, m variants.Material, seed uint64) (pictures []*liveproof.Image) {
	t.Helper()
	v, err := variants.Find(name)
	require.NoError(t, err)
	s, err := v.Make(m, 3*time.Second, seed)
	require.NoError(t, err)
	for i := range s.Len() {
		pictures = append(pictures, s.Image(i))
	}
	return pictures
}

// difference is the mean absolute difference of two pictures in levels.
func difference(a, b *liveproof.Image) float64 {
	sum := 0.0
	for i := range a.Pix {
		sum += math.Abs(float64(a.Pix[i]) - float64(b.Pix[i]))
	}
	return sum / float64(len(a.Pix))
}

func TestEveryVariant(t *testing.T) {
	names := map[string]bool{}
	for _, v := range variants.All() {
		t.Run(v.Name, func(t *testing.T) {
			require.False(t, names[v.Name])
			names[v.Name] = true
			pictures := made(t, v.Name, material(), 1)
			require.Len(t, pictures, 3*rate)
			largest := 0.0
			for _, p := range pictures {
				require.Equal(t, [2]int{width, height}, [2]int{p.Width, p.Height})
				largest = max(largest, difference(pictures[0], p))
			}
			if v.Kind == variants.KindStill {
				require.Zero(t, largest)
			} else {
				require.Greater(t, largest, 0.05, "nothing changes")
			}
		})
	}
}

func TestTheSameSeedGivesTheSamePixels(t *testing.T) {
	for _, name := range []string{"pan-6px", "jitter-3px", "noise-4", "print-still", "held", "bent-fast"} {
		first, again, other := made(t, name, material(), 1), made(t, name, material(), 1), made(t, name, material(), 2)
		require.Equal(t, first, again, name)
		require.NotEqual(t, first, other, name)
	}
}

// TestStillsHaveOnePicture: nothing but the one picture goes into a variant that shows a still.
func TestStillsHaveOnePicture(t *testing.T) {
	m := material()
	alone := m
	alone.Still, alone.Person = 0, variants.Clip{Rate: rate, Pictures: m.Person.Pictures[m.Still : m.Still+1]}
	for _, v := range variants.All() {
		if v.Shows == variants.ShowsStill {
			require.Equal(t, made(t, v.Name, alone, 1), made(t, v.Name, m, 1), v.Name)
		}
	}
}

func TestLoops(t *testing.T) {
	hard, soft, back := made(t, "loop-1s", material(), 1), made(t, "seamless-1s", material(), 1), made(t, "ping_pong-1s", material(), 1)
	require.Equal(t, hard[0], hard[rate])
	require.Equal(t, soft[0], soft[rate])
	require.Equal(t, back[1], back[2*(rate-1)-1])
	require.Less(t, difference(soft[rate-1], soft[rate]), difference(hard[rate-1], hard[rate]), "the seam is faded")
}

func TestSwaps(t *testing.T) {
	m := material()
	cut, fade := made(t, "swap-cut-to-person", m, 1), made(t, "swap-fade-to-person", m, 1)
	require.Equal(t, m.Person.Pictures[10], cut[10])
	require.Equal(t, m.Other.Pictures[30], cut[30])
	halfway := fade[24] // 1.6 s
	require.Greater(t, difference(halfway, m.Person.Pictures[24]), 1.0)
	require.Greater(t, difference(halfway, m.Other.Pictures[24]), 1.0)
}

func TestMaterialIsChecked(t *testing.T) {
	for name, spoil := range map[string]func(*variants.Material){
		"no pictures": func(m *variants.Material) { m.Other.Pictures = nil },
		"rate":        func(m *variants.Material) { m.Person.Rate = math.NaN() },
		"picture 40":  func(m *variants.Material) { m.Still = 40 },
		"pixels":      func(m *variants.Material) { m.Other.Pictures = []*liveproof.Image{liveproof.NewImage(8, 8)} },
		"face box":    func(m *variants.Material) { m.Face.Box.X2 = float32(math.NaN()) },
	} {
		m := material()
		spoil(&m)
		_, err := variants.All()[0].Make(m, time.Second, 1)
		require.ErrorIs(t, err, variants.ErrMaterial)
		require.ErrorContains(t, err, name)
	}
	_, err := variants.All()[0].Make(material(), 0, 1)
	require.ErrorContains(t, err, "0s are 0 pictures")
	_, err = variants.Find("mask")
	require.ErrorContains(t, err, "mask")
}

func TestSequenceIsASource(t *testing.T) {
	v, err := variants.Find("pan-2px")
	require.NoError(t, err)
	s, err := v.Make(material(), time.Second, 1)
	require.NoError(t, err)
	n := 0
	for ; ; n++ {
		p, err := s.Next(context.Background())
		if errors.Is(err, io.EOF) {
			break
		}
		require.NoError(t, err)
		require.Equal(t, time.Duration(float64(n)/rate*float64(time.Second)), p.Time())
		img, err := p.RGB(new(liveproof.ImagePool))
		require.NoError(t, err)
		require.Equal(t, s.Image(n).Pix, img.Pix)
		p.Release()
	}
	require.Equal(t, rate, n)
	ended, cancel := context.WithCancel(context.Background())
	cancel()
	_, err = s.Next(ended)
	require.ErrorIs(t, err, context.Canceled)
}
