package media

import (
	"slices"
	"time"

	"github.com/asticode/go-astiav"

	"github.com/liveproof/liveproof"
)

// #cgo pkg-config: libavcodec libavutil libswscale
// #cgo CFLAGS: -O3
// #include "fingerprint.h"
// #include "frame.h"
import "C"

// picture is one decoded frame, a reference into FFmpeg's buffer pool.
type picture struct {
	frame    *astiav.Frame
	conv     *converter
	at       time.Duration
	rotation int // degrees clockwise, one of 0, 90, 180, 270
	seq      int64
	encoded  unitCoding
}

var _ liveproof.Picture = (*picture)(nil)

// newPicture takes frame over and holds conv until Release.
func newPicture(frame *astiav.Frame, conv *converter, at time.Duration, rotation int) *picture {
	conv.retain()
	return &picture{frame: frame, conv: conv, at: at, rotation: rotation}
}

func (p *picture) Time() time.Duration { return p.at }

func (p *picture) Size() (width, height int) {
	if p.frame == nil {
		return 0, 0
	}
	return turned(p.frame.Width(), p.frame.Height(), p.rotation)
}

// Fingerprint computes both in one pass over the luma: the thumbnail from at most 100 samples a
// cell, the digest of the picture before rotation.
func (p *picture) Fingerprint(to *liveproof.Thumbnail) (digest uint64) {
	*to = liveproof.Thumbnail{}
	if p.frame == nil {
		return 0
	}
	digest = uint64(C.lp_fingerprint(raw(p.frame), pixels(to[:]), liveproof.ThumbnailSide))
	if p.rotation != 0 {
		turnCells(to[:], liveproof.ThumbnailSide, p.rotation)
	}
	return digest
}

// turnCells turns a square of cells clockwise by degrees.
func turnCells[T any](to []T, side, degrees int) {
	last := side - 1
	from := slices.Clone(to)
	for y := range side {
		for x := range side {
			sx, sy := x, y
			switch degrees {
			case 90:
				sx, sy = y, last-x
			case 180:
				sx, sy = last-x, last-y
			case 270:
				sx, sy = last-y, x
			}
			to[y*side+x] = from[sy*side+sx]
		}
	}
}

func (p *picture) RGB(pool *liveproof.ImagePool) (*liveproof.Image, error) {
	if p.frame == nil {
		return nil, ErrClosed
	}
	img, err := p.conv.rgb(p.frame, p.rotation, pool)
	if err != nil {
		return nil, err
	}
	img.Coding = p.coding()
	return img, nil
}

func (p *picture) Release() {
	if p.frame == nil {
		return
	}
	p.frame.Free()
	p.frame = nil
	p.conv.release()
}

func (p *picture) damaged() bool { return C.lp_damaged(raw(p.frame)) != 0 }

// bestEffort is the frame's presentation time in the stream's time base, or astiav.NoPtsValue.
func bestEffort(f *astiav.Frame) int64 { return int64(raw(f).best_effort_timestamp) }

func raw(f *astiav.Frame) *C.AVFrame { return (*C.AVFrame)(f.UnsafePointer()) }

// turned is the size after a rotation in degrees.
func turned(width, height, rotation int) (int, int) {
	if rotation == 90 || rotation == 270 {
		return height, width
	}
	return width, height
}
