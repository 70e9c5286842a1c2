package injection

import (
	"math"
	"slices"
	"time"

	"github.com/liveproof/liveproof"
)

const (
	// changeWindow is over how many slots of time the changes from picture to picture are compared.
	changeWindow = 72
	// longestPeriod of a conversion of the frame rate that is looked for, in pictures: 7 to 8 is the slowest one with a name.
	longestPeriod = 8
	// leastPerPhase is how often each place of a period must have been seen.
	leastPerPhase = 6
	// leastMotion is the change of a moving picture, in levels of a thumbnail's cells, below which repeats cannot be told from stillness.
	leastMotion = 0.08
	// dip is how small a change must be, as a share of those around it, to be that of a repeated picture.
	dip = 0.25
)

// change is by how much a picture differs from the one before it.
type change struct {
	slot  int // number of its time on the grid of the pictures
	level float64
}

// changes follows pictures by their thumbnails. Converting the frame rate repeats pictures at regular places (15 to 30: every second one; 24 to
// 30: every fifth), or blends two into one.
type changes struct {
	last    liveproof.Thumbnail
	at      time.Duration
	begun   bool
	slot    int
	step    time.Duration // from picture to picture
	steps   ring
	changed []change // of the last changeWindow slots
	scratch []float64
}

// observe takes the next picture.
func (c *changes) observe(at time.Duration, cells *liveproof.Thumbnail) {
	step := at - c.at
	switch {
	case !c.begun, step > time.Second, step < 0:
		c.changed, c.slot = c.changed[:0], 0
	case step == 0:
		return
	default:
		c.steps.add(float64(step))
		c.pace(step, cells)
	}
	c.begun, c.at, c.last = true, at, *cells
}

// pace gives the picture its slot. The change across a missing picture is left out.
func (c *changes) pace(step time.Duration, cells *liveproof.Thumbnail) {
	if c.steps.n%8 == 1 { // the step hardly changes
		median, _ := spread(c.steps.values())
		c.step = time.Duration(median)
	}
	slots := max(1, int(math.Round(float64(step)/float64(max(c.step, 1)))))
	c.slot += slots
	if slots == 1 {
		c.changed = append(c.changed, change{c.slot, distance(&c.last, cells)})
	}
	for len(c.changed) > 0 && c.slot-c.changed[0].slot >= changeWindow {
		c.changed = c.changed[1:]
	}
}

// distance is the mean difference of two thumbnails, in levels.
func distance(a, b *liveproof.Thumbnail) float64 {
	sum := 0
	for i, x := range a {
		d := int(x) - int(b[i])
		sum += max(d, -d)
	}
	return float64(sum) / float64(len(a))
}

// pattern is a regular order of pictures.
type pattern struct {
	known   bool    // the picture moves enough, for long enough
	repeats float64 // how regularly pictures repeat the one before: 0 not at all, 1 at the same places of each period
	period  int     // of these, in pictures; 0 without repeats
	sway    float64 // share of the changes' variation that a period of 2 to longestPeriod pictures explains
}

func (c *changes) measure() (p pattern) {
	levels := c.scratch[:0]
	for _, x := range c.changed {
		levels = append(levels, x.level)
	}
	c.scratch = levels
	if len(levels) < 2*leastPerPhase {
		return p
	}
	slices.Sort(levels)
	motion := levels[len(levels)*3/4]
	if motion < leastMotion {
		return p
	}
	p.known = true
	for period := 2; period <= longestPeriod; period++ {
		repeats, sway, enough := c.phases(period)
		if enough && repeats > p.repeats {
			p.repeats, p.period = repeats, period
		}
		if enough && sway > p.sway {
			p.sway = sway
		}
	}
	return p
}

// phase is one place of a period.
type phase struct {
	n, dips float64
	sum     float64
}

// phases looks at one period: how consistent its places are, and how much of the variation they explain.
func (c *changes) phases(period int) (repeats, sway float64, enough bool) {
	var all [longestPeriod]phase
	var n, sum, square float64
	for i, x := range c.changed {
		p := &all[x.slot%period]
		p.n++
		p.dips += indicator(x.level < dip*c.around(i))
		v := math.Log(x.level + leastMotion/4)
		p.sum += v
		n, sum, square = n+1, sum+v, square+v*v
	}
	between := -sum * sum / n
	for _, p := range all[:period] {
		if p.n < leastPerPhase {
			return 0, 0, false
		}
		between += p.sum * p.sum / p.n
	}
	if within := square - sum*sum/n; within > 0 {
		// What chance explains, (period-1)/(n-1), is taken off (adjusted R²).
		sway = max(0, 1-(1-between/within)*(n-1)/(n-float64(period)))
	}
	return consistency(all[:period]), sway, true
}

// around is the largest change of the neighbours within a period's reach, which is that of a new picture.
func (c *changes) around(i int) float64 {
	const reach = 2
	most := 0.0
	for _, x := range c.changed[max(0, i-reach):min(len(c.changed), i+reach+1)] {
		most = max(most, x.level)
	}
	return most
}

// consistency is how surely some places of the period repeat pictures and others do not, in [0,1]: 1 where all pictures are as their
// places say, 0.6 where four of five are, 0 without places that mostly repeat.
func consistency(all []phase) float64 {
	var repeating, other phase
	for _, p := range all {
		to := &other
		if p.dips > p.n/2 {
			to = &repeating
		}
		to.n, to.dips = to.n+p.n, to.dips+p.dips
	}
	if repeating.n == 0 || other.n == 0 {
		return 0
	}
	return max(0, 2*min(repeating.dips/repeating.n, 1-other.dips/other.n)-1)
}

func indicator(b bool) float64 {
	if b {
		return 1
	}
	return 0
}
