package media

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"unsafe"

	"github.com/asticode/go-astiav"

	"github.com/liveproof/liveproof"
)

// #include "frame.h"
import "C"

var errConvert = errors.New("pixel format cannot be converted")

// shape is all that a libswscale context depends on.
type shape struct {
	width, height, format, matrix, colourRange int
}

// converter turns frames of one source into RGB. Its context is kept while the
// shape stays. The source and every picture hold a reference, so that a picture
// outlives the source that made it.
type converter struct {
	refs atomic.Int64

	mu    sync.Mutex // libswscale contexts are not for concurrent use
	sws   *C.struct_SwsContext
	shape shape
}

func newConverter() *converter {
	c := &converter{}
	c.retain()
	return c
}

func (c *converter) retain() { c.refs.Add(1) }

func (c *converter) release() {
	if c.refs.Add(-1) > 0 {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	C.sws_freeContext(c.sws)
	c.sws = nil
}

// rgb converts and makes upright; the caller owns the image.
func (c *converter) rgb(f *astiav.Frame, orientation Orientation, pool *liveproof.ImagePool) (*liveproof.Image, error) {
	width, height := f.Width(), f.Height()
	w, h := orientation.size(width, height)
	out, err := pool.Get(w, h)
	if err != nil {
		return nil, err
	}
	if orientation == (Orientation{}) && width%16 == 0 {
		err = c.convert(f, out.Pix, out.Stride)
	} else {
		err = c.viaScratch(f, orientation, out, pool)
	}
	if err != nil {
		out.Release()
		return nil, err
	}
	return out, nil
}

// viaScratch converts into rows padded to 16 pixels, which libswscale's vector
// code may write to their end, and copies upright from there.
func (c *converter) viaScratch(f *astiav.Frame, orientation Orientation, out *liveproof.Image, pool *liveproof.ImagePool) error {
	width, height := f.Width(), f.Height()
	scratch, err := pool.Get((width+15)&^15, height+1) // one row more: the last row may be overwritten past its end
	if err != nil {
		return err
	}
	defer scratch.Release()
	if err := c.convert(f, scratch.Pix, scratch.Stride); err != nil {
		return err
	}
	orientation.turn(scratch.Pix, width, height, scratch.Stride, out)
	return nil
}

func (c *converter) convert(f *astiav.Frame, dst []byte, stride int) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := c.fit(f); err != nil {
		return err
	}
	if n := C.lp_rgb(c.sws, raw(f), pixels(dst), C.int(stride)); int(n) != f.Height() {
		return fmt.Errorf("%w: %d of %d rows", errConvert, int(n), f.Height())
	}
	return nil
}

// fit makes the context one for frames like f.
func (c *converter) fit(f *astiav.Frame) error {
	r := raw(f)
	s := shape{int(r.width), int(r.height), int(r.format), int(r.colorspace), int(r.color_range)}
	if c.sws != nil && c.shape == s {
		return nil
	}
	C.sws_freeContext(c.sws)
	if c.sws = C.lp_sws(r); c.sws == nil {
		return fmt.Errorf("%w: %v", errConvert, f.PixelFormat())
	}
	c.shape = s
	return nil
}

func pixels(b []byte) *C.uint8_t { return (*C.uint8_t)(unsafe.Pointer(unsafe.SliceData(b))) }
