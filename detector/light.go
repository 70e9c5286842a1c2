package detector

import (
	"math"

	"github.com/liveproof/liveproof"
)

// #include "pixels.h"
import "C"

// light describes the exposure and sharpness of a crop.
type light struct {
	mean     float64 // luma, [0,255]
	contrast float64 // standard deviation of the luma
	clipped  float64 // share of pixels whose luma is LP_CLIPPED or more, [0,1]
	blur     float64 // variance of the Laplacian of the luma
	streak   float64 // log2 of the differences' energy down over that across, [-8,8]
	levels   levels  // of the middle
}

// measureLight measures the crop, which must satisfy checkImage, in one pass.
func measureLight(crop *liveproof.Image) light {
	w, h := crop.Width, crop.Height
	rows := make([]int16, 3*w)
	var sums C.lp_light_sums
	C.lp_light(bytesOf(crop.Pix), shapeOf(crop), middleOf(w, h), int16s(rows), &sums)
	n := float64(w * h)
	l := light{mean: float64(sums.luma) / n, clipped: float64(sums.clipped) / n, levels: levelsOf(sums.levels)}
	l.contrast = math.Sqrt(max(0, float64(sums.luma2)/n-l.mean*l.mean))
	if inner := float64((w - 2) * (h - 2)); w > 2 && h > 2 {
		m := float64(sums.laplace) / inner
		l.blur = float64(sums.laplace2)/inner - m*m
		l.streak = max(-8, min(8, math.Log2((1+float64(sums.down2))/(1+float64(sums.across2)))))
	}
	return l
}

// middleOf is the part of a crop that shows nothing but the face: half of its width, and from the brows to the chin.
func middleOf(w, h int) C.lp_rect {
	return C.lp_rect{left: C.int(w / 4), top: C.int(h / 5), right: C.int(w - w/4), bottom: C.int(h - h/6)}
}

// levels counts pixels by their luma.
type levels [256]uint32

func levelsOf(from [256]C.uint32_t) (l levels) {
	for i, n := range from {
		l[i] = uint32(n)
	}
	return l
}

// total is the number of pixels.
func (l *levels) total() (n uint32) {
	for _, c := range l {
		n += c
	}
	return n
}

// mean is the mean luma; 0 of no pixels.
func (l *levels) mean() float64 {
	sum := 0
	for v, c := range l {
		sum += v * int(c)
	}
	return float64(sum) / float64(max(1, l.total()))
}

// quantile is the smallest luma that at least this share of the pixels does not exceed, [0,255].
func (l *levels) quantile(share float64) float64 {
	least, n := uint32(math.Ceil(share*float64(l.total()))), uint32(0)
	for v, c := range l {
		if n += c; n >= least {
			return float64(v)
		}
	}
	return 255
}

// backlight is the mean luma of the picture outside the face's square, from a grid of 32×32 pixels, less the face's; 0 where
// fewer than one in eight of these pixels lie outside.
func backlight(img *liveproof.Image, box liveproof.Box, face float64) float64 {
	const side = 32
	s := cropSquare(box)
	sum, n := 0, 0
	for i := range side {
		y := (2*i + 1) * img.Height / (2 * side)
		row := img.Pix[y*img.Stride:]
		within := y >= s.top && y < s.top+s.side
		for j := range side {
			x := (2*j + 1) * img.Width / (2 * side)
			if within && x >= s.left && x < s.left+s.side {
				continue
			}
			sum += luma(row[3*x], row[3*x+1], row[3*x+2])
			n++
		}
	}
	if n < side*side/8 {
		return 0
	}
	return float64(sum)/float64(n) - face
}

// luma is Y' of BT.601 in full range, [0, 255], from 8-bit fixed-point weights.
func luma(r, g, b byte) int {
	return (C.LP_LUMA_R*int(r) + C.LP_LUMA_G*int(g) + C.LP_LUMA_B*int(b)) >> 8
}
