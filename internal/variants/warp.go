package variants

import (
	"github.com/liveproof/liveproof"
)

// mapping says where in the source a pixel of the result lies.
type mapping func(x, y float64) (sx, sy float64)

// warp resamples bilinearly; outside the source its border pixels are repeated.
func warp(src *liveproof.Image, at mapping) *liveproof.Image {
	out := liveproof.NewImage(src.Width, src.Height)
	for y := range out.Height {
		row := out.Pix[y*out.Stride:]
		for x := range out.Width {
			sx, sy := at(float64(x), float64(y))
			bilinear(row[3*x:3*x+3:3*x+3], src, sx, sy)
		}
	}
	return out
}

// bilinear writes the source's colour at a position to a pixel.
func bilinear(to []byte, src *liveproof.Image, x, y float64) {
	x, y = min(max(x, 0), float64(src.Width-1)), min(max(y, 0), float64(src.Height-1))
	x0, y0 := min(int(x), max(0, src.Width-2)), min(int(y), max(0, src.Height-2))
	fx, fy := int((x-float64(x0))*256+0.5), int((y-float64(y0))*256+0.5)
	right, down := 3*min(1, src.Width-1), src.Stride*min(1, src.Height-1)
	p := src.Pix[y0*src.Stride+3*x0:]
	for c := range 3 {
		top := int(p[c])*(256-fx) + int(p[right+c])*fx
		bottom := int(p[down+c])*(256-fx) + int(p[down+right+c])*fx
		to[c] = byte((top*(256-fy) + bottom*fy + 1<<15) >> 16)
	}
}

// Fit returns the image scaled to lie centred in width × height pixels, with its border pixels repeated around it.
func Fit(img *liveproof.Image, width, height int) *liveproof.Image {
	scale := max(float64(img.Width)/float64(width), float64(img.Height)/float64(height))
	out := liveproof.NewImage(width, height)
	for y := range height {
		for x := range width {
			sx, sy := fitted(img, scale, width, height, float64(x), float64(y))
			bilinear(out.Pix[y*out.Stride+3*x:][:3], img, sx, sy)
		}
	}
	return out
}

func fitted(img *liveproof.Image, scale float64, width, height int, x, y float64) (sx, sy float64) {
	return (x-float64(width-1)/2)*scale + float64(img.Width-1)/2, (y-float64(height-1)/2)*scale + float64(img.Height-1)/2
}

// changed returns a picture with another value for each pixel.
func changed(src *liveproof.Image, value func(to, from []byte, x, y int)) *liveproof.Image {
	out := liveproof.NewImage(src.Width, src.Height)
	for y := range src.Height {
		to, from := out.Pix[y*out.Stride:], src.Pix[y*src.Stride:]
		for x := range src.Width {
			value(to[3*x:3*x+3:3*x+3], from[3*x:3*x+3:3*x+3], x, y)
		}
	}
	return out
}

// mixed is a·(1-share) + b·share.
func mixed(a, b *liveproof.Image, share float64) *liveproof.Image {
	w := int(share*256 + 0.5)
	return changed(a, func(to, from []byte, x, y int) {
		other := b.Pix[y*b.Stride+3*x:][:3]
		for c := range 3 {
			to[c] = byte((int(from[c])*(256-w) + int(other[c])*w + 128) >> 8)
		}
	})
}

// level rounds and limits to a byte.
func level(v float64) byte { return byte(min(max(v, 0), 255) + 0.5) }

// Warp returns the image as at maps each of its pixels to a place in src.
func Warp(src *liveproof.Image, at func(x, y float64) (sx, sy float64)) *liveproof.Image {
	return warp(src, at)
}
