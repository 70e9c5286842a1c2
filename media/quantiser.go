package media

import "github.com/liveproof/liveproof/internal/codecs"

// #include "quantiser.h"
import "C"

// quantiser is the mean quantiser step of the picture's luma (liveproof.Image). FFmpeg's decoders of H.264 and VP9 export
// the quantiser of each block; for VP8 and AV1 the access unit's header has it.
func (p *picture) quantiser() float64 {
	var mean C.double
	switch C.lp_quantiser(raw(p.frame), &mean) {
	case C.LP_QUANTISER_H264:
		return codecs.H264Step(float64(mean))
	case C.LP_QUANTISER_VP9:
		return codecs.VP9Step(float64(mean))
	}
	return p.step
}

// stepReader reads the quantiser steps of one stream. Its zero value knows none.
type stepReader struct{ codecs.QuantiserReader }

func newStepReader(format *codecs.Format) stepReader {
	if format == nil || format.NewQuantiserReader == nil {
		return stepReader{}
	}
	return stepReader{format.NewQuantiserReader()}
}

// read must be called for every access unit that is decoded.
func (r stepReader) read(unit []byte) float64 {
	if r.QuantiserReader == nil {
		return 0
	}
	return r.Read(unit)
}
