package motion

import (
	"math"
	"slices"

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

// blocks is the luma around a face, averaged over square blocks of whole pixels. So a patch of a large face is no thinned-out picture.
type blocks struct {
	side          int // pixels of a block along each axis
	left, top     int // of the first block, in the picture
	width, height int // blocks
	luma          []float32
}

// thin: blocks of at least so many pixels along each axis are averages of every second row and column.
const thin = 4

// cover averages the picture where a wide patch lies, and reports whether it has blocks there. s must be usable.
func (b *blocks) cover(img *liveproof.Image, s similarity) bool {
	b.side = max(1, int(s.size()/side))
	x1, y1, x2, y2 := s.bounds()
	pad := 2 * b.side
	b.left, b.top = max(0, x1-pad), max(0, y1-pad)
	b.width, b.height = (min(img.Width, x2+pad)-b.left)/b.side, (min(img.Height, y2+pad)-b.top)/b.side
	if b.width < 2 || b.height < 2 {
		return false
	}
	if n := b.width * b.height; cap(b.luma) < n {
		b.luma = make([]float32, n)
	}
	b.luma = b.luma[:b.width*b.height]
	for y := range b.height {
		b.average(img, y)
	}
	return true
}

// average fills a row of blocks.
func (b *blocks) average(img *liveproof.Image, y int) {
	step := 1
	if b.side >= thin {
		step = 2
	}
	out := b.luma[y*b.width:][:b.width]
	clear(out)
	n := float32(0)
	for j := 0; j < b.side; j += step {
		row := img.Pix[(b.top+y*b.side+j)*img.Stride+3*b.left:][:3*b.width*b.side]
		for x := range out {
			block := row[3*x*b.side:][:3*b.side]
			sum := 0
			for i := 0; i+2 < len(block); i += 3 * step {
				sum += 77*int(block[i]) + 150*int(block[i+1]) + 29*int(block[i+2]) // BT.601
			}
			out[x] += float32(sum)
		}
		n += float32((b.side + step - 1) / step)
	}
	for x := range out {
		out[x] /= 256 * n
	}
}

// bounds is the rectangle of pixels around a wide patch, within reason.
func (s similarity) bounds() (x1, y1, x2, y2 int) {
	const lo, hi = -float64(margin) / side, 1 + float64(margin)/side
	xs := [...]float64{s.a*lo - s.b*lo, s.a*hi - s.b*lo, s.a*lo - s.b*hi, s.a*hi - s.b*hi}
	ys := [...]float64{s.b*lo + s.a*lo, s.b*hi + s.a*lo, s.b*lo + s.a*hi, s.b*hi + s.a*hi}
	return int(math.Floor(slices.Min(xs[:]) + s.tx)), int(math.Floor(slices.Min(ys[:]) + s.ty)),
		int(math.Ceil(slices.Max(xs[:]) + s.tx)), int(math.Ceil(slices.Max(ys[:]) + s.ty))
}

// cut samples the blocks that cover the same square.
func (p *patch) cut(b *blocks, s similarity) {
	scale := 1 / float64(b.side)
	ax, bx := float32(s.a/side*scale), float32(s.b/side*scale)
	half := float64(b.side-1) / 2 // a block's value is that of its middle
	tx, ty := float32((s.tx-0.5-float64(b.left)-half)*scale), float32((s.ty-0.5-float64(b.top)-half)*scale)
	right, bottom := float32(b.width-1), float32(b.height-1)
	for y := range wide {
		v := float32(y-margin) + 0.5
		out := p[y*wide:][:wide]
		for x := range out {
			u := float32(x-margin) + 0.5
			out[x] = b.sample(min(max(ax*u-bx*v+tx, 0), right), min(max(bx*u+ax*v+ty, 0), bottom))
		}
	}
	p.smooth()
}

// sample interpolates bilinearly between the blocks; x and y are in range.
func (b *blocks) sample(x, y float32) float32 {
	x0, y0 := min(int(x), b.width-2), min(int(y), b.height-2)
	fx, fy := x-float32(x0), y-float32(y0)
	i := y0*b.width + x0
	c, d := b.luma[i:i+2:i+2], b.luma[i+b.width:][:2]
	top, bottom := c[0]+fx*(c[1]-c[0]), d[0]+fx*(d[1]-d[0])
	return top + fy*(bottom-top)
}

// smooth filters by (1 4 6 4 1)/16 along both axes: what is finer than two points is an encoder's or the resampling's.
func (p *patch) smooth() {
	var rows patch
	at := func(i int) int { return min(max(i, 0), wide-1) }
	for y := range wide {
		row, out := p[y*wide:][:wide], rows[y*wide:][:wide]
		for x := 2; x < wide-2; x++ {
			out[x] = (row[x-2] + row[x+2] + 4*(row[x-1]+row[x+1]) + 6*row[x]) / 16
		}
		out[0], out[1], out[wide-2], out[wide-1] = row[0], row[1], row[wide-2], row[wide-1]
	}
	for y := range wide {
		a, b, d, e := rows[at(y-2)*wide:][:wide], rows[at(y-1)*wide:][:wide], rows[at(y+1)*wide:][:wide], rows[at(y+2)*wide:][:wide]
		c, out := rows[y*wide:][:wide], p[y*wide:][:wide]
		for x := range out {
			out[x] = (a[x] + e[x] + 4*(b[x]+d[x]) + 6*c[x]) / 16
		}
	}
}

// shift is how far a plane moved in the picture between two samples, as a share of the face's square: the root mean square over four
// of its points. from and to are the faces' squares, and warp the plane's motion between their patches.
func shift(from, to similarity, warp homography) float64 {
	w := warp.single()
	var sum float64
	for _, at := range [...][2]float32{{-0.5, -0.5}, {0.5, -0.5}, {-0.5, 0.5}, {0.5, 0.5}} {
		x1, y1 := from.inPicture(at[0], at[1])
		x, y := w.place(at[0], at[1])
		x2, y2 := to.inPicture((x-(wide-1)/2.0)/(side/2), (y-(wide-1)/2.0)/(side/2))
		sum += (x2-x1)*(x2-x1) + (y2-y1)*(y2-y1)
	}
	return math.Sqrt(sum/4) / from.size()
}

// inPicture maps coordinates of the inner part into the picture.
func (s similarity) inPicture(u, v float32) (x, y float64) {
	a, b := (float64(u)+1)/2, (float64(v)+1)/2
	return s.a*a - s.b*b + s.tx, s.b*a + s.a*b + s.ty
}
