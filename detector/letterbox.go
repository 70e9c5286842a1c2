package detector

import (
	"math"

	"github.com/liveproof/liveproof"
)

// #include "pixels.h"
import "C"

// The mean colour that the network was trained with, subtracted in BGR order.
const (
	meanB = 104
	meanG = 117
	meanR = 123
)

var meanBGR = [3]float32{meanB, meanG, meanR}

// letterbox fits pictures of one size into the network's input: scaled as a
// whole so that it just fits, at the top left; the rest stays at the mean colour.
type letterbox struct {
	width, height int // of the input
	// Of the picture that the tables are made for, and of its place in the input.
	srcWidth, srcHeight int
	fitWidth, fitHeight int
	// Two source columns (as byte offsets) for each input column, and two source rows for
	// each input row: first the first one of all cells, then the second one of all cells.
	xs, ys []uint32
	sums   []uint16 // of two source rows
	cells  []uint32 // of one input row: each cell has R, G and B summed over four pixels, 16 bits each, and 16 unused bits
}

// scale is how many picture pixels one input pixel spans, in x and y. Both are
// nearly equal; they differ by the rounding of fitWidth and fitHeight.
func (b *letterbox) scale() (x, y float32) {
	return float32(b.srcWidth) / float32(b.fitWidth), float32(b.srcHeight) / float32(b.fitHeight)
}

// prepare makes the tables for a picture of w×h pixels, if they are not there.
func (b *letterbox) prepare(w, h int) {
	if b.srcWidth == w && b.srcHeight == h {
		return
	}
	b.srcWidth, b.srcHeight = w, h
	s := math.Min(float64(b.width)/float64(w), float64(b.height)/float64(h))
	b.fitWidth = min(b.width, max(1, int(math.Round(float64(w)*s))))
	b.fitHeight = min(b.height, max(1, int(math.Round(float64(h)*s))))
	b.xs = sampleTable(b.xs[:0], w, b.fitWidth, 3)
	b.ys = sampleTable(b.ys[:0], h, b.fitHeight, 1)
	b.sums = sized(b.sums, 3*w+1)
	b.cells = sized(b.cells, 2*b.fitWidth)
}

// sampleTable divides src pixels into n cells. It returns, times step, the pixel at one
// quarter of each cell, and after those the pixel at three quarters of each cell. The
// average of the two is the exact area average when halving, and keeps aliasing low
// for reductions from ×1 to ×4 at a fixed cost.
func sampleTable(t []uint32, src, n, step int) []uint32 {
	cell := float64(src) / float64(n)
	for _, q := range [2]float64{0.25, 0.75} {
		for i := range n {
			p := min(src-1, int((float64(i)+q)*cell))
			t = append(t, uint32(p*step))
		}
	}
	return t
}

// fill writes img as planar BGR minus the mean into dst, which holds
// 3·height·width values: [1,3,H,W]. img, which may be a part of a wider picture,
// must satisfy checkImage, because the C code does not check bounds.
func (b *letterbox) fill(dst []float32, img *liveproof.Image) {
	if b.srcWidth != img.Width || b.srcHeight != img.Height {
		b.prepare(img.Width, img.Height)
		clear(dst) // what the last picture size left in the border
	}
	C.lp_letterbox(bytesOf(img.Pix), shapeOf(img), uint32s(b.xs), uint32s(b.ys), C.int(b.fitWidth), C.int(b.fitHeight),
		(*C.float)(&meanBGR[0]), (*C.float)(&dst[0]), C.int(b.width), C.int(b.height), uint16s(b.sums), uint32s(b.cells))
}
