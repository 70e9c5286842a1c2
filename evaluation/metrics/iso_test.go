package metrics_test

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/liveproof/liveproof/evaluation/metrics"
)

// OULU-NPU protocol 1 has 120 bona fide and 240 attacks of each species: 3 rejected, 6 prints accepted, all of one printer.
func TestISORatesOfOULUProtocol1(t *testing.T) {
	var attacks []metrics.Attack
	for _, a := range []struct {
		species, instrument string
		score               float64
		n                   int
	}{
		{"print", "print1", .9, 6},
		{"print", "print1", .1, 114},
		{"print", "print2", .1, 120},
		{"replay", "display1", .1, 120},
		{"replay", "display2", .1, 120},
	} {
		for range a.n {
			attacks = append(attacks, metrics.Attack{Score: a.score, Species: a.species, Instrument: a.instrument})
		}
	}
	r, err := metrics.AtThreshold(repeated(.9, 117, .1, 3), attacks, .5)
	require.NoError(t, err)
	require.Equal(t, .5, r.Threshold)
	require.Equal(t, []float64{.025, .025, .025}, []float64{r.BPCER(), r.APCER(), r.ACER()})
	require.Equal(t, .0125, r.APCERPooled())
	require.InDelta(t, .01875, r.ACERPooled(), 1e-15)
	require.Equal(t, .05, r.APCERInstrument(), "all six are of one of two printers")
	require.InDelta(t, .0375, r.ACERInstrument(), 1e-15)
	require.Equal(t, metrics.Proportion{Count: 6, Of: 240}, r.Species["print"])
	require.Equal(t, metrics.Proportion{Count: 0, Of: 120}, r.Instruments["display2"])
}

func TestISOThresholdOfNaNAcceptsNothing(t *testing.T) {
	r, err := metrics.AtThreshold([]float64{.9}, []metrics.Attack{{Score: .9}}, math.NaN())
	require.NoError(t, err)
	require.Equal(t, []float64{1, 0}, []float64{r.BPCER(), r.APCER()})
}
