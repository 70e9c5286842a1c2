package detector

import (
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
	plane := b.width * b.height
	for y := range b.fitHeight {
		upper := img.Pix[int(b.ys[2*y])*img.Stride:]
		lower := img.Pix[int(b.ys[2*y+1])*img.Stride:]
		at := y * b.width
		b.fillRow(dst[at:at+b.fitWidth], dst[plane+at:plane+at+b.fitWidth],
			dst[2*plane+at:2*plane+at+b.fitWidth], upper, lower)
	}
}

func (b *letterbox) fillRow(blue, green, red []float32, upper, lower []byte) {
	xs := b.xs[:2*len(blue)]
	n := 3 * b.srcWidth
	upper, lower = upper[:n], lower[:n]
	green, red = green[:len(blue)], red[:len(blue)]
	for x := range blue {
		i, j := int(xs[2*x]), int(xs[2*x+1])
		p, q, r, s := upper[i:i+3], upper[j:j+3], lower[i:i+3], lower[j:j+3]
		red[x] = float32(int32(p[0])+int32(q[0])+int32(r[0])+int32(s[0])-4*meanR) * 0.25
		green[x] = float32(int32(p[1])+int32(q[1])+int32(r[1])+int32(s[1])-4*meanG) * 0.25
		blue[x] = float32(int32(p[2])+int32(q[2])+int32(r[2])+int32(s[2])-4*meanB) * 0.25
	}
}
