package injection

import (
	"math"
	"slices"

	"github.com/liveproof/liveproof"
)

const (
	// viewRows is how many rows of each sampled picture are looked at, and viewColumns how many columns of each at most.
	viewRows, viewColumns = 32, 1280
	// segment is the length of the pieces of a row whose noise is measured.
	segment = 16
)

// views measures the noise of what stands still in the whole pictures.
type views struct {
	width, height int
	rows, before  []uint8 // green of viewRows rows, of this picture and the one before
	noise         texture
	scratch       []float64
}

// texture is the noise between two pictures.
type texture struct {
	known bool
	noise float64 // standard deviation of the quieter quarter of the picture's pieces, in levels
	still float64 // share of the pieces without any difference
}

func (v *views) observe(img *liveproof.Image) {
	if img.Width != v.width || img.Height != v.height {
		*v = views{width: img.Width, height: img.Height, scratch: v.scratch}
	}
	v.rows, v.before = v.before, v.rows
	v.read(img)
	v.compare()
}

// read takes the rows in the middle of viewRows strips, from the left edge on.
func (v *views) read(img *liveproof.Image) {
	columns := min(img.Width, viewColumns)
	v.rows = slices.Grow(v.rows[:0], viewRows*columns)[:viewRows*columns]
	for i := range viewRows {
		y := (2*i + 1) * img.Height / (2 * viewRows)
		row := img.Pix[3*y*img.Width:]
		to := v.rows[i*columns : (i+1)*columns]
		for x := range to {
			to[x] = row[3*x+1]
		}
	}
}

// compare measures the noise. The differences of a piece that moves are larger than those of one that stands still, so the quieter
// quarter is noise where anything stands still.
func (v *views) compare() {
	if len(v.before) != len(v.rows) || len(v.rows) < segment {
		v.noise = texture{}
		return
	}
	sigmas, still := v.scratch[:0], 0
	for at := 0; at+segment <= len(v.rows); at += segment {
		var sum, square int
		for i, x := range v.rows[at : at+segment] {
			d := int(x) - int(v.before[at+i])
			sum, square = sum+d, square+d*d
		}
		if square == 0 {
			still++
		}
		variance := float64(square)/segment - float64(sum*sum)/(segment*segment)
		sigmas = append(sigmas, variance/2) // of the difference of two
	}
	v.scratch = sigmas
	slices.Sort(sigmas)
	v.noise = texture{true, math.Sqrt(max(0, sigmas[len(sigmas)/4])), float64(still) / float64(len(sigmas))}
}
