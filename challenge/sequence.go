package challenge

import (
	"math"
	"math/rand/v2"
	"time"

	"github.com/liveproof/liveproof"
)

const (
	// minPeriod keeps to three changes in any second.
	minPeriod = 340 * time.Millisecond
	// ramp is how long a change of colour takes.
	ramp = 140 * time.Millisecond
	// maxColours bounds a sequence.
	maxColours = 24
)

// colour is sRGB values.
type colour [3]uint8

// grey is what the screen shows before and after the colours, of the same relative luminance.
var grey = colour{155, 155, 155}

// palette has the colours of a sequence. Their relative luminance lies in [0.318, 0.342], and the share of red in linear light is below
// 0.8, from which on a red is saturated (WCAG 2.2, "general flash and red flash thresholds").
var palette = [...]colour{
	{255, 110, 110}, // red
	{160, 160, 0},   // yellow
	{0, 180, 0},     // green
	{0, 172, 180},   // cyan
	{125, 145, 255}, // blue
	{255, 80, 255},  // magenta
}

// sequence is indices of the palette.
type sequence []uint8

// draw draws n colours, each another than the one before.
func draw(r *rand.Rand, n int) sequence {
	s := make(sequence, n)
	s.redraw(r)
	return s
}

// redraw fills the sequence anew. All sequences are equally probable.
func (s sequence) redraw(r *rand.Rand) {
	last := -1
	for i := range s {
		next := r.IntN(len(palette) - indicator(last >= 0))
		if last >= 0 && next >= last {
			next++
		}
		s[i], last = uint8(next), next
	}
}

func indicator(b bool) int {
	if b {
		return 1
	}
	return 0
}

// keyframes is the sequence as a client is told it: from grey through the colours and back. The middle of each ramp is computed in linear
// light, because sRGB values halfway between two saturated colours are darker than both.
func (s sequence) keyframes(period time.Duration) []liveproof.ColourAt {
	frames := []liveproof.ColourAt{at(0, grey)}
	last := grey
	for i := range len(s) + 1 {
		begin, next := time.Duration(i)*period, grey
		if i < len(s) {
			next = palette[s[i]]
		}
		if i > 0 {
			frames = append(frames, at(begin, last))
		}
		frames = append(frames, at(begin+ramp/2, between(last, next)), at(begin+ramp, next))
		last = next
	}
	return frames
}

func at(t time.Duration, c colour) liveproof.ColourAt {
	return liveproof.ColourAt{At: t, R: c[0], G: c[1], B: c[2]}
}

// between is the colour of half the light of both.
func between(a, b colour) (c colour) {
	for i := range c {
		c[i] = encode((linear[a[i]] + linear[b[i]]) / 2)
	}
	return c
}

// linear is the light of an sRGB value, in [0,1] (IEC 61966-2-1).
var linear = func() (table [256]float64) {
	for i := range table {
		v := float64(i) / 255
		if v <= 0.04045 {
			table[i] = v / 12.92
		} else {
			table[i] = math.Pow((v+0.055)/1.055, 2.4)
		}
	}
	return table
}()

// encode is the sRGB value of light in [0,1].
func encode(light float64) uint8 {
	v := 12.92 * light
	if light > 0.0031308 {
		v = 1.055*math.Pow(light, 1/2.4) - 0.055
	}
	return uint8(math.Round(255 * min(1, max(0, v))))
}
