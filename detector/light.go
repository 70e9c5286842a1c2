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
}

// measureLight measures the crop, which must satisfy checkImage, in one pass.
func measureLight(crop *liveproof.Image) light {
	w, h := crop.Width, crop.Height
	rows := make([]int16, 3*w)
	sums := C.lp_light(bytesOf(crop.Pix), shapeOf(crop), int16s(rows))
	n := float64(w * h)
	l := light{mean: float64(sums.luma) / n, clipped: float64(sums.clipped) / n}
	l.contrast = math.Sqrt(max(0, float64(sums.luma2)/n-l.mean*l.mean))
	if inner := float64((w - 2) * (h - 2)); w > 2 && h > 2 {
		m := float64(sums.laplace) / inner
		l.blur = float64(sums.laplace2)/inner - m*m
	}
	return l
}

// luma is Y' of BT.601 in full range, [0, 255], from 8-bit fixed-point weights.
func luma(r, g, b byte) int {
	return (C.LP_LUMA_R*int(r) + C.LP_LUMA_G*int(g) + C.LP_LUMA_B*int(b)) >> 8
}
