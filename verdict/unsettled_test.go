package verdict

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/liveproof/liveproof"
)

// unsettled marks the samples from the n-th on, up to but not including the m-th.
func (s series) unsettled(n, m int) series {
	return s.each(func(i int, v *liveproof.Sample) {
		if i >= n && i < m {
			v.Signals = map[string]float64{liveproof.SignalUnsettled: 1}
		}
	})
}

// TestUnsettledSamplesDecideNothing: neither live nor spoof; the first settled sample decides, on all that was gathered.
func TestUnsettledSamplesDecideNothing(t *testing.T) {
	for _, mode := range modes {
		for rho, want := range map[float64]outcome{0.9: isLive, 0.1: isSpoof} {
			open := series{}.scored(30, rho).unsettled(0, 30)
			v := judged(open, mode)
			require.Equal(t, pending, v.Outcome)
			require.Equal(t, []reason{liveproof.ReasonInsufficientEvidence}, v.Reasons)
			require.Equal(t, 30, v.Scored)
			require.Equal(t, want, judged(open.scored(1, rho), mode).Outcome)
			require.Equal(t, pending, judged(series{}.scored(30, rho).unsettled(5, 30), mode).Outcome)
		}
	}
}

// TestCallStandsWhileUnsettled: an open question takes nothing away, its answer does, and scores that fall do.
func TestCallStandsWhileUnsettled(t *testing.T) {
	open := series{}.scored(15, 0.9).scored(10, 0.9).unsettled(15, 25)
	require.Equal(t, isLive, judged(open, liveproof.ModeCall).Outcome)
	changed := series{}.scored(15, 0.9).scored(10, 0.9).unsettled(15, 24).each(func(i int, v *liveproof.Sample) {
		if i == 24 {
			v.Reasons = []reason{liveproof.ReasonFaceChanged}
		}
	})
	v := judged(changed, liveproof.ModeCall)
	require.Equal(t, pending, v.Outcome)
	require.Equal(t, 1, v.Scored)
	require.Equal(t, pending, judged(series{}.scored(15, 0.9).scored(20, 0.1).unsettled(15, 35), liveproof.ModeCall).Outcome)
}

// TestUnsettledProgressIsNotFull, because a full bar means a verdict.
func TestUnsettledProgressIsNotFull(t *testing.T) {
	f, err := New(testPolicy(), liveproof.ModeOnboarding)
	require.NoError(t, err)
	for _, s := range (series{}).scored(30, 0.9).unsettled(0, 30) {
		f.Add(s)
		require.Less(t, f.Progress().Fraction, 1.0)
	}
}
