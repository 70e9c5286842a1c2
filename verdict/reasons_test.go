package verdict

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/liveproof/liveproof"
)

// cycle gives the samples the scores in turn.
func (s series) cycle(scores ...float64) series {
	return s.each(func(i int, v *liveproof.Sample) { v.Rho = scores[i%len(scores)] })
}

// TestReasonsOfAnEnd: an end without a decision names its cause.
func TestReasonsOfAnEnd(t *testing.T) {
	const (
		deadline     = liveproof.ReasonDeadline
		gone         = liveproof.ReasonDisconnected
		insufficient = liveproof.ReasonInsufficientEvidence
		near         = liveproof.ReasonScoreNear
		undecided    = liveproof.ReasonScoreUndecided
	)
	flicker := func(n int) series { // 0.9 for a second, 0.1 for a second: 61 of 61 samples are scored
		return series{}.scored(n, 0).cycle(0.9, 0.9, 0.9, 0.9, 0.9, 0.1, 0.1, 0.1, 0.1, 0.1)
	}
	for name, tt := range map[string]struct {
		samples series
		why     reason
		want    []reason
	}{
		"nothing came":                            {nil, deadline, []reason{deadline, insufficient}},
		"scores disagree":                         {series{}.scored(61, 0).cycle(0.9, 0.1), deadline, []reason{deadline, undecided}},
		"scores disagree, high at the end":        {flicker(64), deadline, []reason{deadline, undecided}},
		"scores disagree, just above":             {flicker(62), deadline, []reason{deadline, undecided}},
		"scores disagree, low at the end":         {flicker(70), deadline, []reason{deadline, undecided}},
		"scores disagree in a file":               {flicker(61), insufficient, []reason{undecided}},
		"near the threshold":                      {series{}.scored(61, 0).cycle(0.52, 0.48, 0.5), deadline, []reason{deadline, near}},
		"near the threshold, above it at the end": {series{}.scored(57, 0.54).scored(4, 0.6), deadline, []reason{deadline, near}},
		"near the threshold, then silence":        {series{}.scored(30, 0.52), deadline, []reason{deadline, near}},
		"no face":                                 {series{}.unscored(61, liveproof.ReasonNoFace), deadline, []reason{deadline, liveproof.ReasonNoFace, insufficient}},
		"no face in a file":                       {series{}.unscored(61, liveproof.ReasonNoFace), insufficient, []reason{insufficient, liveproof.ReasonNoFace}},
		"mostly blurred": {series{}.scored(61, 0.9).each(func(i int, v *liveproof.Sample) {
			if i%9 > 2 {
				v.Scored, v.Reasons = false, []reason{liveproof.ReasonBlurred}
			}
		}), deadline, []reason{deadline, liveproof.ReasonBlurred, insufficient}},
		"two blurred, the others disagree": {series{}.unscored(2, liveproof.ReasonBlurred).scored(59, 0).each(func(i int, v *liveproof.Sample) {
			v.Rho = float64(i % 2)
		}), deadline, []reason{deadline, undecided}},
		"many dark, the others disagree": {series{}.scored(61, 0).cycle(0.9, 0.1, 0.5).each(func(i int, v *liveproof.Sample) {
			if i%3 == 2 {
				v.Scored, v.Reasons = false, []reason{liveproof.ReasonTooDark}
			}
		}), deadline, []reason{deadline, undecided, liveproof.ReasonTooDark}},
		"always another face": {series{}.scored(61, 0.9).each(func(i int, v *liveproof.Sample) { v.Track = 1 + i/5 }), deadline,
			[]reason{deadline, liveproof.ReasonFaceChanged, insufficient}},
		"a second face now and then": {series{}.scored(61, 0.9).each(func(i int, v *liveproof.Sample) {
			if i%9 == 8 {
				v.Scored, v.Reasons = false, []reason{liveproof.ReasonMultipleFaces}
			}
		}), deadline, []reason{deadline, liveproof.ReasonMultipleFaces, insufficient}},
		"time that jumps": {series{}.scored(61, 0.9).each(func(i int, v *liveproof.Sample) {
			if i%9 == 8 {
				v.Scored, v.Reasons = false, []reason{liveproof.ReasonTimestampsJumped}
			}
		}), deadline, []reason{deadline, liveproof.ReasonTimestampsJumped, insufficient}},
		"gone soon":                       {series{}.scored(5, 0.9), gone, []reason{gone, insufficient}},
		"gone soon, dark":                 {series{}.unscored(5, liveproof.ReasonTooDark), gone, []reason{gone, liveproof.ReasonTooDark, insufficient}},
		"gone while scores waver":         {series{}.scored(21, 0).cycle(0.9, 0.1), gone, []reason{gone, undecided}},
		"a short file, first on one side": {series{}.scored(9, 0.9), insufficient, []reason{insufficient}},
		"server has no capacity":          {series{}.unscored(61, liveproof.ReasonOverload), deadline, []reason{deadline, liveproof.ReasonOverload, insufficient}},
	} {
		t.Run(name, func(t *testing.T) {
			v := Fold(testPolicy(), liveproof.ModeOnboarding, tt.samples, 0, "")
			require.Equal(t, pending, v.Outcome)
			v = Fold(testPolicy(), liveproof.ModeOnboarding, tt.samples, 14*time.Second, tt.why)
			require.Equal(t, inconclusive, v.Outcome)
			require.Equal(t, tt.want, v.Reasons)
			for _, r := range v.Reasons[1:] {
				require.NotEqual(t, liveproof.FaultNobody, r.Info().Fault)
			}
		})
	}
}

// TestJumpRestartsAtOnce: one sample that says that the stream's time has jumped restarts the evidence, whatever MaxDoubt allows.
func TestJumpRestartsAtOnce(t *testing.T) {
	p := testPolicy()
	p.MaxDoubt = 1000
	s := series{}.scored(9, 0.9).unscored(1, liveproof.ReasonTimestampsJumped).scored(10, 0.9)
	v := Fold(p, liveproof.ModeOnboarding, s, 0, "")
	require.Equal(t, pending, v.Outcome)
	require.Equal(t, []reason{liveproof.ReasonTimestampsJumped, liveproof.ReasonInsufficientEvidence}, v.Reasons)
	require.Equal(t, isLive, Fold(p, liveproof.ModeOnboarding, s.scored(3, 0.9), 0, "").Outcome)
	live := Fold(p, liveproof.ModeCall, series{}.scored(15, 0.9).unscored(1, liveproof.ReasonTimestampsJumped), 0, "")
	require.Equal(t, pending, live.Outcome)
}
