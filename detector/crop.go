package detector

import (
	"fmt"
	"math"
	"sync"

	"github.com/liveproof/liveproof"
)

// The crop of the model contract. The trainer makes the same one with OpenCV
// (cv2.resize); testdata/make_golden.py holds both to it.
const (
	cropMargin = 1.3 // side of the square over the longer side of the box
	cropSize   = 256 // side to which the square is resized
	inputSize  = 224 // centre that the scorer sees
)

// Cropper cuts the scorer's input and judges it. It is safe for concurrent use
// and shared by all sessions.
type Cropper struct {
	quality QualityConfig
	scratch sync.Pool // of *resizer
}

// NewCropper returns a cropper with the limits of cfg.Quality.
func NewCropper(cfg Config) (*Cropper, error) {
	if err := cfg.Quality.validate(); err != nil {
		return nil, err
	}
	c := &Cropper{quality: cfg.Quality}
	c.scratch.New = func() any { return new(resizer) }
	return c, nil
}

// square is the crop's place in the picture, in whole pixels; it may leave it.
type square struct{ left, top, side int }

// cropSquare is centred on the box with 1.3 times its longer side. Halves are
// rounded to even, as Python does, so that the trainer gets the same pixels.
func cropSquare(b liveproof.Box) square {
	x1, y1, x2, y2 := float64(b.X1), float64(b.Y1), float64(b.X2), float64(b.Y2)
	side := max(2, int(math.RoundToEven(cropMargin*max(x2-x1, y2-y1))))
	return square{
		left: int(math.RoundToEven((x1+x2)/2 - float64(side)/2)),
		top:  int(math.RoundToEven((y1+y2)/2 - float64(side)/2)),
		side: side,
	}
}

// maxCropSide bounds the square, and with it the work and memory for a crop, and the number of weights
// of an output pixel: from 6219 on the rounding of many small ones could make the largest negative. No
// face in a picture of a few million pixels comes near it.
const maxCropSide = 6144

// Crop returns the 224×224 centre of the square around the face resized to
// 256×256: area averaging when shrinking, bilinear when growing, border pixels
// repeated outside the picture. The caller owns the image. Errors wrap ErrImage
// for an unusable image or box.
func (c *Cropper) Crop(img *liveproof.Image, face liveproof.Face, pool *liveproof.ImagePool) (*liveproof.Image, error) {
	return c.cut(img, face, pool, inputSize)
}

// CropWhole returns all 256×256 pixels of the resized square, as training data
// keeps them; Crop's are exactly its centre. Otherwise it is as Crop.
func (c *Cropper) CropWhole(img *liveproof.Image, face liveproof.Face, pool *liveproof.ImagePool) (*liveproof.Image, error) {
	return c.cut(img, face, pool, cropSize)
}

// cut returns the centre of size×size pixels, size even.
func (c *Cropper) cut(img *liveproof.Image, face liveproof.Face, pool *liveproof.ImagePool, size int) (*liveproof.Image, error) {
	if err := checkImage(img); err != nil {
		return nil, err
	}
	if b := face.Box; !(b.Width() > 0 && b.Width() < maxCropSide/cropMargin && b.Height() > 0 && b.Height() < maxCropSide/cropMargin) ||
		!(math.Abs(float64(b.X1)) < maxImageSide && math.Abs(float64(b.Y1)) < maxImageSide) {
		return nil, fmt.Errorf("%w: face box %v", ErrImage, b)
	}
	out, err := pool.Get(size, size)
	if err != nil {
		return nil, err
	}
	r := c.scratch.Get().(*resizer)
	defer c.scratch.Put(r)
	r.resize(out, img, cropSquare(face.Box))
	return out, nil
}

// Centre copies the scorer's input out of CropWhole's picture: the pixels that Crop returns.
func Centre(whole *liveproof.Image, pool *liveproof.ImagePool) (*liveproof.Image, error) {
	if err := checkImage(whole); err != nil {
		return nil, err
	}
	if whole.Width != cropSize || whole.Height != cropSize {
		return nil, fmt.Errorf("%w: %d×%d pixels are no whole crop", ErrImage, whole.Width, whole.Height)
	}
	out, err := pool.Get(inputSize, inputSize)
	if err != nil {
		return nil, err
	}
	const offset = (cropSize - inputSize) / 2
	for y := range inputSize {
		copy(out.Pix[y*out.Stride:][:3*inputSize], whole.Pix[(y+offset)*whole.Stride+3*offset:])
	}
	return out, nil
}
