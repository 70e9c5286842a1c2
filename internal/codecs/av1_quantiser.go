package codecs

import (
	"github.com/pion/rtp/codecs/av1/obu"
)

const (
	av1Slots = 8 // reference frames that a decoder keeps
	av1Refs  = 7 // that a frame refers to
)

// Frame types (AV1 specification, 6.8.2).
const (
	av1Key       = 0
	av1IntraOnly = 2
	av1Switch    = 3
)

// av1Quantiser reads base_q_idx of each shown frame. A sequence header is needed for that, and the sizes of reference
// frames, because the header before it depends on both. Tiles of unequal size, which real-time encoders do not use, give no step.
type av1Quantiser struct {
	seq   av1Sequence
	known bool // seq was read
	slots [av1Slots]av1Shown
}

// av1Shown is what is kept of a frame that others may refer to.
type av1Shown struct {
	size av1Size
	step float64
}

type av1Size struct {
	width, height int
	scaled        bool // superres
}

// Read takes a temporal unit of the low-overhead format.
func (q *av1Quantiser) Read(tu []byte) (shown Quantised) {
	for len(tu) > 0 {
		header, err := obu.ParseOBUHeader(tu)
		if err != nil || !header.HasSizeField {
			return Quantised{}
		}
		size, n, err := obu.ReadLeb128(tu[header.Size():])
		start := header.Size() + int(n)
		if err != nil || start > len(tu) || uint64(size) > uint64(len(tu)-start) {
			return Quantised{}
		}
		body := tu[start : start+int(size)]
		tu = tu[start+int(size):]
		switch header.Type {
		case obu.OBUSequenceHeader:
			q.seq, q.known = readAV1Sequence(body)
		case obu.OBUFrame, obu.OBUFrameHeader:
			if step := q.frame(body, header); step > 0 {
				shown.Step = step
			}
		}
	}
	return shown
}

// frame reads one frame header; the step is 0 for a frame that is not shown.
func (q *av1Quantiser) frame(body []byte, header *obu.Header) (step float64) {
	if !q.known {
		return 0
	}
	h := av1Frame{bitReader: bitReader{data: body}, seq: &q.seq, slots: &q.slots}
	if header.ExtensionHeader != nil {
		h.temporal, h.spatial = uint32(header.ExtensionHeader.TemporalID), uint32(header.ExtensionHeader.SpatialID)
	}
	if h.seq.reduced == 0 && h.bits(1) == 1 { // show_existing_frame
		return q.slots[h.bits(3)].step
	}
	index := h.read()
	if h.err != nil {
		q.known = false // what the slots hold is not known any more
		return 0
	}
	step = av1Step(int(index))
	for i := range q.slots {
		if h.refresh>>i&1 == 1 {
			q.slots[i] = av1Shown{h.size, step}
		}
	}
	if !h.shown {
		return 0
	}
	return step
}
