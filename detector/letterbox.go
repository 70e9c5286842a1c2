package detector

import (
	"encoding/binary"
	"math"

	"github.com/liveproof/liveproof"
)

// The mean colour that the network was trained with, subtracted in BGR order.
const (
	meanB = 104
	meanG = 117
	meanR = 123
)

// letterbox fits pictures of one size into the network's input: scaled as a
// whole so that it just fits, at the top left; the rest stays at the mean colour.
type letterbox struct {
	width, height int // of the input
	// Of the picture that the tables are made for, and of its place in the input.
	srcWidth, srcHeight int
	fitWidth, fitHeight int
	// Two source columns (as byte offsets) and rows for each input column and row.
	xs, ys []int32
	tails  [2][]byte // the picture's last rows, padded
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
}

// sampleTable gives for each of n cells over src pixels the two pixels at the
// quarter points of the cell, times step. Their average is the exact area
// average when halving, and keeps aliasing low from ×1 to ×4 at a fixed cost.
func sampleTable(t []int32, src, n, step int) []int32 {
	cell := float64(src) / float64(n)
	for i := range n {
		for _, q := range [2]float64{0.25, 0.75} {
			p := min(src-1, int((float64(i)+q)*cell))
			t = append(t, int32(p*step))
		}
	}
	return t
}

// fill writes img as planar BGR minus the mean into dst, which holds
// 3·height·width values: [1,3,H,W].
func (b *letterbox) fill(dst []float32, img *liveproof.Image) {
	if b.srcWidth != img.Width || b.srcHeight != img.Height {
		b.prepare(img.Width, img.Height)
		clear(dst) // what the last picture size left in the border
	}
	halve := b.srcWidth == 2*b.fitWidth && b.srcHeight == 2*b.fitHeight
	plane := b.width * b.height
	for y := range b.fitHeight {
		upper := b.row(&b.tails[0], img, int(b.ys[2*y]))
		lower := b.row(&b.tails[1], img, int(b.ys[2*y+1]))
		at := y * b.width
		blue, green, red := dst[at:at+b.fitWidth], dst[plane+at:plane+at+b.fitWidth], dst[2*plane+at:2*plane+at+b.fitWidth]
		if halve {
			halveRow(blue, green, red, upper, lower)
		} else {
			b.fillRow(blue, green, red, upper, lower)
		}
	}
}

// rowPad is how many bytes behind a row the loads below may touch.
const rowPad = 8

// row is source row y with rowPad readable bytes behind it. At the end of the
// picture there are none, so that the row is copied to tail.
func (b *letterbox) row(tail *[]byte, img *liveproof.Image, y int) []byte {
	at, n := y*img.Stride, 3*img.Width
	if at+n+rowPad <= len(img.Pix) {
		return img.Pix[at : at+n+rowPad]
	}
	*tail = append(append((*tail)[:0], img.Pix[at:at+n]...), make([]byte, rowPad)...)
	return *tail
}

// fillRow makes one input row from two source rows.
func (b *letterbox) fillRow(blue, green, red []float32, upper, lower []byte) {
	xs := b.xs[:2*len(blue)]
	green, red = green[:len(blue)], red[:len(blue)]
	for x := range blue {
		i, j := int(xs[2*x]), int(xs[2*x+1])
		p, q, r, s := pixel(upper, i), pixel(upper, j), pixel(lower, i), pixel(lower, j)
		// Red and blue are added up side by side; the sum of four bytes fits into 10 of the 16 bits.
		rb := p&redBlue + q&redBlue + r&redBlue + s&redBlue
		g := p>>8&0xff + q>>8&0xff + r>>8&0xff + s>>8&0xff
		red[x] = quarter(rb&0xffff) - (quarterBase + meanR)
		green[x] = quarter(g) - (quarterBase + meanG)
		blue[x] = quarter(rb>>16) - (quarterBase + meanB)
	}
}

// halveRow is fillRow for pictures of exactly twice the input's size, by far
// the most frequent ones: two neighbouring pixels come with one load.
func halveRow(blue, green, red []float32, upper, lower []byte) {
	const even = 0x00ff00ff00ff00ff
	green, red = green[:len(blue)], red[:len(blue)]
	for x := range blue {
		u, l := binary.LittleEndian.Uint64(upper[6*x:]), binary.LittleEndian.Uint64(lower[6*x:])
		e := u&even + l&even       // R0, B0, G1 in lanes of 16 bits
		o := u>>8&even + l>>8&even // G0, R1, B1
		red[x] = quarter(uint32(e+o>>16)&0xffff) - (quarterBase + meanR)
		green[x] = quarter(uint32(o+e>>32)&0xffff) - (quarterBase + meanG)
		blue[x] = quarter(uint32((e>>16+o>>32)&0xffff)) - (quarterBase + meanB)
	}
}

// pixel is R | G<<8 | B<<16 of the pixel at byte i of a row, below a byte of its neighbour.
func pixel(row []byte, i int) uint32 { return binary.LittleEndian.Uint32(row[i:]) }

// quarterBase is the float32 whose last binary place is worth 1/4.
const quarterBase = 1 << 21

// quarter is quarterBase + v/4, exactly, for v < 2²³. Writing v into the
// mantissa is several times faster than converting it.
func quarter(v uint32) float32 { return math.Float32frombits(0x4a000000 | v) }

// redBlue masks red and blue in a pixel.
const redBlue = 0xff00ff
