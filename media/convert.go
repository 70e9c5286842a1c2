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

// shape is all that a conversion depends on.
type shape struct {
	width, height, format   C.int
	interlaced              C.int
	shownWidth, shownHeight int
	colour                  colour
}

// converter turns frames of one source into RGB. Its context is kept while the
// shape stays. The source and every picture hold a reference, so that a picture
// outlives the source that made it.
type converter struct {
	refs      atomic.Int64
	untagged  untagged
	maxPixels int    // of a picture that is enlarged to square pixels
	aspect    aspect // of a pixel, by the container

	mu    sync.Mutex // libswscale contexts are not for concurrent use
	sws   *C.struct_SwsContext
	shape shape
	grade *grade // the last one that was needed
	deep  []byte // a picture of 16 bits a channel, before it is graded
}

func newConverter(u untagged, maxPixels int) *converter {
	c := &converter{untagged: u, maxPixels: maxPixels}
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
	width, height := c.shownSize(raw(f))
	w, h := orientation.size(width, height)
	out, err := pool.Get(w, h)
	if err != nil {
		return nil, err
	}
	if orientation == (Orientation{}) && width%16 == 0 {
		err = c.convert(f, out.Pix, out.Stride)
	} else {
		err = c.viaScratch(f, width, height, orientation, out, pool)
	}
	if err != nil {
		out.Release()
		return nil, err
	}
	return out, nil
}

// viaScratch converts into rows padded to 16 pixels, which libswscale's vector
// code may write to their end, and copies upright from there.
func (c *converter) viaScratch(f *astiav.Frame, width, height int, orientation Orientation, out *liveproof.Image, pool *liveproof.ImagePool) error {
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
	if c.shape.colour.graded() {
		return c.convertGraded(f, dst, stride)
	}
	return c.scale(f, dst, stride)
}

// convertGraded goes over 16 bits a channel.
func (c *converter) convertGraded(f *astiav.Frame, dst []byte, stride int) error {
	const block = 6 * 16 // bytes of 16 pixels, which libswscale's vector code may write to their end
	width, height := c.shape.shownWidth, c.shape.shownHeight
	deepStride := (6*width + block - 1) / block * block
	if n := deepStride * (height + 1); len(c.deep) < n {
		c.deep = make([]byte, n)
	}
	if err := c.scale(f, c.deep, deepStride); err != nil {
		return err
	}
	c.gradeFor(c.shape.colour).rows(c.deep, width, height, deepStride, dst, stride)
	return nil
}

func (c *converter) scale(f *astiav.Frame, dst []byte, stride int) error {
	if n := C.lp_rgb(c.sws, raw(f), pixels(dst), C.int(stride)); int(n) != c.shape.shownHeight {
		return fmt.Errorf("%w: %d of %d rows", errConvert, int(n), f.Height())
	}
	return nil
}

// fit makes the context one for frames like f.
func (c *converter) fit(f *astiav.Frame) error {
	r := raw(f)
	s := shape{width: r.width, height: r.height, format: r.format, interlaced: r.interlaced_frame, colour: colourOf(r, c.untagged)}
	s.shownWidth, s.shownHeight = c.shownSize(r)
	if c.sws != nil && c.shape == s {
		return nil
	}
	graded := C.int(0)
	if s.colour.graded() {
		graded = 1
	}
	C.sws_freeContext(c.sws)
	if c.sws = C.lp_sws(r, C.int(s.shownWidth), C.int(s.shownHeight), C.int(s.colour.matrix), graded); c.sws == nil {
		return fmt.Errorf("%w: %v", errConvert, f.PixelFormat())
	}
	c.shape = s
	return nil
}

// gradeFor is called under the lock.
func (c *converter) gradeFor(of colour) *grade {
	if c.grade == nil || c.grade.colour != of {
		c.grade = newGrade(of)
	}
	return c.grade
}

// gradeThumbnail gives the thumbnail of f the luma of the picture that models see.
func (c *converter) gradeThumbnail(f *astiav.Frame, t *liveproof.Thumbnail) {
	of := colourOf(raw(f), c.untagged)
	if !of.graded() {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.gradeFor(of).thumbnail(t)
}

func pixels(b []byte) *C.uint8_t { return (*C.uint8_t)(unsafe.Pointer(unsafe.SliceData(b))) }
