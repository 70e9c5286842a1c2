package metrics_test

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/liveproof/liveproof/evaluation/metrics"
)

func TestCurveHasEveryDistinctThreshold(t *testing.T) {
	s := newSet(t, []float64{.5, .9, .9}, []float64{.1, .5})
	require.Equal(t, []metrics.Point{
		{Threshold: .1, FAR: 1, FRR: 0},
		{Threshold: .5, FAR: .5, FRR: 0},
		{Threshold: .9, FAR: 0, FRR: 1. / 3},
		{Threshold: math.Inf(1), FAR: 0, FRR: 1},
	}, s.Curve())
}

func TestTPRAtFPRInterpolatesNothing(t *testing.T) {
	// 100 attacks .00 to .99, bona fide .5 and .985 and 1: one attack above .985.
	var attacks []float64
	for i := range 100 {
		attacks = append(attacks, float64(i)/100)
	}
	s := newSet(t, []float64{.5, .985, 1}, attacks)
	for limit, want := range map[float64]metrics.Point{
		1:     {Threshold: .5, FAR: .5, FRR: 0},
		.5:    {Threshold: .5, FAR: .5, FRR: 0},
		.499:  {Threshold: .985, FAR: .01, FRR: 1. / 3},
		.01:   {Threshold: .985, FAR: .01, FRR: 1. / 3},
		.0099: {Threshold: 1, FAR: 0, FRR: 2. / 3},
		0:     {Threshold: 1, FAR: 0, FRR: 2. / 3},
	} {
		got, err := s.TPRAtFPR(limit)
		require.NoError(t, err)
		require.Equal(t, want, got, "limit %v", limit)
	}
	none, err := newSet(t, []float64{.1}, []float64{.2}).TPRAtFPR(.01)
	require.NoError(t, err)
	require.Equal(t, metrics.Point{Threshold: math.Inf(1), FAR: 0, FRR: 1}, none)
}

func TestTPRAtFPRRefusesALimitThatIsNoRate(t *testing.T) {
	for _, limit := range []float64{-.1, 1.1, math.NaN()} {
		_, err := newSet(t, []float64{.1}, []float64{.2}).TPRAtFPR(limit)
		require.ErrorIs(t, err, metrics.ErrOutOfRange)
	}
}

func TestProbitDrawsZeroAndOneAtHalfAnError(t *testing.T) {
	require.Equal(t, metrics.Probit(.005, 1000), metrics.Probit(0, 100))
	require.Equal(t, metrics.Probit(.995, 1000), metrics.Probit(1, 100))
	require.InDelta(t, -2.5758293035489, metrics.Probit(0, 100), 1e-12)
	require.Zero(t, metrics.Probit(.5, 1))
	require.Zero(t, metrics.Probit(0, 1), "of one trial half an error is a rate of one half")
}

func TestDETIsTheCurveAsDeviates(t *testing.T) {
	s := newSet(t, []float64{.5, .9}, []float64{.1, .5})
	det := s.DET()
	require.Len(t, det, len(s.Curve()))
	require.Equal(t, metrics.DETPoint{Point: metrics.Point{Threshold: .5, FAR: .5, FRR: 0}, X: 0, Y: metrics.Probit(.25, 10)}, det[1])
}
