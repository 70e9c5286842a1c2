package challenge

import (
	"math"
	"math/rand/v2"
	"time"
)

const (
	// lagStep is the distance of two lags that are tried.
	lagStep = 60 * time.Millisecond
	// ambient is the share of the ambient light, beside the screen's white, in the series that is expected of a sequence. It bends the
	// series, like the logarithm of what the camera sees; the correlation depends on it little.
	ambient = 0.5
	// leastReadings is the fewest readings from which a sequence is recognised.
	leastReadings = 12
	// spike is how far a reading may lie from the median, in median absolute deviations.
	spike = 6
)

// expected is the ratios that a colour of the palette adds to grey's.
var expected = func() (table [len(palette)]ratios) {
	for i, c := range palette {
		log := func(channel int) float64 {
			return math.Log((ambient + linear[c[channel]]) / (ambient + linear[grey[channel]]))
		}
		table[i] = ratios{log(0) - log(1), log(2) - log(1)}
	}
	return table
}()

// observed is the series of one way to measure, a value for each moment.
type observed struct{ values []ratios }

// matcher compares sequences with what was observed at moments. All sequences share the times of their changes, so for each lag a series is a
// fixed linear map of the expected ratios of the colours.
type matcher struct {
	lags []projection
}

// projection is that map for one lag, freed of mean and drift: the products of the observed series with each colour's share, and those of the
// shares with each other.
type projection struct {
	observed [][2][]float64 // [way][ratio][step]
	norms    [][2]float64   // [way][ratio]: length of the observed series
	gram     [][]float64    // [step][step], lower triangle
}

// newMatcher prepares the comparison. moments are since the challenge began; each of ways has as many values.
func newMatcher(cfg Config, moments []time.Duration, most time.Duration, ways []observed) *matcher {
	drift := newDrift(moments)
	cleaned := make([][2][]float64, len(ways))
	for w, way := range ways {
		for k := range 2 {
			cleaned[w][k] = drift.remove(tamed(column(way.values, k)))
		}
	}
	m := &matcher{}
	for lag := time.Duration(0); lag <= most; lag += lagStep {
		m.lags = append(m.lags, project(cfg, moments, lag, drift, cleaned))
	}
	return m
}

func project(cfg Config, moments []time.Duration, lag time.Duration, d drift, cleaned [][2][]float64) (p projection) {
	shares := make([][]float64, cfg.Colours)
	for step := range shares {
		share := make([]float64, len(moments))
		for i, t := range moments {
			share[i] = shareOf(cfg.Period, step, t-lag)
		}
		shares[step] = d.remove(share)
	}
	for step := range shares {
		row := make([]float64, step+1)
		for other := range row {
			row[other] = dot(shares[step], shares[other])
		}
		p.gram = append(p.gram, row)
	}
	for _, way := range cleaned {
		var products [2][]float64
		var norms [2]float64
		for k := range 2 {
			norms[k] = math.Sqrt(dot(way[k], way[k]))
			for step := range shares {
				products[k] = append(products[k], dot(shares[step], way[k]))
			}
		}
		p.observed, p.norms = append(p.observed, products), append(p.norms, norms)
	}
	return p
}

// shareOf is the share of a step's colour in what the screen shows at t: a trapezoid.
func shareOf(period time.Duration, step int, t time.Duration) float64 {
	since := t - time.Duration(step)*period
	in := float64(since) / float64(ramp)
	out := float64(since-period) / float64(ramp)
	return min(1, max(0, in)) - min(1, max(0, out))
}

// likelihood is Λ of a sequence: the largest over lags and ways.
func (m *matcher) likelihood(s sequence) (best float64) {
	for i := range m.lags {
		best = max(best, m.lags[i].likelihood(s))
	}
	return best
}

func (p *projection) likelihood(s sequence) (best float64) {
	norm := p.length(s)
	for w, products := range p.observed {
		sum := 0.0
		for k := range 2 {
			numerator := 0.0
			for step, c := range s {
				numerator += products[k][step] * expected[c][k]
			}
			r := numerator / (norm[k]*p.norms[w][k] + tiny)
			if r > 0 {
				sum -= math.Log1p(-min(r*r, closest))
			}
		}
		best = max(best, sum/2)
	}
	return best
}

// tiny keeps a series without any change from dividing by zero; closest keeps the logarithm of a perfect match finite.
const tiny, closest = 1e-12, 1 - 1e-9

// length is the lengths of the sequence's series.
func (p *projection) length(s sequence) (norm [2]float64) {
	for step, row := range p.gram {
		x := &expected[s[step]]
		for k := range 2 {
			sum := row[step] * x[k] / 2
			for other := range step {
				sum += row[other] * expected[s[other]][k]
			}
			norm[k] += 2 * sum * x[k]
		}
	}
	for k := range 2 {
		norm[k] = math.Sqrt(max(0, norm[k]))
	}
	return norm
}

// beats reports whether a sequence does better than n that are drawn by r; it stops at the first that reaches it. A series without
// any answer beats nothing.
func (m *matcher) beats(s sequence, n int, r *rand.Rand) bool {
	target := m.likelihood(s)
	if !(target > 0) {
		return false
	}
	decoy := make(sequence, len(s))
	for range n {
		decoy.redraw(r)
		if m.likelihood(decoy) >= target {
			return false
		}
	}
	return true
}

func dot(a, b []float64) (sum float64) {
	for i := range a {
		sum += a[i] * b[i]
	}
	return sum
}
