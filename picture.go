package liveproof

import (
	"fmt"
	"sync"
	"sync/atomic"
	"time"
)

// Codec is a video codec by its RTP/SDP encoding name (RFC 7741, RFC 6184, RFC 9628, AV1 RTP).
type Codec string

// The codecs that browsers send.
const (
	CodecVP8  Codec = "VP8"
	CodecVP9  Codec = "VP9"
	CodecH264 Codec = "H264"
	CodecAV1  Codec = "AV1"
)

// AccessUnit is one complete encoded picture (H.264: Annex B; AV1: temporal
// unit with OBU sizes, low-overhead format; VP8, VP9: a frame or superframe).
type AccessUnit struct {
	Codec Codec
	// PTS is the presentation time from the stream's first picture; RTP timestamp unwrapped.
	PTS time.Duration
	// ArrivedAt is the server's time at which the last packet came.
	ArrivedAt time.Time
	// Key tells that decoding can start here.
	Key bool
	// Gap tells that one or more pictures before this one were lost: what
	// refers to them must not be shown until the next key frame.
	Gap bool
	// Rotation in degrees clockwise {0,90,180,270}, from coordination of video orientation (3GPP TS 26.114).
	Rotation int
	Data     []byte
}

// Picture is one decoded picture that has not been converted to RGB yet. It is
// owned by whoever received it, until Release. Not safe for concurrent use.
type Picture interface {
	// Time is the presentation time from the stream's first picture.
	Time() time.Duration
	// Size is the width and height in pixels as shown, after rotation.
	Size() (width, height int)
	// Digest identifies the decoded pixels exactly: equal when the source sent the
	// same pixels again. A lossy encoder hardly ever does, not even of a still;
	// what such a picture shows is compared by its Thumbnail.
	Digest() uint64
	// Thumbnail averages the luma over a grid, as shown, after rotation. A pixel
	// format without readable samples gives zeros.
	Thumbnail(to *Thumbnail)
	// RGB converts into an image from pool; the caller owns the image.
	RGB(pool *ImagePool) (*Image, error)
	// Release gives the picture back. It is idempotent.
	Release()
}

// ThumbnailSide is the number of cells of a thumbnail in a row and in a column.
const ThumbnailSide = 64

// Thumbnail is a picture's luma in [0,255], averaged over ThumbnailSide ×
// ThumbnailSide cells, row by row; the cells share the picture's aspect ratio.
type Thumbnail [ThumbnailSide * ThumbnailSide]uint8

// Image is a packed RGB picture, 8 bits a channel: pixel (x,y) starts at
// Pix[y*Stride+3*x], Stride = 3*Width. It has one owner at a time, who calls Release.
type Image struct {
	Width, Height, Stride int
	Pix                   []byte

	pool *ImagePool
}

// Release gives the image's buffer back to its pool; the image must not be
// used afterwards. Releasing nil or twice does nothing.
func (m *Image) Release() {
	if m == nil || m.pool == nil {
		return
	}
	pool := m.pool
	m.pool = nil
	pool.put(m)
}

// NewImage returns an image that belongs to no pool.
func NewImage(width, height int) *Image {
	return &Image{Width: width, Height: height, Stride: 3 * width, Pix: make([]byte, 3*width*height)}
}

// ImagePool lends RGB buffers. Its zero value is ready; it is safe for
// concurrent use. Buffers of any size share it: a buffer that is too small is
// replaced, so a stream of one size allocates nothing once it runs.
type ImagePool struct {
	free   sync.Pool
	leased atomic.Int64
}

// Get returns an image of width×height pixels with undefined content.
func (p *ImagePool) Get(width, height int) (*Image, error) {
	if width <= 0 || height <= 0 || width > 1<<15 || height > 1<<15 {
		return nil, fmt.Errorf("image of %d×%d pixels: %w", width, height, ErrPictureTooLarge)
	}
	size := 3 * width * height
	m, _ := p.free.Get().(*Image)
	if m == nil || cap(m.Pix) < size {
		m = &Image{Pix: make([]byte, size)}
	}
	m.Width, m.Height, m.Stride, m.Pix = width, height, 3*width, m.Pix[:size]
	m.pool = p
	p.leased.Add(1)
	return m, nil
}

// Leased counts the images that were taken and not yet released.
func (p *ImagePool) Leased() int64 { return p.leased.Load() }

func (p *ImagePool) put(m *Image) {
	p.leased.Add(-1)
	// A fresh header: a stale pointer kept by mistake can no longer reach the buffer's next owner.
	p.free.Put(&Image{Pix: m.Pix})
	m.Pix = nil
}
