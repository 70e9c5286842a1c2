package media

// #include <libavutil/frame.h>
import "C"

// colour says how a frame's samples are read, by the code points of ITU-T H.273, which
// are FFmpeg's. No field is unspecified but colourRange, which then is the pixel format's own.
type colour struct {
	matrix, colourRange, primaries, transfer int32
}

// untagged says which matrix YUV samples have where the stream says nothing.
type untagged int

const (
	// untaggedBT601 is for live streams: VP8 knows no other matrix, and browsers turn a camera's pictures
	// into BT.601 at every size.
	untaggedBT601 untagged = iota
	// untaggedBySize is for files: BT.709 from 1280 pixels of width or 577 of height on, as players take it.
	untaggedBySize
)

const sdWidth, sdHeight = 1279, 576 // the largest pictures of standard definition

func (u untagged) matrix(width, height C.int) int32 {
	if u == untaggedBySize && (width > sdWidth || height > sdHeight) {
		return C.AVCOL_SPC_BT709
	}
	return C.AVCOL_SPC_BT470BG // BT.601
}

// colourOf reads a frame's colour. What is not tagged follows from what is: BT.2020's matrix, primaries and transfer
// functions, PQ and HLG come together.
func colourOf(f *C.AVFrame, u untagged) colour {
	c := colour{int32(f.colorspace), int32(f.color_range), int32(f.color_primaries), int32(f.color_trc)}
	wide := c.primaries == C.AVCOL_PRI_BT2020 || c.matrix == C.AVCOL_SPC_BT2020_NCL || c.matrix == C.AVCOL_SPC_BT2020_CL
	switch c.transfer {
	case C.AVCOL_TRC_SMPTE2084, C.AVCOL_TRC_ARIB_STD_B67, C.AVCOL_TRC_BT2020_10, C.AVCOL_TRC_BT2020_12:
		wide = true
	case C.AVCOL_TRC_UNSPECIFIED:
		c.transfer = C.AVCOL_TRC_BT709
	}
	if c.matrix == C.AVCOL_SPC_UNSPECIFIED {
		if c.matrix = u.matrix(f.width, f.height); wide {
			c.matrix = C.AVCOL_SPC_BT2020_NCL
		}
	}
	if c.primaries == C.AVCOL_PRI_UNSPECIFIED {
		if c.primaries = C.AVCOL_PRI_BT709; wide {
			c.primaries = C.AVCOL_PRI_BT2020
		}
	}
	return c
}

// highDynamicRange: the signal says how much light there is (PQ), or is to be shown brighter than white (HLG).
func (c colour) highDynamicRange() bool {
	return c.transfer == C.AVCOL_TRC_SMPTE2084 || c.transfer == C.AVCOL_TRC_ARIB_STD_B67
}

// graded reports whether the colours must be converted after the matrix. The other transfer functions are all meant for a
// display of BT.1886, and the primaries of the SD standards are so near to BT.709's that players differ in whether
// they convert them: those pictures stay as they are.
func (c colour) graded() bool {
	switch c.primaries {
	case C.AVCOL_PRI_BT2020, C.AVCOL_PRI_SMPTE431, C.AVCOL_PRI_SMPTE432, C.AVCOL_PRI_BT470M, C.AVCOL_PRI_FILM:
		return true
	}
	return c.highDynamicRange()
}
