package detector

import (
	"math"

	"github.com/liveproof/liveproof"
)

// lookSide is the side of a look in cells.
const lookSide = 24

// look is a face's appearance at a glance: its luma on a coarse grid that is
// aligned by the landmarks (by the box without them), with mean 0 and norm 1.
// Light and contrast cancel out. It tells that something changed abruptly, not
// who someone is, and it is never stored beyond the running session.
type look [lookSide * lookSide]float32

// takeLook samples the face; false when the picture is flat there.
func takeLook(img *liveproof.Image, f liveproof.Face) (look, bool) {
	var l look
	a := alignment(f)
	for y := range lookSide {
		for x := range lookSide {
			l[y*lookSide+x] = a.cell(img, x, y)
		}
	}
	return l, l.normalise(flat)
}

// flat is the norm of a raw look without contrast: one level of luma in each cell.
const flat = lookSide

// normalise makes the mean 0 and the norm 1; false when the norm was below least.
func (l *look) normalise(least float64) bool {
	var mean float32
	for _, v := range l {
		mean += v
	}
	mean /= float32(len(l))
	var norm float64
	for i := range l {
		l[i] -= mean
		norm += float64(l[i]) * float64(l[i])
	}
	norm = math.Sqrt(norm)
	if norm < least {
		return false
	}
	for i := range l {
		l[i] /= float32(norm)
	}
	return true
}

// correlation of two looks, in [-1, 1]; 1 is the same appearance.
func (l *look) correlation(o *look) float32 {
	var sum float32
	for i := range l {
		sum += l[i] * o[i]
	}
	return sum
}

// similarity maps the unit square of the look into the picture:
// (x, y) → (ax - by + tx, bx + ay + ty), a rotation with scale and shift.
type similarity struct{ a, b, tx, ty float32 }

// facePoints is where the landmarks lie in the look's unit square.
var facePoints = liveproof.Landmarks{{X: 0.33, Y: 0.36}, {X: 0.67, Y: 0.36}, {X: 0.5, Y: 0.56}, {X: 0.37, Y: 0.76}, {X: 0.63, Y: 0.76}}

// alignment fits facePoints onto the landmarks by least squares.
func alignment(f liveproof.Face) similarity {
	if f.Landmarks == nil {
		return similarity{a: longerSide(f.Box), tx: f.Box.X1, ty: f.Box.Y1}
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

// cell is the mean luma of four points in one cell of the look.
func (s similarity) cell(img *liveproof.Image, x, y int) float32 {
	var sum int
	for _, q := range [4][2]float32{{0.25, 0.25}, {0.75, 0.25}, {0.25, 0.75}, {0.75, 0.75}} {
		u, v := (float32(x)+q[0])/lookSide, (float32(y)+q[1])/lookSide
		px := clampInt(int(s.a*u-s.b*v+s.tx), img.Width)
		py := clampInt(int(s.b*u+s.a*v+s.ty), img.Height)
		p := img.Pix[py*img.Stride+3*px:]
		sum += luma(p[0], p[1], p[2])
	}
	return float32(sum) / 4
}

// clampInt puts i into [0, n).
func clampInt(i, n int) int { return max(0, min(n-1, i)) }

// luma is Y' of BT.601 in full range, [0, 255], from 8-bit fixed-point weights.
func luma(r, g, b byte) int { return (77*int(r) + 150*int(g) + 29*int(b)) >> 8 }
