package metrics_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/liveproof/liveproof/evaluation/metrics"
)

// Each published rule differs from the others on one of these; the points of whole curves are in the golden file.
func TestRulesOfPublishedCode(t *testing.T) {
	tied := newSet(t, []float64{.8, .9}, []float64{.1})
	require.Equal(t, metrics.Point{Threshold: .8}, tied.Grid(), "the last of 0.1001 to 0.8")
	require.Equal(t, metrics.Point{Threshold: .8}, tied.EERPoint())
	equal := newSet(t, []float64{1}, []float64{1})
	require.Equal(t, metrics.Point{Threshold: 1.1, FAR: 0, FRR: 1}, equal.Grid(), "nothing accepted is as good as all, and later")
	require.Equal(t, metrics.Point{Threshold: 2, FAR: 0, FRR: 1}, equal.SSAN(), "largest score + 1 comes first")
	require.Equal(t, metrics.Point{Threshold: 1, FAR: 1, FRR: 0}, equal.EERPoint())

	fine := newSet(t, []float64{.50002, .9}, []float64{.1, .50001})
	require.Equal(t, metrics.Point{Threshold: .50002}, fine.EERPoint())
	require.Equal(t, metrics.Point{Threshold: .9, FAR: 0, FRR: .5}, fine.Grid(), "no threshold between .50001 and .50002; the last of equals")
}

// Points on a straight line are dropped: SSAN cannot choose them, SA-FAS does.
func TestDroppedPointsAreNotChosen(t *testing.T) {
	s := newSet(t, []float64{.9, .7, .5, .3}, []float64{.9, .7, .5, .3})
	require.Equal(t, metrics.Point{Threshold: .7, FAR: .5, FRR: .5}, s.SAFAS())
	require.Equal(t, metrics.Point{Threshold: .9, FAR: .25, FRR: .75}, s.SSAN(), "the ends of the line are kept")
}

func TestIADGAcceptsOnlyAboveItsThreshold(t *testing.T) {
	p, err := newSet(t, []float64{.7}, []float64{.1}).IADG()
	require.NoError(t, err)
	require.Equal(t, metrics.Point{Threshold: .7, FAR: 0, FRR: 1}, p, "the bona fide at the threshold is rejected")
}
