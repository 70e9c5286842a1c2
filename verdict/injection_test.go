package verdict

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/liveproof/liveproof"
)

// suspected gives samples from one on to another a risk of injection, which withholds live from 0.8 on.
func (s series) suspected(from, to int, risk float64) series {
	for i := from; i < to; i++ {
		s[i].Signals = map[string]float64{"injection.risk.repeats": risk, "injection.risk.cadence": 0.1, "motion.residual": 7}
		if risk >= 0.8 {
			s[i].Reasons = append(s[i].Reasons, liveproof.ReasonInjectionSuspected)
		}
	}
	return s
}

// unattested makes the first n samples wait for the client's attestation.
func (s series) unattested(n int) series {
	for i := range n {
		s[i].Signals[liveproof.InjectionUnattested] = 1
		s[i].Reasons = append(s[i].Reasons, liveproof.ReasonInjectionSuspected)
	}
	return s
}

func TestInjectionWithholdsLive(t *testing.T) {
	const suspected = liveproof.ReasonInjectionSuspected
	for name, c := range map[string]struct {
		samples series
		outcome liveproof.Outcome
		reason  liveproof.Reason
		risk    float64
	}{
		"below the threshold":      {series{}.scored(20, 0.9).suspected(0, 20, 0.7), liveproof.OutcomeLive, liveproof.ReasonScoreAbove, 0.7},
		"above it":                 {series{}.scored(20, 0.9).suspected(0, 20, 0.9), liveproof.OutcomePending, suspected, 0.9},
		"above it to the end":      {series{}.scored(90, 0.9).suspected(0, 90, 0.9), liveproof.OutcomeInconclusive, suspected, 0.9},
		"it lasts to the end":      {series{}.scored(40, 0.9).suspected(0, 20, 0.9).suspected(20, 40, 0.2), liveproof.OutcomePending, suspected, 0.9},
		"not measured any more":    {series{}.scored(40, 0.9).suspected(0, 20, 0.9), liveproof.OutcomePending, suspected, 0.9},
		"attested later":           {series{}.scored(40, 0.9).suspected(0, 5, 0.2).unattested(5).suspected(5, 40, 0.2), liveproof.OutcomeLive, liveproof.ReasonScoreAbove, 0.2},
		"never attested":           {series{}.scored(90, 0.9).suspected(0, 90, 0.2).unattested(90), liveproof.OutcomeInconclusive, suspected, 0.2},
		"never makes live":         {series{}.scored(20, 0.5).suspected(0, 20, 0), liveproof.OutcomePending, liveproof.ReasonScoreNear, 0.1},
		"an attack stays one":      {series{}.scored(20, 0.1).suspected(0, 20, 0.9), liveproof.OutcomeSpoof, liveproof.ReasonScoreBelow, 0.9},
		"outlives another face":    {series{}.scored(9, 0.9).suspected(0, 9, 0.9).unscored(1, liveproof.ReasonFaceChanged).scored(20, 0.9), liveproof.OutcomePending, suspected, 0.9},
		"above it, and then away":  {series{}.scored(30, 0.9).suspected(0, 30, 0.9).unscored(1, liveproof.ReasonFaceChanged).unscored(60, liveproof.ReasonNoFace), liveproof.OutcomeInconclusive, suspected, 0.9},
		"a reason without signals": {series{}.scored(20, 0.9).each(func(_ int, s *liveproof.Sample) { s.Reasons = []liveproof.Reason{suspected} }), liveproof.OutcomePending, suspected, 0},
	} {
		t.Run(name, func(t *testing.T) {
			v := Fold(testPolicy(), liveproof.ModeOnboarding, c.samples, c.samples[len(c.samples)-1].T, "")
			require.Equal(t, c.outcome, v.Outcome, v.Reasons)
			require.Contains(t, v.Reasons, c.reason)
			require.InDelta(t, c.risk, v.Injection.Risk, 1e-9)
		})
	}
}

// TestCallLosesLiveBySuspicion: a call that stands at live is pending while injection is suspected, and live again after it.
func TestCallLosesLiveBySuspicion(t *testing.T) {
	f, err := New(testPolicy(), liveproof.ModeCall)
	require.NoError(t, err)
	var changes []liveproof.Outcome
	last := liveproof.OutcomePending
	for _, s := range (series{}.scored(90, 0.9).suspected(0, 30, 0.1).suspected(30, 60, 0.95).suspected(60, 90, 0.1)) {
		f.Add(s)
		if o := f.Verdict().Outcome; o != last {
			last = o
			changes = append(changes, o)
		}
	}
	require.Equal(t, []liveproof.Outcome{liveproof.OutcomeLive, liveproof.OutcomePending, liveproof.OutcomeLive}, changes)
}
