package media

import (
	"encoding/binary"
	"math"
	"slices"
	"unsafe"

	"github.com/asticode/go-astiav"

	"github.com/liveproof/liveproof"
)

// #include "frame.h"
// #include "turn.h"
import "C"

// Orientation says how a decoded picture is made upright: it is mirrored left to right if
// Mirrored is set, and then turned clockwise by Turns quarter turns, in [0,3]. Every source
// of an orientation is read into this one type: the display matrix of a container, that of a
// frame (the display orientation SEI message of H.264 and HEVC, the EXIF data of a JPEG), and
// the RTP header extension for video orientation (CVO) of a live stream.
type Orientation struct {
	Mirrored bool
	Turns    int
}

// Degrees is the clockwise turn: 0, 90, 180 or 270.
func (o Orientation) Degrees() int { return 90 * o.Turns }

// unitOrientation is that of an access unit.
func unitOrientation(au *liveproof.AccessUnit) Orientation {
	return Orientation{Mirrored: au.Mirrored, Turns: quarterTurns(float64(au.Rotation))}
}

// quarterTurns rounds any angle in degrees to the nearest quarter turn, in [0,3].
func quarterTurns(degrees float64) int {
	return int(math.Round(math.Mod(degrees, 360)/90)+4) % 4 //nolint:mnd // four quarter turns
}

// matrixOrientation is the orientation nearest to a display matrix (ISO/IEC 14496-12, 8.3.2;
// libavutil/display.h). ok is false for one that is cut short or makes a line of every picture.
//
// A pixel at (p, q), with q downwards, is shown at (a·p + c·q, b·p + d·q). A negative
// determinant mirrors. Mirroring before the turn negates a and b. What remains turns the axis
// of p onto (a, b).
func matrixOrientation(matrix []byte) (o Orientation, ok bool) {
	const a, b, c, d, size = 0, 1, 3, 4, 36
	if len(matrix) < size {
		return o, false
	}
	at := func(i int) float64 { return float64(int32(binary.NativeEndian.Uint32(matrix[4*i:]))) }
	x, y, determinant := at(a), at(b), at(a)*at(d)-at(b)*at(c)
	if determinant == 0 {
		return o, false
	}
	if o.Mirrored = determinant < 0; o.Mirrored {
		x, y = -x, -y
	}
	o.Turns = quarterTurns(math.Atan2(y, x) * 180 / math.Pi)
	return o, true
}

// frameOrientation is the frame's own orientation, otherwise that of its container or
// transport, as FFmpeg's player and converter choose.
func frameOrientation(f *astiav.Frame, otherwise Orientation) Orientation {
	data := C.av_frame_get_side_data(raw(f), C.AV_FRAME_DATA_DISPLAYMATRIX)
	if data == nil {
		return otherwise
	}
	if o, ok := matrixOrientation(unsafe.Slice((*byte)(unsafe.Pointer(data.data)), int(data.size))); ok {
		return o
	}
	return otherwise
}

// size is that of an upright picture which is width×height as decoded.
func (o Orientation) size(width, height int) (int, int) {
	if o.Turns%2 == 1 {
		return height, width
	}
	return width, height
}

// place is where the pixel (x, y) of a width×height picture is shown.
func (o Orientation) place(x, y, width, height int) (int, int) {
	if o.Mirrored {
		x = width - 1 - x
	}
	switch o.Turns {
	case 1:
		return height - 1 - y, x
	case 2:
		return width - 1 - x, height - 1 - y
	case 3:
		return y, width - 1 - x
	}
	return x, y
}

// turnCells makes a square of cells upright: a thumbnail, or what is known of a picture's blocks.
func turnCells[T any](o Orientation, cells []T, side int) {
	from := slices.Clone(cells)
	for y := range side {
		for x := range side {
			tx, ty := o.place(x, y, side, side)
			cells[ty*side+tx] = from[y*side+x]
		}
	}
}

// turn copies the width×height RGB24 picture at from, whose rows are stride bytes apart, into out, upright.
func (o Orientation) turn(from []byte, width, height, stride int, out *liveproof.Image) {
	mirrored := C.int(0)
	if o.Mirrored {
		mirrored = 1
	}
	C.lp_turn(pixels(from), C.int(width), C.int(height), C.ptrdiff_t(stride),
		pixels(out.Pix), C.ptrdiff_t(out.Stride), mirrored, C.int(o.Turns))
}
