package main

import (
	"bytes"
	"context"
	"errors"
	"image"
	"image/color"
	"image/jpeg"

	"github.com/liveproof/liveproof"
	"github.com/liveproof/liveproof/evaluation"
	"github.com/liveproof/liveproof/media"
)

// thumbnailSide is the longer side of a thumbnail, in pixels.
const thumbnailSide = 200

// thumbnails makes small pictures for the report, as JPEG: the first picture of a file.
func thumbnails(cfg media.Config) func(evaluation.Result) ([]byte, error) {
	var pool liveproof.ImagePool
	return func(r evaluation.Result) (data []byte, err error) {
		file, err := media.OpenFile(cfg, r.Path)
		if err != nil {
			return nil, err
		}
		defer func() { err = errors.Join(err, file.Close()) }()
		picture, err := file.Next(context.Background())
		if err != nil {
			return nil, err
		}
		defer picture.Release()
		img, err := picture.RGB(&pool)
		if err != nil {
			return nil, err
		}
		defer img.Release()
		var out bytes.Buffer
		err = jpeg.Encode(&out, shrunk(img), nil)
		return out.Bytes(), err
	}
}

// shrunk averages blocks of n×n pixels so that the longer side is at most thumbnailSide.
func shrunk(img *liveproof.Image) image.Image {
	n := max(1, (max(img.Width, img.Height)+thumbnailSide-1)/thumbnailSide)
	small := image.NewRGBA(image.Rect(0, 0, max(1, img.Width/n), max(1, img.Height/n)))
	for y := range small.Rect.Dy() {
		for x := range small.Rect.Dx() {
			small.SetRGBA(x, y, block(img, x*n, y*n, n))
		}
	}
	return small
}

// block is the mean colour of a block, cut to the picture.
func block(img *liveproof.Image, left, top, n int) color.RGBA {
	var sum [3]int
	count := 0
	for y := top; y < min(top+n, img.Height); y++ {
		for x := left; x < min(left+n, img.Width); x++ {
			for c, v := range img.Pix[y*img.Stride+3*x:][:3] {
				sum[c] += int(v)
			}
			count++
		}
	}
	count = max(1, count)
	return color.RGBA{uint8(sum[0] / count), uint8(sum[1] / count), uint8(sum[2] / count), 255}
}
