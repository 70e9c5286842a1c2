package media

import "math"

// #include <libavutil/frame.h>
import "C"

// aspect is the width of a pixel over its height; 0 when it is not known.
type aspect float64

func aspectOf(numerator, denominator int) aspect {
	if numerator <= 0 || denominator <= 0 {
		return 0
	}
	return aspect(float64(numerator) / float64(denominator))
}

// worthScaling leaves alone what is square up to the rounding of an encoder, and what no camera or broadcast has: a hostile
// stream must not make pictures that are all width.
func (a aspect) worthScaling() bool {
	const rounding, most = 1.01, 4
	return a > rounding && a <= most || a < 1/rounding && a >= 1./most
}

// shownSize is a frame's size in square pixels, before it is turned.
func (c *converter) shownSize(f *C.AVFrame) (width, height int) {
	return c.square(int(f.width), int(f.height), aspectOf(int(f.sample_aspect_ratio.num), int(f.sample_aspect_ratio.den)))
}

// square is a size in square pixels. The container's aspect comes before the codec's, as in FFmpeg. One side is enlarged;
// where that would make the picture larger than the cap, the other is reduced.
func (c *converter) square(width, height int, codec aspect) (int, int) {
	a := c.aspect
	if a == 0 {
		a = codec
	}
	if !a.worthScaling() {
		return width, height
	}
	wide := max(1, int(math.Round(float64(width)*float64(a))))
	tall := max(1, int(math.Round(float64(height)/float64(a))))
	larger, smaller := [2]int{wide, height}, [2]int{width, tall}
	if a < 1 {
		larger, smaller = smaller, larger
	}
	if max(larger[0], larger[1]) > maxSide || larger[0]*larger[1] > c.maxPixels {
		return smaller[0], smaller[1]
	}
	return larger[0], larger[1]
}
