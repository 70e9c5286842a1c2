package challenge

import (
	"math"

	"github.com/liveproof/liveproof"
)

// Region is a part of the face.
type region int

// The regions, of which each answers to the screen's light by itself.
const (
	forehead region = iota
	leftCheek
	rightCheek
	chin
	regions
)

const (
	// darkest and brightest bound the sRGB values that are measured: below, noise and black level rule; above, the sensor is full.
	darkest, brightest = 4, 250
	// fullest is how many pixels of a region are looked at, at most about.
	fullest = 4000
	// seen is the share of a region's pixels that must be measurable.
	seen = 0.25
	// smallest is the least width of a face, in pixels, of which regions are cut.
	smallest = 24
)

// ratios are log R/G and log B/G of a surface, in linear light.
type ratios [2]float64

// reading is what one picture says.
type reading struct {
	face       [regions]ratios
	valid      [regions]bool
	background ratios
	behind     bool // whether there is a background
}

// measure reads the ratios of the regions of the face and of the background.
func measure(img *liveproof.Image, face liveproof.Face) (r reading) {
	if !plausible(img, face) {
		return r
	}
	for i, box := range regionsOf(face) {
		r.face[i], r.valid[i] = ratiosOf(img, box)
	}
	r.background, r.behind = ratiosOf(img, backgroundOf(img, face)...)
	return r
}

// plausible refuses what no detector gives, so that nothing below divides by zero or leaves the picture.
func plausible(img *liveproof.Image, face liveproof.Face) bool {
	if img == nil || img.Width <= 0 || img.Height <= 0 || img.Stride < 3*img.Width || len(img.Pix) < (img.Height-1)*img.Stride+3*img.Width {
		return false
	}
	numbers := []float32{face.Box.X1, face.Box.Y1, face.Box.X2, face.Box.Y2}
	if face.Landmarks != nil {
		for _, p := range face.Landmarks {
			numbers = append(numbers, p.X, p.Y)
		}
	}
	for _, x := range numbers {
		if !(x > -1e5 && x < 1e5) { // NaN too
			return false
		}
	}
	return face.Box.Width() >= smallest && face.Box.Height() >= smallest
}

// regionsOf cuts the regions out of a face by its landmarks, or by its box where the detector gives none.
func regionsOf(face liveproof.Face) (boxes [regions]liveproof.Box) {
	left, right, mouth := anchors(face)
	eyes := middle(left, right)
	unit := max(distance(left, right), face.Box.Width()/5) // of the eyes
	down := liveproof.Point{X: (mouth.X - eyes.X), Y: (mouth.Y - eyes.Y)}
	along := func(p liveproof.Point, share float32) liveproof.Point {
		return liveproof.Point{X: p.X + share*down.X, Y: p.Y + share*down.Y}
	}
	boxes[forehead] = around(along(eyes, -0.55), 0.9*unit, 0.35*unit)
	boxes[leftCheek] = around(along(left, 0.62), 0.42*unit, 0.42*unit)
	boxes[rightCheek] = around(along(right, 0.62), 0.42*unit, 0.42*unit)
	boxes[chin] = around(along(eyes, 1.42), 0.5*unit, 0.28*unit)
	return boxes
}

// anchors are the eyes and the middle of the mouth.
func anchors(face liveproof.Face) (left, right, mouth liveproof.Point) {
	if l := face.Landmarks; l != nil {
		return l[0], l[1], middle(l[3], l[4])
	}
	b := face.Box
	in := func(x, y float32) liveproof.Point {
		return liveproof.Point{X: b.X1 + x*b.Width(), Y: b.Y1 + y*b.Height()}
	}
	return in(0.3, 0.4), in(0.7, 0.4), in(0.5, 0.77)
}

func middle(a, b liveproof.Point) liveproof.Point {
	return liveproof.Point{X: (a.X + b.X) / 2, Y: (a.Y + b.Y) / 2}
}

func distance(a, b liveproof.Point) float32 {
	return float32(math.Hypot(float64(a.X-b.X), float64(a.Y-b.Y)))
}

func around(c liveproof.Point, width, height float32) liveproof.Box {
	return liveproof.Box{X1: c.X - width/2, Y1: c.Y - height/2, X2: c.X + width/2, Y2: c.Y + height/2}
}

// backgroundOf is the strips left and right of the head, down to the chin: below it are the shoulders, which are as near as the face.
func backgroundOf(img *liveproof.Image, face liveproof.Face) []liveproof.Box {
	b := face.Box
	far := 0.35 * b.Width()
	bottom := b.Y1 + 0.8*b.Height()
	return []liveproof.Box{
		{X1: 0, Y1: 0, X2: b.X1 - far, Y2: bottom},
		{X1: b.X2 + far, Y1: 0, X2: float32(img.Width), Y2: bottom},
	}
}

// ratiosOf measures boxes of a picture together; ok is false where too little of them can be measured.
func ratiosOf(img *liveproof.Image, boxes ...liveproof.Box) (r ratios, ok bool) {
	var s sums
	for _, b := range boxes {
		s.add(img, b)
	}
	if s.looked < 16 || float64(s.n) < seen*float64(s.looked) {
		return r, false
	}
	return ratios{math.Log(s.light[0] / s.light[1]), math.Log(s.light[2] / s.light[1])}, true
}

// sums are of the light of measurable pixels.
type sums struct {
	light     [3]float64
	n, looked int
}

// add looks at a grid of the box's pixels, as far as they lie in the picture.
func (s *sums) add(img *liveproof.Image, b liveproof.Box) {
	x1, x2 := clip(b.X1, img.Width), clip(b.X2, img.Width)
	y1, y2 := clip(b.Y1, img.Height), clip(b.Y2, img.Height)
	if x1 >= x2 || y1 >= y2 {
		return
	}
	step := 1 + int(math.Sqrt(float64((x2-x1)*(y2-y1))/fullest))
	for y := y1; y < y2; y += step {
		row := img.Pix[y*img.Stride:]
		for x := x1; x < x2; x += step {
			s.looked++
			r, g, b := row[3*x], row[3*x+1], row[3*x+2]
			if min(r, g, b) < darkest || max(r, g, b) > brightest {
				continue
			}
			s.n++
			s.light[0] += linear[r]
			s.light[1] += linear[g]
			s.light[2] += linear[b]
		}
	}
}

func clip(v float32, limit int) int { return min(max(int(v), 0), limit) }
