package injection

import (
	"math"
	"slices"
	"time"
)

const (
	ticksPerSecond = 90000 // RTP clock of every video payload format here
	// cadenceWindow is over how many steps between pictures the cadence is measured.
	cadenceWindow = 90
	// cadenceLeast is the fewest steps that say something.
	cadenceLeast = 20
	// millisecond in ticks. libwebrtc, and so every browser, rounds capture times to milliseconds before it makes RTP timestamps of them.
	millisecond = ticksPerSecond / 1000
)

// cadence is the capture clock of a sender, as its RTP timestamps and their arrival show it.
type cadence struct {
	started bool
	last    time.Duration
	arrived time.Time // the last one
	steps   ring      // ticks from one picture to the next
	delays  ring      // arrival less timestamp, in ms, without a constant
	begin   time.Time
}

// rhythm is what the cadence says.
type rhythm struct {
	known   bool
	step    float64 // median, in ms
	jitter  float64 // robust standard deviation of the steps, in ms
	corr    float64 // autocorrelation of the steps at lag 1: -0.5 for a clock read with an error, 0 for a timer whose errors add up
	grid    float64 // share of the steps that are whole multiples of the median step, to a tick
	millis  float64 // share of the steps that are whole milliseconds
	arrival float64 // robust standard deviation of the delay, in ms
}

// observe takes a unit; apart says that units between it and the one before are missing.
func (c *cadence) observe(pts time.Duration, arrived time.Time, apart bool) {
	if c.begin.IsZero() {
		c.begin = arrived
	}
	step := pts - c.last
	if c.started && !apart && step > 0 && step < time.Second {
		c.steps.add(ticks(step))
		c.delays.add((arrived.Sub(c.begin) - pts).Seconds() * 1e3)
	}
	c.started, c.last, c.arrived = true, pts, arrived
}

// rate of the newest pictures in pictures a second, 0 while it is not known.
func (c *cadence) rate() float64 {
	steps := c.steps.values()
	if len(steps) < probeAfter {
		return 0
	}
	sum := 0.0
	for _, s := range steps[len(steps)-probeAfter:] {
		sum += s
	}
	return probeAfter * ticksPerSecond / sum
}

// ticks undoes the conversion of RTP timestamps into time.
func ticks(d time.Duration) float64 { return math.Round(d.Seconds() * ticksPerSecond) }

func (c *cadence) measure() (r rhythm) {
	steps := c.steps.values()
	if len(steps) < cadenceLeast {
		return r
	}
	median, deviation := spread(steps)
	_, arrival := spread(c.delays.values())
	r = rhythm{known: true, step: median / millisecond, jitter: deviation / millisecond, corr: autocorrelation(steps), arrival: arrival}
	for _, s := range steps {
		if median >= 1 && math.Abs(s-median*math.Round(s/median)) <= 1 {
			r.grid += 1 / float64(len(steps))
		}
		if math.Mod(s, millisecond) == 0 {
			r.millis += 1 / float64(len(steps))
		}
	}
	return r
}

// spread is the median and 1.4826 times the median distance from it, which is the standard deviation of normal values.
func spread(values []float64) (median, deviation float64) {
	if len(values) == 0 {
		return 0, 0
	}
	sorted := slices.Clone(values)
	slices.Sort(sorted)
	median = sorted[len(sorted)/2]
	for i, v := range sorted {
		sorted[i] = math.Abs(v - median)
	}
	slices.Sort(sorted)
	return median, 1.4826 * sorted[len(sorted)/2]
}

// autocorrelation at lag 1; 0 of values that are all the same.
func autocorrelation(values []float64) float64 {
	var mean, square, product float64
	for _, v := range values {
		mean += v / float64(len(values))
	}
	for i, v := range values {
		square += (v - mean) * (v - mean)
		if i > 0 {
			product += (v - mean) * (values[i-1] - mean)
		}
	}
	if square < 1e-6 {
		return 0
	}
	return product / square
}

// ring keeps the newest cadenceWindow values.
type ring struct {
	all  [cadenceWindow]float64
	n    int // values so far
	from []float64
}

func (r *ring) add(v float64) {
	r.all[r.n%cadenceWindow] = v
	r.n++
}

// values are in order, oldest first, and valid until the next call.
func (r *ring) values() []float64 {
	r.from = r.from[:0]
	for i := max(0, r.n-cadenceWindow); i < r.n; i++ {
		r.from = append(r.from, r.all[i%cadenceWindow])
	}
	return r.from
}
