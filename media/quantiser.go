package media

import (
	"github.com/liveproof/liveproof"
	"github.com/liveproof/liveproof/internal/codecs"
)

// #include "quantiser.h"
import "C"

// quantisers are those of the picture as shown. FFmpeg's decoders of H.264 and VP9 export the quantiser of each block; for
// VP8 and AV1 the access unit's header has one for the picture. nil when neither is known.
func (p *picture) quantisers() *liveproof.Quantisers {
	var q liveproof.Quantisers
	scale := codecs.H264Step
	switch C.lp_quantisers(raw(p.frame), (*C.float)(&q[0]), liveproof.QuantiserSide) {
	case C.LP_QUANTISER_H264:
	case C.LP_QUANTISER_VP9:
		scale = codecs.VP9Step
	default:
		if p.step <= 0 {
			return nil
		}
		scale = func(float64) float64 { return p.step }
	}
	for i, v := range q {
		q[i] = float32(scale(float64(v)))
	}
	turnCells(q[:], liveproof.QuantiserSide, p.rotation)
	return &q
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
