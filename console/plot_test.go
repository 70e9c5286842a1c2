package console

import (
	"math"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/liveproof/liveproof"
)

// timeline makes scored samples, 200 ms apart.
func timeline(rhos ...float64) (all []liveproof.Sample) {
	for i, rho := range rhos {
		all = append(all, liveproof.Sample{Seq: int64(i + 1), T: time.Duration(i) * 200 * time.Millisecond, Scored: true, Rho: rho, Weight: 1, Track: 1})
	}
	return all
}

func TestPlotEmpty(t *testing.T) {
	require.Nil(t, newPlot(nil, 0.5))
}

func TestPlotPlaces(t *testing.T) {
	p := newPlot(timeline(0, 1, 0.5, 0.5, 0.5, 0.5), 0.25)
	require.Len(t, p.Lines, 1)
	require.Equal(t, "M36.0 192.0L154.4 12.0L272.8 102.0L391.2 102.0L509.6 102.0L628.0 102.0", p.Lines[0])
	require.InDelta(t, 147.0, *p.Threshold, 1e-9)
	require.Len(t, p.Dots, 6)
	require.Equal(t, "Score ρ over 1.00 seconds: 6 of 6 samples scored, from 0.000 to 1.000, threshold 0.250.", p.Label)
	require.Equal(t, tick{36, "0 s"}, p.Times[0])
}

// TestPlotLines: no line leads over a sample that was not scored, nor from one track to the next.
func TestPlotLines(t *testing.T) {
	samples := timeline(0.1, 0.2, 0.3, 0.4, 0.5, 0.6)
	samples[2] = liveproof.Sample{Seq: 3, T: samples[2].T, Reasons: []liveproof.Reason{liveproof.ReasonNoFace}}
	samples[5].Track = 2
	p := newPlot(samples, 0)
	require.Len(t, p.Lines, 3)
	require.Len(t, p.Misses, 1)
	require.Contains(t, p.Misses[0].Title, "not scored, no_face")
	require.Nil(t, p.Threshold)
}

// TestThin: a long timeline keeps its extremes and its order.
func TestThin(t *testing.T) {
	rhos := make([]float64, 27000)
	for i := range rhos {
		rhos[i] = 0.5 + 0.1*math.Sin(float64(i)/50)
	}
	rhos[12345], rhos[20001] = 0.01, 0.99
	samples := timeline(rhos...)
	samples[777].Scored = false
	kept := thin(samples, maxPoints)
	require.LessOrEqual(t, len(kept), maxPoints+3)
	require.Contains(t, kept, samples[12345])
	require.Contains(t, kept, samples[20001])
	require.Contains(t, kept, samples[777])
	for i := 1; i < len(kept); i++ {
		require.Less(t, kept[i-1].Seq, kept[i].Seq)
	}
	p := newPlot(samples, 0.5)
	require.Less(t, len(strings.Join(p.Lines, "")), 20_000)
	require.Contains(t, p.Label, "26999 of 27000 samples scored, from 0.010 to 0.990")
}

func TestTicks(t *testing.T) {
	for _, span := range []time.Duration{0, time.Second, 3150 * time.Millisecond, 15 * time.Second, 10 * time.Minute, 90 * time.Minute, 24 * time.Hour} {
		n := len(newAxis(0, span).ticks())
		require.True(t, n >= 3 && n <= 10, "%v: %d", span, n)
	}
}
