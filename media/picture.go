package media

import (
	"time"
	"unsafe"

	"github.com/asticode/go-astiav"
	"github.com/cespare/xxhash/v2"

	"github.com/liveproof/liveproof"
)

// #cgo pkg-config: libavcodec libavutil libswscale
// #cgo CFLAGS: -O3
// #include "frame.h"
import "C"

// picture is one decoded frame, a reference into FFmpeg's buffer pool.
type picture struct {
	frame    *astiav.Frame
	conv     *converter
	at       time.Duration
	rotation int // degrees clockwise, one of 0, 90, 180, 270
	seq      int64
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

// Digest is xxHash64 over the visible part of every plane, before rotation.
func (p *picture) Digest() uint64 {
	if p.frame == nil {
		return 0
	}
	var planes [4]C.lp_plane
	n := C.lp_planes(raw(p.frame), &planes[0])
	var d xxhash.Digest
	d.Reset()
	size := [2]uint32{uint32(p.frame.Width()), uint32(p.frame.Height())}
	d.Write(unsafe.Slice((*byte)(unsafe.Pointer(&size)), unsafe.Sizeof(size))) //nolint:errcheck // never fails
	for i := range max(0, int(n)) {
		hashPlane(&d, planes[i])
	}
	return d.Sum64()
}

// hashPlane reads FFmpeg's memory in place: in one piece where the rows touch.
func hashPlane(d *xxhash.Digest, p C.lp_plane) {
	rows, bytes := int(p.rows), int(p.bytes)
	base := unsafe.Pointer(p.data)
	if int(p.stride) == bytes {
		rows, bytes = 1, rows*bytes
	}
	for y := range rows {
		row := unsafe.Add(base, y*int(p.stride))
		d.Write(unsafe.Slice((*byte)(row), bytes)) //nolint:errcheck // never fails
	}
}

// Thumbnail reads at most 100 samples a cell, so that its cost is bounded whatever the picture's size.
func (p *picture) Thumbnail(to *liveproof.Thumbnail) {
	*to = liveproof.Thumbnail{}
	if p.frame == nil {
		return
	}
	if C.lp_thumbnail(raw(p.frame), pixels(to[:]), liveproof.ThumbnailSide) < 0 {
		return
	}
	if p.rotation != 0 {
		turnThumbnail(to, p.rotation)
	}
}

// turnThumbnail turns clockwise by degrees.
func turnThumbnail(to *liveproof.Thumbnail, degrees int) {
	const side, last = liveproof.ThumbnailSide, liveproof.ThumbnailSide - 1
	from := *to
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
	return p.conv.rgb(p.frame, p.rotation, pool)
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
