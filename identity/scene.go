package identity

import (
	"math"

	"github.com/liveproof/liveproof"
)

// sceneSide is the number of cells along each side of a scene.
const sceneSide = 32

// scene is the luma of a whole picture in coarse cells, with mean 0 and norm 1, so that exposure and contrast cancel out.
type scene [sceneSide * sceneSide]float32

// sceneOf averages 3×3 points in each cell.
func sceneOf(img *liveproof.Image) *scene {
	const points = 3
	s := new(scene)
	sx, sy := float32(img.Width)/(sceneSide*points), float32(img.Height)/(sceneSide*points)
	for y := range sceneSide * points {
		row := img.Pix[int((float32(y)+0.5)*sy)*img.Stride:]
		for x := range sceneSide * points {
			p := row[3*int((float32(x)+0.5)*sx):][:3]
			s[y/points*sceneSide+x/points] += float32(p[0])*0.299 + float32(p[1])*0.587 + float32(p[2])*0.114
		}
	}
	centre(s[:])
	var norm float64
	for _, v := range s {
		norm += float64(v) * float64(v)
	}
	scale := float32(1 / math.Sqrt(max(norm, 1)))
	for i := range s {
		s[i] *= scale
	}
	return s
}

// likeness of two scenes is their correlation, in [-1, 1].
func (s *scene) likeness(o *scene) float32 {
	var sum float32
	for i := range s {
		sum += s[i] * o[i]
	}
	return sum
}
