package identity

import (
	"math"

	"github.com/liveproof/liveproof"
)

// side is the width and height in pixels of the embedder's input. The template's coordinates are pixels of it.
const side = 112

// template is where the landmarks of a level face lie in the embedder's input: the five points to which ArcFace (Deng et al., CVPR 2019)
// and most networks after it align faces.
var template = liveproof.Landmarks{{X: 38.2946, Y: 51.6963}, {X: 73.5318, Y: 51.5014}, {X: 56.0252, Y: 71.7366}, {X: 41.5493, Y: 92.3655}, {X: 70.7299, Y: 92.2041}}

// maxYaw is how far a face may be turned to be compared, in half eye distances between the nose and the middle of the eyes.
const maxYaw = 0.45

// similarity maps the template's plane into the picture: (x, y) → (ax - by + tx, bx + ay + ty), a rotation with scale and shift.
type similarity struct{ a, b, tx, ty float32 }

// alignment fits the template onto the landmarks by least squares. ok is false if they span nothing.
func alignment(l *liveproof.Landmarks) (s similarity, ok bool) {
	from, to := centroid(template), centroid(*l)
	var dot, cross, norm float32
	for i, p := range template {
		px, py := p.X-from.X, p.Y-from.Y
		qx, qy := l[i].X-to.X, l[i].Y-to.Y
		dot += px*qx + py*qy
		cross += px*qy - py*qx
		norm += px*px + py*py
	}
	s = similarity{a: dot / norm, b: cross / norm}
	s.tx = to.X - s.a*from.X + s.b*from.Y
	s.ty = to.Y - s.b*from.X - s.a*from.Y
	scale := math.Hypot(float64(s.a), float64(s.b))
	return s, scale > 0.05 && scale < 1000
}

func centroid(l liveproof.Landmarks) (c liveproof.Point) {
	for _, p := range l {
		c.X += p.X / float32(len(l))
		c.Y += p.Y / float32(len(l))
	}
	return c
}

// frontal reports whether the nose lies near the middle of the eyes, along their line.
func frontal(l *liveproof.Landmarks) bool {
	ex, ey := float64(l[1].X-l[0].X)/2, float64(l[1].Y-l[0].Y)/2
	nx, ny := float64(l[2].X-(l[0].X+l[1].X)/2), float64(l[2].Y-(l[0].Y+l[1].Y)/2)
	mx, my := float64(l[3].X+l[4].X-l[0].X-l[1].X)/2, float64(l[3].Y+l[4].Y-l[0].Y-l[1].Y)/2
	det := ex*my - ey*mx
	if !(math.Abs(det) > 1e-6*(mx*mx+my*my)) {
		return false
	}
	return math.Abs((nx*my-ny*mx)/det) <= maxYaw
}

// square is a part of the template's plane that is sampled on a grid.
type square struct {
	x, y, size float32 // its corner and side, in the template's pixels
	cells      int     // along each side of the grid
	points     int     // along each side of a cell; a cell is their mean
}

// sample averages img over the cells of the square and gives each one's red, green and blue to put. Outside the picture the border is
// repeated.
func (q square) sample(img *liveproof.Image, s similarity, put func(x, y int, rgb [3]float32)) {
	step := q.size / float32(q.cells*q.points)
	scale := 1 / float32(q.points*q.points)
	for y := range q.cells {
		for x := range q.cells {
			var sum [3]int
			for i := range q.points {
				v := q.y + (float32(y*q.points+i)+0.5)*step
				u := q.x + (float32(x*q.points)+0.5)*step
				px, py := s.a*u-s.b*v+s.tx, s.b*u+s.a*v+s.ty
				for range q.points {
					at := clamp(py, img.Height)*img.Stride + 3*clamp(px, img.Width)
					p := img.Pix[at:][:3]
					sum[0], sum[1], sum[2] = sum[0]+int(p[0]), sum[1]+int(p[1]), sum[2]+int(p[2])
					px, py = px+s.a*step, py+s.b*step
				}
			}
			put(x, y, [3]float32{float32(sum[0]) * scale, float32(sum[1]) * scale, float32(sum[2]) * scale})
		}
	}
}

// clamp is the pixel at v, limited to [0, n).
func clamp(v float32, n int) int {
	if !(v >= 0) { // NaN too
		return 0
	}
	return int(min(v, float32(n-1)))
}
