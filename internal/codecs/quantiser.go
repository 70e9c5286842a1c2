package codecs

import (
	"math"
	"sort"
)

// A quantiser step is the distance between two values of a transform coefficient (AC, luma) in levels of 8-bit samples, for a
// transform that keeps the norm. The in-loop filters of newer codecs hide coarse steps better, and larger
// transforms spread them. To put all codecs on one scale, a step is divided by what its codec hides, so that scores deviate
// about as much at equal steps (docs/encoders.md). H.264, whose encoders may leave out the filter, sets the scale: about 2
// looks perfect, 20 shows blocks, and 228 is the worst.
const (
	vp8Hides = 2.25
	vp9Hides = 4
	av1Hides = 8
	// H.264's own filter, where it is at work.
	filterHides = 1.75
	jpegHides   = 1.5
)

// QuantiserReader reads from their headers how a stream's pictures were quantised. It must be given every access unit
// of the stream in order; units may come from a hostile sender.
type QuantiserReader interface {
	// Read is about the picture that the unit shows.
	Read(unit []byte) Quantised
}

// Quantised is what the headers of a picture say about its quantisers.
type Quantised struct {
	Step     float64 // for the whole picture, in H.264 for its first slice; 0 when they do not tell
	Filtered bool    // H.264: the deblocking filter is surely at work
}

// H264Step is the step of a luma quantisation parameter, which may be a mean (ITU-T H.264, 8.5.9: the step doubles every 6
// and is 1 at 4), without or with the deblocking filter.
func H264Step(qp float64, filtered bool) float64 {
	step := math.Exp2((qp - 4) / 6)
	if filtered {
		step /= filterHides
	}
	return step
}

// VP9Step is the step of a quantiser index in [0, 255], which may be a mean, for 8-bit samples (VP9 bitstream
// specification, 8.6.1). Coefficients are eight times those of a transform that keeps the norm.
func VP9Step(index float64) float64 { return interpolate(vp9AC, index) / 8 / vp9Hides }

// av1Step is the step of a quantiser index in [0, 255]. Table and scale are those of VP9 (AV1 specification, 7.12.2).
func av1Step(index int) float64 { return interpolate(vp9AC, float64(index)) / 8 / av1Hides }

// vp8Step is the step of a quantiser index in [0, 127] (RFC 6386, 14.1). Coefficients are twice those of a transform that
// keeps the norm.
func vp8Step(index int) float64 { return interpolate(vp8AC, float64(index)) / 2 / vp8Hides }

// JPEGStep is the step of an entry of a quantisation table, which may be a mean, for 8-bit samples (ITU-T T.81, A.3.4).
func JPEGStep(entry float64) float64 { return entry / jpegHides }

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
