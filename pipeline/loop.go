package pipeline

import (
	"math"
	"time"

	"github.com/liveproof/liveproof"
)

// What tells a loop from a person who comes back to the same pose. The figures
// are measured, see docs/adr/0007-frozen-pictures.md.
const (
	// loopMinLag: pictures closer than that resemble each other anyway.
	loopMinLag = 450 * time.Millisecond
	// loopJitter is how far the lag may differ from one sample to the next.
	loopJitter = 50 * time.Millisecond
	// loopRun is how many samples in a row must match at one lag.
	loopRun = 3
	// loopRatio: over the run the distance to the past is below this share of
	// the distance from sample to sample.
	loopRatio = 0.4

	loopSide = liveproof.ThumbnailSide / 2
	// blockSide is how many cells along each axis a block has.
	blockSide = 4
	blocks    = loopSide / blockSide
)

// coarse is a thumbnail with a quarter of the cells: 1 KiB.
type coarse [loopSide * loopSide]uint8

func coarsen(t *liveproof.Thumbnail) (c coarse) {
	const side = liveproof.ThumbnailSide
	for y := range loopSide {
		for x := range loopSide {
			i := 2*y*side + 2*x
			c[y*loopSide+x] = uint8((int(t[i]) + int(t[i+1]) + int(t[i+side]) + int(t[i+side+1]) + 2) / 4)
		}
	}
	return c
}

// loops finds recordings that start again: several samples in a row that each
// repeat a picture of the past at one constant lag, much closer than the
// samples are to each other. All pictures are kept, sampled or not, so that a
// loop is found whatever its length in sampling periods.
type loops struct {
	ring []shown // of the newest pictures
	n    int     // pictures so far
	last *coarse // newest sample
	lag  time.Duration
	run  []match // newest samples that matched at lag, at most loopRun
}

type shown struct {
	t     time.Duration
	cells coarse
	sums  blockSums
}

// blockSums are the sums of the cells of each block. They bound the distance of two pictures from below at a
// sixteenth of its cost.
type blockSums [blocks * blocks]uint16

func (c *coarse) blockSums() (s blockSums) {
	for y := range loopSide {
		for x := range loopSide {
			s[y/blockSide*blocks+x/blockSide] += uint16(c[y*loopSide+x])
		}
	}
	return s
}

// farther reports that the distance of two pictures is above limit, in levels RMS. It may miss that, but is never
// wrong: the mean of n squares is at least the square of their mean.
func (s *blockSums) farther(o *blockSums, limit float64) bool {
	sum := 0
	for i := range s {
		d := int(s[i]) - int(o[i])
		sum += d * d
	}
	const n = blockSide * blockSide
	return float64(sum) > limit*limit*n*n*float64(len(s))
}

// match compares a sample with the past and with the sample before; RMS levels.
type match struct{ past, step float64 }

func newLoops(window int) *loops { return &loops{ring: make([]shown, window)} }

// observe takes the next picture; for a sampled one it reports whether the picture
// belongs to a loop.
func (l *loops) observe(t time.Duration, cells *coarse, sampled bool) (looped bool) {
	s := shown{t, *cells, cells.blockSums()}
	if sampled {
		looped = l.judge(&s)
		l.last = &s.cells
	}
	l.ring[l.n%len(l.ring)] = s
	l.n++
	return looped
}

func (l *loops) judge(s *shown) bool {
	if l.last == nil {
		return false
	}
	lag, best := l.nearest(s, loopMinLag, math.MaxInt64)
	if math.IsInf(best, 1) {
		return false
	}
	// The lag that held so far is kept when it is about as good as the best: a
	// loop matches at each multiple of its length.
	if _, same := l.nearest(s, l.lag-loopJitter, l.lag+loopJitter); len(l.run) > 0 && same <= 1.25*best+0.3 {
		best = same
	} else {
		l.run, l.lag = l.run[:0], lag
	}
	if l.run = append(l.run, match{best, distance(&s.cells, l.last, math.Inf(1))}); len(l.run) > loopRun {
		l.run = append(l.run[:0], l.run[1:]...)
	}
	var past, step float64
	for _, m := range l.run {
		past, step = past+m.past, step+m.step
	}
	return len(l.run) == loopRun && past < loopRatio*step
}

// nearest finds the most similar picture whose age is in [from, to]; +Inf without one.
func (l *loops) nearest(s *shown, from, to time.Duration) (lag time.Duration, best float64) {
	best = math.Inf(1)
	for i := range l.ring[:min(l.n, len(l.ring))] {
		old := &l.ring[i]
		if age := s.t - old.t; age >= from && age <= to && !s.sums.farther(&old.sums, best) {
			if d := distance(&s.cells, &old.cells, best); d < best {
				lag, best = age, d
			}
		}
	}
	return lag, best
}

// distance is the RMS difference in levels; +Inf as soon as it is above limit.
func distance(a, b *coarse, limit float64) float64 {
	most := limit * limit * float64(len(a))
	sum := 0
	for y := 0; y < len(a); y += loopSide {
		for i := y; i < y+loopSide; i++ {
			d := int(a[i]) - int(b[i])
			sum += d * d
		}
		if float64(sum) > most {
			return math.Inf(1)
		}
	}
	return math.Sqrt(float64(sum) / float64(len(a)))
}
