package liveproof

// Coding is what the encoding of a picture says about the detail that it kept.
type Coding struct {
	Quantisers Quantisers
	// Bits is the mean number of bits per pixel, over the pictures of about the last second without key frames; 0 when it is
	// not known, or for a codec whose quantisers alone tell how coarse the encoding is.
	Bits float64
}

// QuantiserSide is the number of cells of Quantisers in a row and in a column.
const QuantiserSide = 16

// Quantisers are the mean quantiser steps of QuantiserSide × QuantiserSide cells of a picture, row by row, as shown, upright. A step is
// the distance between two values that a transform coefficient of the luma can have, in levels of an 8-bit sample:
// detail smaller than half a step was lost in encoding. In-loop filters hide coarse steps, so a step is divided by a constant
// for the codec and its filter: at equal values, scores of all codecs are about equally reliable.
type Quantisers [QuantiserSide * QuantiserSide]float32

// Around is the mean over the cells that the box touches in the image; for a box outside the image, over all cells.
func (q *Quantisers) Around(b Box, img *Image) float64 {
	x1, x2 := cellsOf(b.X1, b.X2, img.Width)
	y1, y2 := cellsOf(b.Y1, b.Y2, img.Height)
	var sum, n float64
	for y := y1; y <= y2; y++ {
		for x := x1; x <= x2; x++ {
			sum += float64(q[y*QuantiserSide+x])
			n++
		}
	}
	return sum / n
}

// cellsOf are the first and the last cell of a span of size pixels.
func cellsOf(from, to float32, size int) (first, last int) {
	const all = QuantiserSide - 1
	first, last = int(from*QuantiserSide/float32(size)), int(to*QuantiserSide/float32(size))
	if !(from < to) || last < 0 || first > all {
		return 0, all
	}
	return max(first, 0), min(last, all)
}
