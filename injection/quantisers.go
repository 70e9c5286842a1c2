package injection

import (
	"math"

	"github.com/liveproof/liveproof"
	"github.com/liveproof/liveproof/internal/codecs"
)

const (
	// quantiserLeast is the fewest pictures whose quantisers say something.
	quantiserLeast = 40
	// finest and coarsest steps at which an encoder's rate control may stand at its limit: there a constant quantiser says nothing.
	finest, coarsest = 3, 40
	// echoShortest and echoLongest periods are those of key frames in files, in pictures, that are looked for.
	echoShortest, echoLongest = 9, 22
)

// quantisers follows the quantiser and the size of each picture that is no key frame. A live encoder changes its quantiser all the time to
// keep to a bitrate; one that encodes a file may keep it.
type quantisers struct {
	codec  liveproof.Codec
	reader codecs.QuantiserReader
	last   float64
	steps  ring // quantiser steps on the scale of codecs.Quantised
	same   ring // 1: the step is that of the picture before
	sizes  ring // logarithms of the bytes
}

// coded is what the quantisers say.
type coded struct {
	known    bool
	median   float64 // step
	constant float64 // share of the pictures with the same step as the one before
	sizes    float64 // robust standard deviation of the logarithm of the pictures' bytes
	echo     float64 // share of the sizes' variation that a period of an earlier encoding's key frames explains (adjusted R²)
}

func (q *quantisers) observe(u *liveproof.AccessUnit) {
	if u.Codec != q.codec {
		*q = quantisers{codec: u.Codec}
		if format := codecs.Find(u.Codec); format != nil {
			q.reader = format.NewQuantiserReader(nil)
		}
	}
	if q.reader == nil {
		return
	}
	read := q.reader.Read(u.Data)
	if u.Key || read.Step <= 0 {
		return
	}
	if q.last > 0 {
		q.same.add(indicator(read.Step == q.last))
	}
	q.last = read.Step
	q.steps.add(read.Step)
	q.sizes.add(math.Log(float64(max(1, len(u.Data)))))
}

func (q *quantisers) measure() (c coded) {
	if q.steps.n < quantiserLeast {
		return c
	}
	c.known = true
	c.median, _ = spread(q.steps.values())
	same := q.same.values()
	for _, x := range same {
		c.constant += x / float64(len(same))
	}
	sizes := q.sizes.values()
	_, c.sizes = spread(sizes)
	c.echo = echo(sizes)
	return c
}

// oddity is how constant the quantiser is where a rate control would change it, in [0,1].
func (c coded) oddity() float64 {
	if c.median <= finest || c.median >= coarsest {
		return 0
	}
	return ramp(c.constant, 0.8, 1)
}

// echo is the largest adjusted R² of all periods that occur four times.
func echo(sizes []float64) (best float64) {
	n := float64(len(sizes))
	var sum, square float64
	for _, v := range sizes {
		sum, square = sum+v, square+v*v
	}
	total := square - sum*sum/n
	for period := echoShortest; period <= echoLongest && 4*period <= len(sizes); period++ {
		var sums, counts [echoLongest]float64
		for i, v := range sizes {
			sums[i%period] += v
			counts[i%period]++
		}
		between := -sum * sum / n
		for i := range period {
			between += sums[i] * sums[i] / counts[i]
		}
		if total > 0 {
			best = max(best, 1-(1-between/total)*(n-1)/(n-float64(period)))
		}
	}
	return best
}
