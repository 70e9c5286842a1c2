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
	// edge bounds what one pixel adds to the profile of the grid, so that the scene's own edges do not hide it.
	edge = 12
	// blockSide is that of the blocks of JPEG, MPEG-2, H.263, and of the transforms of VP8 and H.264 or multiples of these.
	blockSide = 8
)

// sourceWidths are usual widths of recordings, in pixels, from which a picture of another width may have been scaled.
var sourceWidths = [...]float64{320, 352, 426, 480, 540, 720, 800, 848, 854, 960, 1024, 1080, 1280, 1440, 1600, 1920, 2560, 3840}

// views measures what the whole pictures show: the noise of what stands still, and the edges of blocks.
type views struct {
	width, height int
	rows, before  []uint8   // green of viewRows rows, of this picture and the one before
	profile       []float64 // mean excess of the step from column x to x+1 over the steps beside it
	n             float64   // pictures in the profile
	noise         texture
	edges         blocks
	scratch       []float64
}

// texture is the noise between two pictures.
type texture struct {
	known bool
	noise float64 // standard deviation of the quieter quarter of the picture's pieces, in levels
	still float64 // share of the pieces without any difference
}

// blocks is what the profile shows.
type blocks struct {
	known  bool
	offset float64 // how far the strongest foreign grid of blockSide pixels stands out, in standard deviations
	scaled float64 // the same for grids of scaled pictures
}

func (v *views) observe(img *liveproof.Image) {
	if img.Width != v.width || img.Height != v.height {
		*v = views{width: img.Width, height: img.Height, scratch: v.scratch}
	}
	v.rows, v.before = v.before, v.rows
	v.read(img)
	v.compare()
	v.accumulate()
	const least, every = 3, 4 // the profile changes slowly
	if int(v.n)%every == least && v.width >= 2*blockSide*blockSide {
		v.edges = blocks{true, v.foreignOffset(), v.foreignScale()}
	}
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
	if len(v.before) != len(v.rows) {
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

// accumulate adds a picture to the profile of its columns.
func (v *views) accumulate() {
	columns := min(v.width, viewColumns)
	if len(v.profile) != columns {
		v.profile, v.n = make([]float64, columns), 0
	}
	for i := range viewRows {
		row := v.rows[i*columns : (i+1)*columns]
		for x := 1; x+2 < columns; x++ {
			a, b, c := int(row[x])-int(row[x-1]), int(row[x+1])-int(row[x]), int(row[x+2])-int(row[x+1])
			excess := 2*max(b, -b) - max(a, -a) - max(c, -c)
			v.profile[x] += float64(min(max(excess, -2*edge), 2*edge))
		}
	}
	v.n++
}

// foreignOffset compares the grids of blockSide pixels that do not begin at the picture's edge. The grid that does is the coding's own,
// and so are its halves, the edges of 4×4 transforms.
func (v *views) foreignOffset() float64 {
	var sums, counts [blockSide]float64
	for x := 1; x+2 < len(v.profile); x++ {
		sums[(x+1)%blockSide] += v.profile[x]
		counts[(x+1)%blockSide]++
	}
	var foreign []float64
	for o, s := range sums {
		if o%(blockSide/2) != 0 {
			foreign = append(foreign, s/counts[o])
		}
	}
	most := slices.Max(foreign)
	median, deviation := spread(foreign)
	return (most - median) / max(deviation, v.n)
}

// foreignScale looks for the grid of a picture that was scaled to this width from each of sourceWidths: a line in the profile's spectrum
// that stands out among its neighbours.
func (v *views) foreignScale() float64 {
	most := 0.0
	for _, from := range sourceWidths {
		f := from / (blockSide * float64(v.width)) // cycles per column
		if f > 0.45 || f < 1.0/40 || own(f) {
			continue
		}
		most = max(most, v.line(f))
	}
	return most
}

// own reports whether a frequency is one of the coding's own grids: multiples of 1/16, the macroblock's.
func own(f float64) bool {
	const macroblock = 16
	return math.Abs(f*macroblock-math.Round(f*macroblock)) < 0.06
}

// line is how far the amplitude at a frequency stands out among those around it.
func (v *views) line(f float64) float64 {
	n := float64(len(v.profile))
	var beside []float64
	for k := 2.0; k <= 7; k++ {
		for _, g := range []float64{f - k/n, f + k/n} {
			if !own(g) {
				beside = append(beside, v.amplitude(g))
			}
		}
	}
	if len(beside) < 6 {
		return 0
	}
	median, deviation := spread(beside)
	return (v.amplitude(f) - median) / max(deviation, median/4, 1e-9)
}

// amplitude of the profile at a frequency, by Goertzel's recurrence.
func (v *views) amplitude(f float64) float64 {
	w := 2 * math.Cos(2*math.Pi*f)
	var s1, s2 float64
	for _, x := range v.profile {
		s1, s2 = x+w*s1-s2, s1
	}
	return math.Sqrt(max(0, s1*s1+s2*s2-w*s1*s2))
}
