package detector

import (
	"slices"

	"github.com/liveproof/liveproof"
)

// #cgo CFLAGS: -O3
// #include "pixels.h"
import "C"

// shapeOf describes a picture that checkImage has accepted.
func shapeOf(img *liveproof.Image) C.lp_shape {
	return C.lp_shape{width: C.int(img.Width), height: C.int(img.Height), stride: C.ptrdiff_t(img.Stride)}
}

// sized returns s, or a larger slice in its place, with n values of any content.
func sized[T any](s []T, n int) []T { return slices.Grow(s[:0], n)[:n] }

func bytesOf(s []byte) *C.uint8_t    { return (*C.uint8_t)(&s[0]) }
func int16s(s []int16) *C.int16_t    { return (*C.int16_t)(&s[0]) }
func uint16s(s []uint16) *C.uint16_t { return (*C.uint16_t)(&s[0]) }
func uint32s(s []uint32) *C.uint32_t { return (*C.uint32_t)(&s[0]) }
func int32s(s []int32) *C.int32_t    { return (*C.int32_t)(&s[0]) }
