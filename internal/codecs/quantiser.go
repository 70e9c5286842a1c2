package codecs

import (
	"math"
	"sort"
)

// Quantiser steps are on one scale for all codecs: the distance of two values of a transform
// coefficient (AC, luma) in levels of 8-bit samples, for a transform that keeps the norm. At equal steps two
// codecs lose about the same detail. Encoders use about 2 for a picture that looks
// perfect, 20 for one that shows its blocks, and 140 (VP8) or 228 (the others) at the worst.

// QuantiserReader reads the quantiser step of a stream's pictures from their headers. It must be given every access unit
// of the stream in order; units may come from a hostile sender.
type QuantiserReader interface {
	// Read returns the step of the picture that the unit shows; 0 when it cannot be told.
	Read(unit []byte) (step float64)
}

// H264Step is the step of a luma quantisation parameter, which may be a mean (ITU-T H.264, 8.5.9: the step doubles every 6
// and is 1 at 4).
func H264Step(qp float64) float64 { return math.Exp2((qp - 4) / 6) }

// VP9Step is the step of a quantiser index in [0, 255], which may be a mean. VP9 and AV1 share the table for 8-bit samples
// (VP9 bitstream specification, 8.6.1; AV1 specification, 7.12.2); their coefficients are eight times the scale's.
func VP9Step(index float64) float64 { return interpolate(vp9AC, index) / 8 }

// vp8Step is the step of a quantiser index in [0, 127] (RFC 6386, 14.1); coefficients are twice the scale's.
func vp8Step(index int) float64 { return interpolate(vp8AC, float64(index)) / 2 }

// knot is one point of a quantiser table that is linear, within 1 %, between its knots.
type knot struct{ index, value float64 }

var vp8AC = []knot{{0, 4}, {54, 58}, {83, 116}, {102, 173}, {116, 229}, {127, 284}}

var vp9AC = []knot{
	{0, 4}, {1, 8}, {95, 102}, {120, 152}, {138, 207}, {151, 260}, {161, 311}, {171, 373}, {179, 432},
	{188, 510}, {198, 615}, {208, 743}, {217, 881}, {227, 1066}, {236, 1267}, {246, 1537}, {255, 1828},
}

func interpolate(table []knot, index float64) float64 {
	i := sort.Search(len(table)-1, func(i int) bool { return table[i].index >= index })
	if i == 0 {
		return table[0].value
	}
	a, b := table[i-1], table[i]
	return a.value + (b.value-a.value)*(min(index, b.index)-a.index)/(b.index-a.index)
}
