package variants

import (
	"math"
	"math/rand/v2"
	"sync"

	"github.com/liveproof/liveproof"
)

// gauss is a table of normal numbers, which noise takes from a random place on.
var gauss = sync.OnceValue(func() []float32 {
	r := rand.New(rand.NewPCG(1, 2)) //nolint:gosec // the same noise each time
	table := make([]float32, 1<<16)
	for i := range table {
		table[i] = float32(r.NormFloat64())
	}
	return table
})

// noisy adds new grey noise of a standard deviation in levels to each picture.
func (s studio) noisy(base scene, levels float64) scene {
	return func(i int) *liveproof.Image { return s.grain(base(i), levels, forNoise+uint64(i)<<8) }
}

func (s studio) grain(img *liveproof.Image, levels float64, purpose uint64) *liveproof.Image {
	r, table := s.random(purpose), gauss()
	at := 0
	return changed(img, func(to, from []byte, x, _ int) {
		if x == 0 {
			at = int(r.Uint32())
		}
		n := levels * float64(table[(at+x)&(len(table)-1)])
		for c := range 3 {
			to[c] = level(float64(from[c]) + n)
		}
	})
}

// flickering changes the brightness once a second by a share.
func (s studio) flickering(base scene, share float64) scene {
	return func(i int) *liveproof.Image {
		gain := 1 + share*math.Sin(2*math.Pi*s.seconds(i))
		return changed(base(i), func(to, from []byte, _, _ int) {
			for c := range 3 {
				to[c] = level(gain * float64(from[c]))
			}
		})
	}
}

// printed has a print's small range of levels, its warm paper and its grain, which moves with it.
func (s studio) printed(base scene) scene {
	var last, shown *liveproof.Image
	return func(i int) *liveproof.Image {
		img := base(i)
		if img != last {
			last, shown = img, s.grain(changed(img, paper), 3, forGrain)
		}
		return shown
	}
}

func paper(to, from []byte, _, _ int) {
	to[0] = level(34 + 0.72*float64(from[0]))
	to[1] = level(32 + 0.70*float64(from[1]))
	to[2] = level(28 + 0.64*float64(from[2]))
}

// displayed has a screen's blue white point and the moiré of its pixels with the camera's, which moves with the screen.
func (s studio) displayed(base scene) scene {
	return func(i int) *liveproof.Image {
		return changed(base(i), func(to, from []byte, x, y int) {
			moire := 1 + 0.05*math.Sin(0.55*float64(x)+0.21*float64(y)) + 0.03*math.Sin(1.9*float64(y))
			to[0] = level(moire * 0.92 * float64(from[0]))
			to[1] = level(moire * 0.98 * float64(from[1]))
			to[2] = level(moire*1.04*float64(from[2]) + 8)
		})
	}
}

// glaring puts a reflection over the picture that stays where it is while the screen moves.
func (s studio) glaring(base scene) scene {
	return func(i int) *liveproof.Image {
		img := base(i)
		cx, cy, r := 0.62*float64(img.Width), 0.3*float64(img.Height), 0.25*float64(img.Height)
		return changed(img, func(to, from []byte, x, y int) {
			u, v := (float64(x)-cx)/r, (float64(y)-cy)/r
			light := 40 * math.Exp(-(u*u+v*v)/2)
			for c := range 3 {
				to[c] = level(float64(from[c]) + light)
			}
		})
	}
}

// mirrored swaps left and right.
func (s studio) mirrored(base scene) scene {
	return func(i int) *liveproof.Image {
		img := base(i)
		return changed(img, func(to, _ []byte, x, y int) { copy(to, img.Pix[y*img.Stride+3*(img.Width-1-x):][:3]) })
	}
}

// cropped enlarges the middle.
func (s studio) cropped(base scene, share float64) scene {
	return func(i int) *liveproof.Image {
		img := base(i)
		cx, cy := float64(img.Width-1)/2, float64(img.Height-1)/2
		return warp(img, func(x, y float64) (float64, float64) { return cx + share*(x-cx), cy + share*(y-cy) })
	}
}
