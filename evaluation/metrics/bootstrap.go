package metrics

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"

	"gonum.org/v1/gonum/stat"
)

// A Statistic is what is computed of a resample. times[i] is how often item i
// was drawn, from 0; it must not be kept. [ErrSingleClass] says that the
// statistic is not defined of this resample, which is then drawn again; any
// other error ends the bootstrap. See [OfScores].
type Statistic func(times []int) (float64, error)

// Bootstrap estimates intervals by resampling whole clusters, such as all videos
// of one subject, because the videos of one person are alike (B. Efron and R. J.
// Tibshirani, An Introduction to the Bootstrap, 1993, chapters 8 and 13). Equal
// bootstraps of equal items give equal intervals.
//
// Where no resample can differ from the next, as with zero errors, the interval
// has no width and says nothing: see [Proportion.ClopperPearson].
type Bootstrap struct {
	// Resamples is how many are drawn, at least 1; 1000 or more for a level of 0.95.
	Resamples int
	// Level is the confidence, in (0,1).
	Level float64
	// Seed chooses the random numbers.
	Seed uint64
}

// maxRedraws is how often one resample is drawn again before the bootstrap gives up.
const maxRedraws = 1000

// ErrRedraws says that a statistic was not defined of resamples again and again: too few clusters hold a class.
var ErrRedraws = errors.New("no resample that holds both classes")

// Interval returns the percentile interval of a statistic: the quantiles
// (1 - level) / 2 and (1 + level) / 2 over the resamples, by the rule of
// [Quantiles]. Each resample draws as many clusters as there are, with
// replacement.
func (b Bootstrap) Interval(clusters *Clusters, statistic Statistic) (Interval, error) {
	if b.Resamples < 1 {
		return Interval{}, fmt.Errorf("%d resamples: %w", b.Resamples, ErrOutOfRange)
	}
	if err := checkLevel(b.Level); err != nil {
		return Interval{}, err
	}
	random := rand.New(rand.NewPCG(b.Seed, 0)) //nolint:gosec // figures must be repeatable, not secret
	times := make([]int, clusters.items)
	found := make([]float64, b.Resamples)
	for i := range found {
		var err error
		if found[i], err = redraw(clusters, random, times, statistic); err != nil {
			return Interval{}, fmt.Errorf("bootstrap: %w", err)
		}
	}
	if err := finite(found); err != nil {
		return Interval{}, fmt.Errorf("bootstrap: %w", err)
	}
	slices.Sort(found)
	tail := (1 - b.Level) / 2
	return Interval{
		Low:   stat.Quantile(tail, stat.Empirical, found, nil),
		High:  stat.Quantile(1-tail, stat.Empirical, found, nil),
		Level: b.Level,
	}, nil
}

// redraw computes the statistic of the first resample of which it is defined.
func redraw(clusters *Clusters, random *rand.Rand, times []int, statistic Statistic) (float64, error) {
	for range maxRedraws {
		clusters.draw(random, times)
		value, err := statistic(times)
		if !errors.Is(err, ErrSingleClass) {
			return value, err
		}
	}
	return 0, fmt.Errorf("%w in %d draws", ErrRedraws, maxRedraws)
}
