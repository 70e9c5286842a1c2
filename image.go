package liveproof

import (
	"fmt"
	"sync"
	"sync/atomic"
)

// Image is a packed RGB picture, 8 bits a channel: pixel (x,y) starts at
// Pix[y*Stride+3*x], Stride = 3*Width. It has one owner at a time, and the last one
// calls Release.
type Image struct {
	Width, Height, Stride int
	Pix                   []byte
	// Coding is that of the picture that the image was decoded from; nil when it is not known.
	Coding *Coding

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

// TurnOver turns the image by 180 degrees in place: the last pixel becomes the first.
func (m *Image) TurnOver() {
	at := func(i int) []byte { return m.Pix[i/m.Width*m.Stride+3*(i%m.Width):][:3] }
	for i, j := 0, m.Width*m.Height-1; i < j; i, j = i+1, j-1 {
		a, b := at(i), at(j)
		a[0], a[1], a[2], b[0], b[1], b[2] = b[0], b[1], b[2], a[0], a[1], a[2]
	}
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
	m.Coding, m.pool = nil, p
	p.leased.Add(1)
	return m, nil
}

// Leased counts the images that were lent and not yet released.
func (p *ImagePool) Leased() int64 { return p.leased.Load() }

func (p *ImagePool) put(m *Image) {
	p.leased.Add(-1)
	// A fresh header: a stale pointer kept by mistake can no longer reach the buffer's next owner.
	p.free.Put(&Image{Pix: m.Pix})
	m.Pix = nil
}
