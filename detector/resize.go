package detector

import (
	"slices"

	"github.com/liveproof/liveproof"
)

// A packed pixel holds R, G and B in three lanes of 21 bits of a uint64, so
// that one multiplication weighs all three. A lane takes 255·256 after the
// horizontal pass; it is then cut to 5 binary places, so that 255·32·256 plus
// the rounding still fits after the vertical pass.
const (
	laneBits  = 21
	laneOnes  = 1 | 1<<laneBits | 1<<(2*laneBits)
	placesCut = 3  // bits cut between the passes: 8 places → 5
	placesEnd = 13 // places after the vertical pass: 5 + 8
	cutMask   = laneOnes * (1<<(16-placesCut) - 1)
	cutHalf   = laneOnes << (placesCut - 1)
	endHalf   = laneOnes << (placesEnd - 1)
)

// resizer computes the centre of a resized square, rows first. It keeps its
// memory between calls. For one goroutine at a time.
type resizer struct {
	kernel  kernel // for both axes, as the sides of the square are equal
	columns []int32
	packed  []uint64   // one source row of the square
	rows    [][]uint64 // the last kernel.n horizontally resized rows, row y at y mod n
	have    []int      // which row each of them is; -1 none
	acc     []uint64
}

// resize fills out, the middle of cropSize squared, from the square sq of img,
// whose border pixels are repeated outside of it.
func (r *resizer) resize(out, img *liveproof.Image, sq square) {
	size := out.Width
	r.kernel.build(sq.side, size)
	r.prepare(img, sq)
	n := r.kernel.n
	for y := range size {
		first := int(r.kernel.first[y])
		for p := first; p < first+n; p++ {
			if r.have[p%n] != p {
				r.packRow(img, sq, p)
				r.horizontal(r.rows[p%n])
				r.have[p%n] = p
			}
		}
		r.vertical(out.Pix[y*out.Stride:][:3*size], first, r.kernel.weights[y*n:y*n+n])
	}
}

// prepare sizes the buffers and makes the table of source columns.
func (r *resizer) prepare(img *liveproof.Image, sq square) {
	n := r.kernel.n
	for len(r.rows) < n {
		r.rows = append(r.rows, make([]uint64, cropSize))
	}
	r.have = slices.Grow(r.have[:0], n)[:n]
	for i := range r.have {
		r.have[i] = -1
	}
	r.packed = slices.Grow(r.packed[:0], sq.side)[:sq.side]
	r.acc = slices.Grow(r.acc[:0], r.kernel.size)[:r.kernel.size]
	r.columns = slices.Grow(r.columns[:0], sq.side)[:sq.side]
	for x := range r.columns {
		r.columns[x] = int32(3 * clampInt(sq.left+x, img.Width))
	}
}

// packRow packs the needed part of the square's row p.
func (r *resizer) packRow(img *liveproof.Image, sq square, p int) {
	row := img.Pix[clampInt(sq.top+p, img.Height)*img.Stride:]
	from := int(r.kernel.first[0])
	to := int(r.kernel.first[r.kernel.size-1]) + r.kernel.n
	dst := r.packed[from:to]
	columns := r.columns[from:to][:len(dst)]
	for x := range dst {
		at := int(columns[x])
		px := row[at : at+3 : at+3]
		dst[x] = uint64(px[0]) | uint64(px[1])<<laneBits | uint64(px[2])<<(2*laneBits)
	}
}

// horizontal resizes the packed row into dst.
func (r *resizer) horizontal(dst []uint64) {
	size := r.kernel.size
	dst = dst[:size]
	first := r.kernel.first[:size]
	switch r.kernel.n {
	case 2:
		weights := r.kernel.weights[:2*size]
		for x := range dst {
			px, w := r.packed[first[x]:][:2], weights[2*x:][:2]
			dst[x] = (px[0]*w[0] + px[1]*w[1] + cutHalf) >> placesCut & cutMask
		}
	case 3:
		weights := r.kernel.weights[:3*size]
		for x := range dst {
			px, w := r.packed[first[x]:][:3], weights[3*x:][:3]
			dst[x] = (px[0]*w[0] + px[1]*w[1] + px[2]*w[2] + cutHalf) >> placesCut & cutMask
		}
	default:
		n := r.kernel.n
		for x := range dst {
			var sum uint64 = cutHalf
			px := r.packed[first[x]:][:n]
			for i, w := range r.kernel.weights[x*n:][:n] {
				sum += px[i] * w
			}
			dst[x] = sum >> placesCut & cutMask
		}
	}
}

// vertical writes one output row from the resized rows first … first+n-1.
func (r *resizer) vertical(dst []byte, first int, weights []uint64) {
	n, size := len(weights), r.kernel.size
	switch n {
	case 2:
		a, b := r.rows[first%2][:size], r.rows[(first+1)%2][:size]
		wa, wb := weights[0], weights[1]
		for x := range a {
			unpack(dst[3*x:], a[x]*wa+b[x]*wb+endHalf)
		}
	case 3:
		a, b, c := r.rows[first%3][:size], r.rows[(first+1)%3][:size], r.rows[(first+2)%3][:size]
		wa, wb, wc := weights[0], weights[1], weights[2]
		for x := range a {
			unpack(dst[3*x:], a[x]*wa+b[x]*wb+c[x]*wc+endHalf)
		}
	default:
		for x := range r.acc {
			r.acc[x] = endHalf
		}
		for i, w := range weights {
			for x, v := range r.rows[(first+i)%n][:len(r.acc)] {
				r.acc[x] += v * w
			}
		}
		for x, v := range r.acc {
			unpack(dst[3*x:], v)
		}
	}
}

func unpack(dst []byte, v uint64) {
	dst = dst[:3]
	dst[0] = byte(v >> placesEnd)
	dst[1] = byte(v >> (placesEnd + laneBits))
	dst[2] = byte(v >> (placesEnd + 2*laneBits))
}
