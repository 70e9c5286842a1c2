package report

import (
	"testing"

	"github.com/stretchr/testify/require"
	"gonum.org/v1/plot/plotter"

	"github.com/liveproof/liveproof/evaluation/metrics"
)

func at(t float64, rho ...float64) Moment {
	m := Moment{T: t}
	if len(rho) > 0 {
		m.Rho = &rho[0]
	}
	return m
}

func TestTimelineIsBrokenAtGaps(t *testing.T) {
	timeline := []Moment{at(0), at(1, 0.5), at(2, 0.6), at(3), at(4), at(5, 0.7), at(6)}
	require.Equal(t, []plotter.XYs{{{X: 1, Y: 0.5}, {X: 2, Y: 0.6}}, {{X: 5, Y: 0.7}}}, runs(timeline))
	require.Equal(t, [][2]float64{{0, 1}, {2, 5}, {5, 6}}, gaps(timeline))
}

func TestThinnedCurveKeepsItsEndsAndCorners(t *testing.T) {
	var bonaFide, attacks []float64
	for i := range 3000 {
		bonaFide = append(bonaFide, 0.4+0.6*float64(i)/3000)
		attacks = append(attacks, 0.7*float64(i)/3000+1e-5)
	}
	set, err := metrics.New(bonaFide, attacks)
	require.NoError(t, err)
	whole := set.DET()
	thinned := thin(whole)
	require.Less(t, len(thinned), 1500)
	require.Equal(t, CurvePoint{whole[0].Threshold, 1, 0}, thinned[0])
	require.Equal(t, 1.0, thinned[len(thinned)-1].BPCER)
	for i := 1; i < len(thinned); i++ {
		require.LessOrEqual(t, thinned[i].APCER, thinned[i-1].APCER)
		require.GreaterOrEqual(t, thinned[i].BPCER, thinned[i-1].BPCER)
	}
	few := whole[:50]
	require.Len(t, thin(few), 50, "short curves stay as they are")
}

func TestAxes(t *testing.T) {
	require.Equal(t, []float64{0, 0.05, 0.1, 0.15, 0.2, 0.25}, rounded(spaced(0.29)))
	require.Equal(t, []float64{0, 0.2, 0.4, 0.6, 0.8, 1}, rounded(spaced(1)))
	require.Equal(t, []float64{0, 2, 4, 6, 8}, rounded(rounds(8.2, 8)))
	require.Equal(t, []float64{0, 0.1, 0.2, 0.3, 0.4, 0.5}, rounded(rounds(0.5, 6)))
	require.LessOrEqual(t, len(rounds(86400, 8)), 9)
}

func rounded(list []float64) []float64 {
	for i := range list {
		list[i] = round(list[i])
	}
	return list
}

func TestNumbersForPeople(t *testing.T) {
	for v, want := range map[float64]string{0: "0 %", 1: "100 %", 0.5: "50.0 %", 0.0041: "0.41 %", 0.99999: "100.0 %", 0.07143: "7.1 %"} {
		require.Equal(t, want, percent(v))
	}
	require.Equal(t, "above 1", shownThreshold(1.0000000000000002))
	require.Equal(t, "–", shownThreshold((*float64)(nil)))
}
