package pipeline

import (
	"math"
	"slices"
	"time"

	"github.com/liveproof/liveproof"
)

// What tells a face that moves from a picture that stands still. The figures
// are measured, see docs/adr/0007-frozen-pictures.md.
const (
	// stillSpan is over how much stream time a face must have moved.
	stillSpan = 800 * time.Millisecond
	// stillSlack takes in samples that are a picture late.
	stillSlack = 50 * time.Millisecond
	// stillShare of the face's cells must have changed by stillLevels, which is above the noise of the
	// encoders measured. That noise does not shrink with the picture's contrast.
	stillShare  = 0.05
	stillLevels = 6
	// faceContrast is the standard deviation of a face's cells from which contrast is ordinary, in levels.
	faceContrast = 26
	// flatContrast is the one below which a face's motion cannot be told from an encoder's noise.
	flatContrast = 13
	// faceMargin is how much of the face's size is looked at beyond its box.
	faceMargin = 0.15
)

// stillness finds faces that do not move. A lossy codec never shows a still
// twice with the same pixels, but it moves nothing either: what changes is
// noise of a few levels in few cells, most of it in the first second, while the
// encoder refines its first picture.
type stillness struct {
	past []glance // of the last stillSpan, oldest first; at least the newest
}

// glance is what a picture of the sampling grid showed.
type glance struct {
	t     time.Duration
	cells *liveproof.Thumbnail
}

// motion is what the comparison of a face with its past shows.
type motion int

const (
	moves motion = iota
	// flat: the face has too little contrast to tell whether it moves. At ordinary contrast the
	// same changes might have been motion, or might have been noise.
	flat
	stands
)

// observe takes the next sample with a face, and the pictures since the last sample. The face
// moves if it differs from one of the pictures of the last stillSpan, and in the first sample.
func (s *stillness) observe(passed []glance, t time.Duration, cells *liveproof.Thumbnail, at region) motion {
	s.past = append(s.past, passed...)
	drop := 0
	for drop < len(s.past)-1 && t-s.past[drop].t > stillSpan+stillSlack {
		drop++
	}
	s.past = slices.Delete(s.past, 0, drop)
	found := compareFaces(s.past, cells, at)
	s.past = append(s.past, glance{t, cells})
	return found
}

func compareFaces(past []glance, cells *liveproof.Thumbnail, at region) motion {
	changed := func(levels float64) bool {
		return slices.ContainsFunc(past, func(g glance) bool { return at.moved(g.cells, cells, int(math.Ceil(levels))) })
	}
	if len(past) == 0 || changed(stillLevels) {
		return moves
	}
	contrast := at.contrast(cells)
	if contrast < flatContrast || contrast < faceContrast && changed(stillLevels*contrast/faceContrast) {
		return flat
	}
	return stands
}

// region is a rectangle of thumbnail cells; x1 and y1 are not part of it.
type region struct{ x0, y0, x1, y1 int }

// faceRegion is where a face lies in the thumbnail of a picture of this size.
func faceRegion(b liveproof.Box, width, height int) region {
	mx, my := faceMargin*b.Width(), faceMargin*b.Height()
	x0, x1 := cellsOf(b.X1-mx, b.X2+mx, width)
	y0, y1 := cellsOf(b.Y1-my, b.Y2+my, height)
	return region{x0, y0, x1, y1}
}

// cellsOf maps an interval of pixels onto at least one cell.
func cellsOf(from, to float32, size int) (lo, hi int) {
	const side = liveproof.ThumbnailSide
	scale := float32(side) / float32(max(1, size))
	lo = min(max(int(from*scale), 0), side-1)
	hi = min(int(to*scale)+1, side)
	return lo, max(hi, lo+1)
}

// moved reports whether enough cells differ by at least so many levels.
func (r region) moved(a, b *liveproof.Thumbnail, levels int) bool {
	changed := 0
	for y := r.y0; y < r.y1; y++ {
		row := y * liveproof.ThumbnailSide
		for i := row + r.x0; i < row+r.x1; i++ {
			if d := int(a[i]) - int(b[i]); d >= levels || d <= -levels {
				changed++
			}
		}
	}
	return float64(changed) >= stillShare*float64((r.x1-r.x0)*(r.y1-r.y0))
}

// contrast is the standard deviation of the cells, in levels.
func (r region) contrast(cells *liveproof.Thumbnail) float64 {
	sum, squares := 0, 0
	for y := r.y0; y < r.y1; y++ {
		row := y * liveproof.ThumbnailSide
		for _, v := range cells[row+r.x0 : row+r.x1] {
			sum += int(v)
			squares += int(v) * int(v)
		}
	}
	n := float64((r.x1 - r.x0) * (r.y1 - r.y0))
	mean := float64(sum) / n
	return math.Sqrt(max(0, float64(squares)/n-mean*mean))
}
