package metrics_test

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"
	"gonum.org/v1/gonum/stat/distuv"

	"github.com/liveproof/liveproof/evaluation/metrics"
)

func TestUpperBoundOfLaboratories(t *testing.T) {
	for _, c := range []struct {
		count, of int
		level     float64
		want      float64
	}{
		{0, 149, .95, .02},                         // rounded up to a whole percent
		{0, 149, .95, 1 - math.Pow(.05, 1./149)},   // in closed form
		{0, 1000, .99, 1 - math.Pow(.01, 1./1000)}, // in closed form
		{5, 5, .95, 1},
	} {
		got, err := metrics.Proportion{Count: c.count, Of: c.of}.UpperBound(c.level)
		require.NoError(t, err)
		require.LessOrEqual(t, got, c.want+1e-12)
		require.InDelta(t, c.want, got, 1.1e-4)
	}
}

// By definition the binomial distribution at the bounds has (1 - level) / 2 of its mass at or beyond the count.
func TestClopperPearsonByDefinition(t *testing.T) {
	const level = .95
	for of := 1; of <= 40; of++ {
		for count := range of + 1 {
			p := metrics.Proportion{Count: count, Of: of}
			i, err := p.ClopperPearson(level)
			require.NoError(t, err)
			require.True(t, 0 <= i.Low && i.Low <= p.Rate() && p.Rate() <= i.High && i.High <= 1, "%v %v", p, i)
			if count > 0 {
				below := distuv.Binomial{N: float64(of), P: i.Low}.CDF(float64(count - 1))
				require.InDelta(t, .025, 1-below, 1e-9)
			}
			if count < of {
				require.InDelta(t, .025, distuv.Binomial{N: float64(of), P: i.High}.CDF(float64(count)), 1e-9)
			}
		}
	}
}

func TestUndefinedIntervalsAreErrors(t *testing.T) {
	for _, c := range []struct {
		count, of int
		level     float64
		want      error
	}{
		{0, 0, .95, metrics.ErrEmpty},
		{-1, 5, .95, metrics.ErrOutOfRange},
		{6, 5, .95, metrics.ErrOutOfRange},
		{0, -1, .95, metrics.ErrOutOfRange},
		{1, 5, 0, metrics.ErrOutOfRange},
		{1, 5, 1, metrics.ErrOutOfRange},
		{1, 5, math.NaN(), metrics.ErrOutOfRange},
	} {
		p := metrics.Proportion{Count: c.count, Of: c.of}
		_, err := p.ClopperPearson(c.level)
		require.ErrorIs(t, err, c.want, "%+v", c)
		_, err = p.UpperBound(c.level)
		require.ErrorIs(t, err, c.want, "%+v", c)
	}
}
