package motion

import (
	"math"

	"github.com/liveproof/liveproof"
)

// The patch is a face's luma on a grid that is aligned by the landmarks, or by the box without them. Its inner part is side×side
// points and is compared; a margin around it keeps the fit inside while the face moves against the grid.
const (
	side   = 64
	margin = 12
	wide   = side + 2*margin
)

// patch is smoothed luma in levels, wide×wide, row by row.
type patch [wide * wide]float32

// facePoints is where the landmarks lie in the unit square that the inner part covers.
var facePoints = liveproof.Landmarks{{X: 0.33, Y: 0.36}, {X: 0.67, Y: 0.36}, {X: 0.5, Y: 0.56}, {X: 0.37, Y: 0.76}, {X: 0.63, Y: 0.76}}

// boxShare is the side of that square in longer sides of the box.
const boxShare = 0.9

// similarity maps the unit square into the picture: (x, y) → (ax - by + tx, bx + ay + ty).
type similarity struct{ a, b, tx, ty float64 }

// size is the side of the mapped unit square in pixels.
func (s similarity) size() float64 { return math.Hypot(s.a, s.b) }

// alignment fits facePoints onto the landmarks by least squares.
func alignment(f liveproof.Face) similarity {
	l := f.Landmarks
	if l == nil {
		b := f.Box
		size := boxShare * float64(max(b.Width(), b.Height()))
		return similarity{a: size, tx: (float64(b.X1) + float64(b.X2) - size) / 2, ty: (float64(b.Y1) + float64(b.Y2) - size) / 2}
	}
	from, to := centroid(facePoints), centroid(*l)
	var dot, cross, norm float64
	for i, p := range facePoints {
		px, py := float64(p.X-from.X), float64(p.Y-from.Y)
		qx, qy := float64(l[i].X-to.X), float64(l[i].Y-to.Y)
		dot += px*qx + py*qy
		cross += px*qy - py*qx
		norm += px*px + py*py
	}
	s := similarity{a: dot / norm, b: cross / norm}
	s.tx = float64(to.X) - s.a*float64(from.X) + s.b*float64(from.Y)
	s.ty = float64(to.Y) - s.b*float64(from.X) - s.a*float64(from.Y)
	return s
}

func centroid(l liveproof.Landmarks) (c liveproof.Point) {
	for _, p := range l {
		c.X += p.X / float32(len(l))
		c.Y += p.Y / float32(len(l))
	}
	return c
}

// The size of a face's square, in pixels, that can be examined: smaller ones show no eyes, larger ones are in no picture.
const (
	smallest = 40
	largest  = 1 << 14
)

// usable reports whether the picture is what it says it is, and the square lies in it for the most part.
func (s similarity) usable(img *liveproof.Image) bool {
	if img == nil || img.Width < 2 || img.Height < 2 || img.Stride < 3*img.Width || len(img.Pix) < img.Stride*(img.Height-1)+3*img.Width {
		return false
	}
	size := s.size()
	if !(size >= smallest && size <= largest) { // NaN is refused too
		return false
	}
	cx, cy := (s.a-s.b)/2+s.tx, (s.a+s.b)/2+s.ty
	return cx >= 0 && cy >= 0 && cx <= float64(img.Width) && cy <= float64(img.Height)
}

// maxPoints is how many points along each axis are averaged for a point of the patch.
const maxPoints = 4

// cut samples the picture. s must be usable.
func (p *patch) cut(img *liveproof.Image, s similarity) {
	step := s.size() / side // pixels of the picture for one of the patch
	n := min(max(int(math.Ceil(step)), 1), maxPoints)
	ax, bx := s.a/side/float64(n), s.b/side/float64(n)
	for y := range wide {
		for x := range wide {
			var sum float32
			for j := range n {
				v := float64((y-margin)*n+j) + 0.5
				for i := range n {
					u := float64((x-margin)*n+i) + 0.5
					sum += luma(img, float32(ax*u-bx*v+s.tx-0.5), float32(bx*u+ax*v+s.ty-0.5))
				}
			}
			p[y*wide+x] = sum / float32(n*n)
		}
	}
	p.smooth()
}

// luma is the bilinearly sampled luma; outside the picture the border is repeated.
func luma(img *liveproof.Image, x, y float32) float32 {
	x, y = min(max(x, 0), float32(img.Width-1)), min(max(y, 0), float32(img.Height-1))
	x0, y0 := min(int(x), img.Width-2), min(int(y), img.Height-2)
	fx, fy := x-float32(x0), y-float32(y0)
	p := img.Pix[y0*img.Stride+3*x0:]
	q := img.Pix[(y0+1)*img.Stride+3*x0:]
	a, b := grey(p), grey(p[3:])
	c, d := grey(q), grey(q[3:])
	top, bottom := a+fx*(b-a), c+fx*(d-c)
	return top + fy*(bottom-top)
}

// grey is the luma of BT.601.
func grey(p []byte) float32 {
	return float32(299*int(p[0])+587*int(p[1])+114*int(p[2])) * (1.0 / 1000)
}

// smooth filters by (1 4 6 4 1)/16 along both axes: what is finer than two points is an encoder's or the resampling's.
func (p *patch) smooth() {
	var rows patch
	at := func(i int) int { return min(max(i, 0), wide-1) }
	for y := range wide {
		row := p[y*wide:][:wide]
		for x := range wide {
			rows[y*wide+x] = (row[at(x-2)] + row[at(x+2)] + 4*(row[at(x-1)]+row[at(x+1)]) + 6*row[x]) / 16
		}
	}
	for y := range wide {
		a, b, d, e := rows[at(y-2)*wide:][:wide], rows[at(y-1)*wide:][:wide], rows[at(y+1)*wide:][:wide], rows[at(y+2)*wide:][:wide]
		c, out := rows[y*wide:][:wide], p[y*wide:][:wide]
		for x := range out {
			out[x] = (a[x] + e[x] + 4*(b[x]+d[x]) + 6*c[x]) / 16
		}
	}
}
