package detector

import "github.com/liveproof/liveproof"

// #include "pixels.h"
import "C"

// resizer computes the centre of a resized square, rows first. It keeps its
// memory between calls. For one goroutine at a time.
type resizer struct {
	kernel kernel   // for both axes, as the sides of the square are equal
	row    []byte   // one source row of the square
	ring   []int16  // the last kernel.n horizontally resized rows
	lanes  []uint16 // the weights, each repeated for all lanes of a vector
	sums   []int32  // of one output row
}

// resize fills out, the middle of cropSize squared, from the square sq of img,
// whose border pixels are repeated outside of it. img must satisfy checkImage.
func (r *resizer) resize(out, img *liveproof.Image, sq square) {
	size := out.Width
	r.kernel.build(sq.side, size)
	n := r.kernel.n
	r.row = sized(r.row, 3*sq.side+C.LP_ROW_PAD)
	r.ring = sized(r.ring, n*(3*size+C.LP_RING_PAD))
	r.lanes = sized(r.lanes, C.LP_LANES*n*size)
	r.sums = sized(r.sums, 3*size)
	C.lp_resize(bytesOf(img.Pix), shapeOf(img), C.lp_square{left: C.int(sq.left), top: C.int(sq.top), side: C.int(sq.side)},
		int32s(r.kernel.first), uint16s(r.kernel.weights), C.int(n), bytesOf(out.Pix), C.int(size), C.ptrdiff_t(out.Stride),
		bytesOf(r.row), int16s(r.ring), uint16s(r.lanes), int32s(r.sums))
}
