package metrics_test

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/liveproof/liveproof/evaluation/metrics"
)

// newSet is metrics.New, which must not fail.
func newSet(t testing.TB, bonaFide, attacks []float64) *metrics.Set {
	t.Helper()
	s, err := metrics.New(bonaFide, attacks)
	require.NoError(t, err)
	return s
}

// repeated is each value so many times.
func repeated(pairs ...float64) (out []float64) {
	for i := 0; i < len(pairs); i += 2 {
		for range int(pairs[i+1]) {
			out = append(out, pairs[i])
		}
	}
	return out
}

func TestEqualErrorByHand(t *testing.T) {
	s := newSet(t, []float64{.9, .8, .7, .4}, []float64{.1, .2, .3, .6})
	require.Equal(t, metrics.Point{Threshold: .6, FAR: .25, FRR: .25}, s.EERPoint())
	require.Equal(t, .25, s.EERPoint().HTER())
	require.Equal(t, .9375, s.AUC())
	threshold, rate := s.EqualError()
	require.Equal(t, .5, threshold)
	require.Equal(t, .25, rate)
}

func TestHTEROfMSUSize(t *testing.T) {
	s := newSet(t, repeated(.2, 2, .9, 38), repeated(.8, 7, .1, 113))
	accepted, rejected := s.Errors(.5)
	require.Equal(t, metrics.Proportion{Count: 7, Of: 120}, accepted)
	require.Equal(t, metrics.Proportion{Count: 2, Of: 40}, rejected)
	require.InDelta(t, 5.41667, 100*s.At(.5).HTER(), 1e-5)
}

func TestEqualScoresAndNoErrors(t *testing.T) {
	same := newSet(t, repeated(.5, 3), repeated(.5, 5))
	require.Equal(t, .5, same.AUC())
	require.Equal(t, metrics.Point{Threshold: .5, FAR: 1, FRR: 0}, same.EERPoint())
	require.Equal(t, .5, same.EERPoint().HTER())
	right := newSet(t, []float64{.8, .9}, []float64{.1, .7})
	require.Equal(t, 1.0, right.AUC())
	require.Equal(t, metrics.Point{Threshold: .8}, right.EERPoint())
}

func TestSmallerHTERWinsATie(t *testing.T) {
	// .7 gives FAR 1 and FRR .5, .9 gives FAR 0 and FRR .5: both .5 apart.
	s := newSet(t, []float64{.5, .9}, []float64{.7})
	require.Equal(t, metrics.Point{Threshold: .9, FAR: 0, FRR: .5}, s.EERPoint())
}

func TestScoreAtTheThresholdIsAccepted(t *testing.T) {
	s := newSet(t, []float64{.2, .5, .7}, []float64{.2, .5, .7})
	require.Equal(t, metrics.Point{Threshold: .5, FAR: 2. / 3, FRR: 1. / 3}, s.At(.5))
	require.Equal(t, metrics.Point{Threshold: math.Inf(1), FAR: 0, FRR: 1}, s.At(math.Inf(1)))
	none := s.At(math.NaN())
	require.Equal(t, []float64{0, 1}, []float64{none.FAR, none.FRR}, "a threshold of NaN accepts nothing")
}

func TestUndefinedRatesAreErrors(t *testing.T) {
	for name, c := range map[string]struct {
		bonaFide, attacks []float64
		want              error
	}{
		"nothing":      {nil, nil, metrics.ErrSingleClass},
		"no bona fide": {nil, []float64{.5}, metrics.ErrSingleClass},
		"no attacks":   {[]float64{.5}, nil, metrics.ErrSingleClass},
		"NaN":          {[]float64{.5, math.NaN()}, []float64{.5}, metrics.ErrNotFinite},
		"+Inf":         {[]float64{.5}, []float64{math.Inf(1)}, metrics.ErrNotFinite},
		"-Inf":         {[]float64{.5}, []float64{math.Inf(-1)}, metrics.ErrNotFinite},
	} {
		_, err := metrics.New(c.bonaFide, c.attacks)
		require.ErrorIs(t, err, c.want, name)
		var attacks []metrics.Attack
		for _, score := range c.attacks {
			attacks = append(attacks, metrics.Attack{Score: score})
		}
		_, err = metrics.AtThreshold(c.bonaFide, attacks, .5)
		require.ErrorIs(t, err, c.want, name)
	}
}
