package media

import (
	"math"
	"unsafe"

	"github.com/liveproof/liveproof"
)

// #include <libavutil/csp.h>
// #include <libavutil/pixfmt.h>
// #include "grade.h"
import "C"

// What light is what, in cd/m².
const (
	// referenceWhite is what white is graded to in programmes of high dynamic range (ITU-R BT.2408): our white.
	referenceWhite = 203
	// peakWhite is the brightest light that stays below white, that of the usual mastering display and of HLG's
	// reference display. What a stream says about its own peak is not used: it would let a stream set its exposure.
	peakWhite = 1000
	pqPeak    = 10000
	// hlgGamma is HLG's system gamma for a display of peakWhite (ITU-R BT.2100, table 5).
	hlgGamma = 1.2
	// displayGamma is that of a display of SDR signals (ITU-R BT.1886 with black at 0).
	displayGamma = 2.4
	// knee is the light above which the tone curve bends; faces and most of what is around them lie below or not far above.
	knee = 0.3
)

// grade converts the colours of one kind of frame into BT.709's, in steps: the light that a display makes of the signal (PQ:
// SMPTE ST 2084; HLG: ITU-R BT.2100 with its OOTF; SDR: BT.1886); the primaries of BT.709; a tone curve
// that leaves light below the knee as it is and bends what is above, up to peakWhite, below 1; and back to a signal
// by BT.1886. Negative light, outside the gamut, is cut off. It is what FFmpeg makes of
//
//	zscale=transfer=linear:npl=203, zscale=primaries=bt709, tonemap=mobius:desat=0:peak=1000/203, zscale=transfer=bt709
type grade struct {
	colour colour
	table  C.lp_grade
	luma   [256]uint8 // for thumbnails
}

func newGrade(c colour) *grade {
	g := &grade{colour: c}
	g.setLight()
	g.setMatrix()
	g.setToneCurve()
	for i := range g.table.code {
		root := float64(i) / C.lp_levels
		g.table.code[i] = C.uint8_t(math.Round(255 * math.Pow(root*root, 1/displayGamma)))
	}
	g.setLuma()
	return g
}

func (g *grade) setLight() {
	light := func(signal float64) float64 { return math.Pow(signal, displayGamma) }
	switch g.colour.transfer {
	case C.AVCOL_TRC_SMPTE2084:
		light = func(signal float64) float64 { return pqLight(signal) * pqPeak / referenceWhite }
	case C.AVCOL_TRC_ARIB_STD_B67:
		light = hlgLight
		g.setOOTF()
	}
	for i := range g.table.linear {
		g.table.linear[i] = C.float(light(float64(i) / (C.lp_levels - 1)))
	}
}

// pqLight is the EOTF of SMPTE ST 2084; 1 is 10 000 cd/m².
func pqLight(signal float64) float64 {
	const m1, m2 = 2610. / 16384, 2523. / 32
	const c1, c2, c3 = 3424. / 4096, 2413. / 128, 2392. / 128
	p := math.Pow(signal, 1/m2)
	return math.Pow(math.Max(p-c1, 0)/(c2-c3*p), 1/m1)
}

// hlgLight is the inverse OETF of HLG (ITU-R BT.2100, table 5): light of the scene, in [0,1].
func hlgLight(signal float64) float64 {
	const a, b, c = 0.17883277, 0.28466892, 0.55991073
	if signal <= 0.5 {
		return signal * signal / 3
	}
	return (math.Exp((signal-c)/a) + b) / 12
}

// setOOTF: the display adds HLG's system gamma to the scene's luminance.
func (g *grade) setOOTF() {
	g.table.has_ootf = 1
	g.table.luminance = [3]C.float{0.2627, 0.6780, 0.0593}
	for i := range g.table.ootf {
		root := float64(i) / C.lp_levels
		g.table.ootf[i] = C.float(math.Pow(root*root, hlgGamma-1) * peakWhite / referenceWhite)
	}
}

// setMatrix leaves primaries that FFmpeg does not know as they are.
func (g *grade) setMatrix() {
	m := matrix3{{1, 0, 0}, {0, 1, 0}, {0, 0, 1}}
	if from := C.av_csp_primaries_desc_from_id(C.enum_AVColorPrimaries(g.colour.primaries)); from != nil {
		m = toBT709(from)
	}
	for i := range g.table.matrix {
		g.table.matrix[i] = C.float(m[i/3][i%3])
	}
}

// setToneCurve is the curve that FFmpeg calls Möbius: it goes on with the slope of 1 at the knee and
// reaches 1 at the peak.
func (g *grade) setToneCurve() {
	if !g.colour.highDynamicRange() {
		g.table.knee = C.float(math.Inf(1))
		return
	}
	const peak = float64(peakWhite) / referenceWhite
	offset := -knee * knee * (peak - 1) / (knee*knee - 2*knee + peak)
	pole := (knee*knee - 2*knee*peak + peak) / (peak - 1)
	g.table.knee, g.table.offset, g.table.pole = knee, C.float(offset), C.float(pole)
	g.table.scale = C.float((pole*pole + 2*pole*knee + knee*knee) / (pole - offset))
}

// setLuma is what becomes of grey, in the range of the signal.
func (g *grade) setLuma() {
	black, white := 16., 235.
	if g.colour.colourRange == C.AVCOL_RANGE_JPEG {
		black, white = 0, 255
	}
	for i := range g.luma {
		signal := math.Min(1, math.Max(0, (float64(i)-black)/(white-black)))
		level := C.uint16_t(math.Round(signal * math.MaxUint16))
		from, to := [3]C.uint16_t{level, level, level}, [3]C.uint8_t{}
		C.lp_grade_rows(&g.table, (*C.uint8_t)(unsafe.Pointer(&from)), 1, 1, 0, &to[0], 0)
		g.luma[i] = uint8(math.Round(black + float64(to[0])*(white-black)/255))
	}
}

// thumbnail converts the luma that a thumbnail averages.
func (g *grade) thumbnail(t *liveproof.Thumbnail) {
	for i, v := range t {
		t[i] = g.luma[v]
	}
}

// rows converts width×height pixels of 16 bits a channel.
func (g *grade) rows(from []byte, width, height, fromStride int, to []byte, toStride int) {
	C.lp_grade_rows(&g.table, pixels(from), C.int(width), C.int(height), C.ptrdiff_t(fromStride), pixels(to), C.ptrdiff_t(toStride))
}
