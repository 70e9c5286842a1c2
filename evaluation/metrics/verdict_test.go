package metrics_test

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/liveproof/liveproof"
	"github.com/liveproof/liveproof/evaluation/metrics"
)

func TestVerdictsAsRates(t *testing.T) {
	d, err := metrics.Decide([]liveproof.Outcome{
		liveproof.OutcomeLive, liveproof.OutcomeLive, liveproof.OutcomeSpoof,
		liveproof.OutcomeInconclusive, liveproof.OutcomePending, "", "unheard of",
	})
	require.NoError(t, err)
	require.Equal(t, metrics.Decisions{Live: 2, Spoof: 1, None: 4}, d, "what is no decision is never live")
	require.Equal(t, metrics.Proportion{Count: 2, Of: 7}, d.Accepted())
	require.Equal(t, metrics.Proportion{Count: 5, Of: 7}, d.Rejected())
	require.Equal(t, metrics.Proportion{Count: 4, Of: 7}, d.NoResponse())
	require.Equal(t, metrics.Proportion{Count: 1, Of: 3}, d.CalledSpoof())
	require.Equal(t, metrics.Proportion{Count: 2, Of: 3}, d.CalledLive())
	_, err = metrics.Decide(nil)
	require.ErrorIs(t, err, metrics.ErrEmpty)
}

func TestQuantilesAreValuesThatOccurred(t *testing.T) {
	times := []float64{4, 1, 3, 2, 10}
	got, err := metrics.Quantiles(times, 0, .2, .21, .5, .9, 1)
	require.NoError(t, err)
	require.Equal(t, []float64{1, 1, 2, 3, 10, 10}, got)
	require.Equal(t, []float64{4, 1, 3, 2, 10}, times, "the caller's values stay in their order")
}

func TestUndefinedQuantilesAreErrors(t *testing.T) {
	for _, c := range []struct {
		values []float64
		share  float64
		want   error
	}{
		{nil, .5, metrics.ErrEmpty},
		{[]float64{1, math.NaN()}, .5, metrics.ErrNotFinite},
		{[]float64{1}, 1.5, metrics.ErrOutOfRange},
		{[]float64{1}, math.NaN(), metrics.ErrOutOfRange},
	} {
		_, err := metrics.Quantiles(c.values, c.share)
		require.ErrorIs(t, err, c.want)
	}
}

func TestSpreadOfFolds(t *testing.T) {
	s, err := metrics.SpreadOf([]float64{0, .02, .04})
	require.NoError(t, err)
	require.InDelta(t, .02, s.Mean, 1e-15)
	require.InDelta(t, .02, s.Std1, 1e-15)
	require.InDelta(t, .02*math.Sqrt(2./3), s.Std0, 1e-15)
	one, err := metrics.SpreadOf([]float64{.3})
	require.NoError(t, err)
	require.Equal(t, metrics.Spread{N: 1, Mean: .3}, one)
	_, err = metrics.SpreadOf(nil)
	require.ErrorIs(t, err, metrics.ErrEmpty)
	_, err = metrics.SpreadOf([]float64{math.Inf(1)})
	require.ErrorIs(t, err, metrics.ErrNotFinite)
}
