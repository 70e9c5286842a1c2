package detector

import (
	"math"

	"github.com/liveproof/liveproof"
)

// The grid of an appearance. It covers head, hair and shoulders: three times the
// square of the landmarks, further down than up.
const (
	gridSide   = 8   // cells along each axis
	cellPoints = 4   // points along each axis of a cell
	gridSpan   = 3.0 // in units of the landmarks' square
	gridDown   = 0.8 // how far its centre is below that of the landmarks' square
	gridCells  = gridSide * gridSide
)

// appearance is a thumbnail of a person for tracking: the mean colours of a coarse
// grid that is aligned by the landmarks (by the box without them), each channel with
// mean 0, all of it with norm 1. Brightness, contrast and white balance cancel
// out. It says that something changed abruptly, not who someone is, and it
// never leaves the running session's memory.
//
// Measured at 5 images a second: neighbouring images of one person correlate by
// 0.95 in the median and by 0.68 at least, over 288 pairs that include fast
// turns of the head and hands before the face. Different people before the same
// camera correlate by 0.42 and 0.44 in the median (at most 0.54) for two of
// three pairs, but by 0.77 where both have dark clothes and short hair; two
// portraits by 0.07 (99 % below 0.69). So the check finds most swaps, but must
// not be the only check.
type appearance [3 * gridCells]float32

// appearanceOf samples the face; false when the picture has no contrast there.
func appearanceOf(img *liveproof.Image, f liveproof.Face) (appearance, bool) {
	var out appearance
	a := alignment(f).widened()
	for y := range gridSide {
		for x := range gridSide {
			r, g, b := a.cell(img, x, y)
			at := y*gridSide + x
			out[at], out[gridCells+at], out[2*gridCells+at] = r, g, b
		}
	}
	for c := range 3 {
		centreOn0(out[c*gridCells : (c+1)*gridCells])
	}
	return out, out.normalise(flat)
}

func centreOn0(v []float32) {
	var mean float32
	for _, x := range v {
		mean += x / float32(len(v))
	}
	for i := range v {
		v[i] -= mean
	}
}

// flat is the norm of a raw appearance without contrast: about one level in each value.
const flat = 14

// normalise scales the norm to 1; false when the norm was below least.
func (a *appearance) normalise(least float64) bool {
	var norm float64
	for _, v := range a {
		norm += float64(v) * float64(v)
	}
	norm = math.Sqrt(norm)
	if !(norm >= least) {
		return false
	}
	for i := range a {
		a[i] /= float32(norm)
	}
	return true
}

// correlation of two appearances, in [-1, 1]; 1 is the same appearance.
func (a *appearance) correlation(o *appearance) float32 {
	var sum float32
	for i := range a {
		sum += a[i] * o[i]
	}
	return sum
}

// similarity maps the appearance's unit square into the picture:
// (x, y) → (ax - by + tx, bx + ay + ty), a rotation with scale and shift.
type similarity struct{ a, b, tx, ty float32 }

// facePoints is where the landmarks lie in the appearance's unit square.
var facePoints = liveproof.Landmarks{{X: 0.33, Y: 0.36}, {X: 0.67, Y: 0.36}, {X: 0.5, Y: 0.56}, {X: 0.37, Y: 0.76}, {X: 0.63, Y: 0.76}}

// boxShare is the side of the landmarks' square in longer sides of the box.
const boxShare = 0.9

// alignment fits facePoints onto the landmarks by least squares.
func alignment(f liveproof.Face) similarity {
	if f.Landmarks == nil {
		side := boxShare * longerSide(f.Box)
		x, y := centre(f.Box)
		return similarity{a: side, tx: x - side/2, ty: y - side/2}
	}
	from, to := centroid(facePoints), centroid(*f.Landmarks)
	var dot, cross, norm float32
	for i, p := range facePoints {
		px, py := p.X-from.X, p.Y-from.Y
		qx, qy := f.Landmarks[i].X-to.X, f.Landmarks[i].Y-to.Y
		dot += px*qx + py*qy
		cross += px*qy - py*qx
		norm += px*px + py*py
	}
	s := similarity{a: dot / norm, b: cross / norm}
	s.tx = to.X - s.a*from.X + s.b*from.Y
	s.ty = to.Y - s.b*from.X - s.a*from.Y
	return s
}

func centroid(l liveproof.Landmarks) (c liveproof.Point) {
	for _, p := range l {
		c.X += p.X / float32(len(l))
		c.Y += p.Y / float32(len(l))
	}
	return c
}

// widened maps the unit square to the whole grid instead of the landmarks' part of it.
func (s similarity) widened() similarity {
	const u, v = 0.5 - gridSpan/2, 0.5 + gridDown - gridSpan/2
	return similarity{
		a: s.a * gridSpan, b: s.b * gridSpan,
		tx: s.tx + s.a*u - s.b*v, ty: s.ty + s.b*u + s.a*v,
	}
}

// cell is the mean colour of one cell of the grid; outside the picture the
// border pixels are repeated.
func (s similarity) cell(img *liveproof.Image, x, y int) (r, g, b float32) {
	const step = 1.0 / (gridSide * cellPoints)
	var sum [3]int
	for i := range cellPoints {
		v := (float32(y*cellPoints+i) + 0.5) * step
		for j := range cellPoints {
			u := (float32(x*cellPoints+j) + 0.5) * step
			px := clampInt(int(s.a*u-s.b*v+s.tx), img.Width)
			py := clampInt(int(s.b*u+s.a*v+s.ty), img.Height)
			p := img.Pix[py*img.Stride+3*px:][:3]
			sum[0], sum[1], sum[2] = sum[0]+int(p[0]), sum[1]+int(p[1]), sum[2]+int(p[2])
		}
	}
	const n = cellPoints * cellPoints
	return float32(sum[0]) / n, float32(sum[1]) / n, float32(sum[2]) / n
}

// clampInt limits i to [0, n).
func clampInt(i, n int) int { return max(0, min(n-1, i)) }
