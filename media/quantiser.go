package media

import (
	"github.com/liveproof/liveproof"
	"github.com/liveproof/liveproof/internal/codecs"
)

// #include "quantiser.h"
import "C"

// unitCoding is what is known of an access unit's encoding before it is decoded.
type unitCoding struct {
	codecs.Quantised
	recent float64 // mean step since the last key frame, see recentSteps; 0 when no step is known
	bits   float64 // mean of the recent units that are no key frames; 0 without one
}

// coarser is by how much the picture is coarser than its own quantiser says, at least 1. A picture is made of differences to the
// pictures before it: detail that they lost returns only where blocks are encoded again.
func (c unitCoding) coarser() float64 {
	if c.Step <= 0 {
		return 1
	}
	return max(1, c.recent/c.Step)
}

// coding says how the picture was encoded, as shown. FFmpeg's decoders of H.264 and VP9 export the quantiser of each block;
// for VP8, AV1 and Motion JPEG the picture's header has one. nil when neither is known.
//
// In H.264 the quantiser of a block that was skipped is that of its neighbours, while its pixels come from earlier
// pictures. An encoder that skips most blocks keeps its quantiser low and loses the detail all the same; the bits show it.
func (p *picture) coding() *liveproof.Coding {
	var c liveproof.Coding
	q := &c.Quantisers
	var scale func(float64) float64
	switch C.lp_quantisers(raw(p.frame), (*C.float)(&q[0]), liveproof.QuantiserSide) {
	case C.LP_QUANTISER_H264:
		offset := float64(C.lp_quantiser_offset(raw(p.frame)))
		scale = func(qp float64) float64 { return codecs.H264Step(qp-offset, p.encoded.Filtered) }
		c.Bits = p.encoded.bits / float64(p.frame.Width()*p.frame.Height())
	case C.LP_QUANTISER_VP9:
		scale = codecs.VP9Step
	default:
		if p.encoded.Step <= 0 {
			return nil
		}
		scale = func(float64) float64 { return p.encoded.Step }
	}
	coarser := p.encoded.coarser()
	for i, v := range q {
		q[i] = float32(coarser * scale(float64(v)))
	}
	turnCells(p.orientation, q[:], liveproof.QuantiserSide)
	return &c
}

// codingReader reads the encoding of one stream's access units. Its zero value knows no quantisers.
type codingReader struct {
	quantisers codecs.QuantiserReader
	units      float64 // in the mean of bits, at most recentUnits
	bits       float64 // the mean
	steps      float64 // in the mean of steps, at most recentSteps
	step       float64 // the mean
}

const (
	recentUnits = 30 // about one second of pictures
	recentSteps = 15 // after so many pictures a coarse one counts 37 % of what it did
)

// newCodingReader takes the header of a file's stream, nil for a live one.
func newCodingReader(format *codecs.Format, streamHeader []byte) codingReader {
	if format == nil || format.NewQuantiserReader == nil {
		return codingReader{}
	}
	return codingReader{quantisers: format.NewQuantiserReader(streamHeader)}
}

// read must be called for every access unit that is decoded, in order. A key frame holds the whole picture, and its size
// says nothing of how well the next ones follow a change.
func (r *codingReader) read(unit []byte, key bool) (c unitCoding) {
	if !key {
		r.units = min(r.units+1, recentUnits)
		r.bits += (8*float64(len(unit)) - r.bits) / r.units
	}
	if r.quantisers != nil {
		c.Quantised = r.quantisers.Read(unit)
	}
	r.learn(c.Step, key)
	c.bits, c.recent = r.bits, r.step
	return c
}

// learn adds a picture's step to the mean. A key frame begins a new mean, because it refers to no picture before it.
func (r *codingReader) learn(step float64, key bool) {
	if key {
		r.steps, r.step = 0, 0
	}
	if step <= 0 {
		return
	}
	r.steps = min(r.steps+1, recentSteps)
	r.step += (step - r.step) / r.steps
}
