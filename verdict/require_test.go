package verdict

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/liveproof/liveproof"
)

// requiring is the default rule with further evidence.
func requiring(kinds ...liveproof.Evidence) Policy {
	p := testPolicy()
	p.Require = append([]liveproof.Evidence{liveproof.EvidencePassive}, kinds...)
	return p
}

// given marks sample i as the one with which these kinds are complete.
func (s series) given(i int, kinds ...liveproof.Evidence) series {
	s[i].Evidence = kinds
	return s
}

func TestRequiredEvidence(t *testing.T) {
	const motion, flash = liveproof.EvidenceMotion, liveproof.EvidenceFlash
	passive := []liveproof.Evidence{liveproof.EvidencePassive}
	long := series{}.scored(90, 0.9)
	for name, c := range map[string]struct {
		policy  Policy
		samples series
		outcome liveproof.Outcome
		reason  liveproof.Reason // among those of the verdict
		given   []liveproof.Evidence
	}{
		"nothing more":        {requiring(), series{}.scored(20, 0.9), liveproof.OutcomeLive, liveproof.ReasonScoreAbove, passive},
		"missing":             {requiring(motion), series{}.scored(20, 0.9), liveproof.OutcomePending, liveproof.ReasonMotionMissing, passive},
		"missing at the end":  {requiring(motion), long, liveproof.OutcomeInconclusive, liveproof.ReasonMotionMissing, passive},
		"the other kind":      {requiring(motion), series{}.scored(20, 0.9).given(3, flash), liveproof.OutcomePending, liveproof.ReasonMotionMissing, append(passive, flash)},
		"given early":         {requiring(motion), series{}.scored(20, 0.9).given(0, motion), liveproof.OutcomeLive, liveproof.ReasonScoreAbove, append(passive, motion)},
		"given late":          {requiring(motion), series{}.scored(40, 0.9).given(39, motion), liveproof.OutcomeLive, liveproof.ReasonScoreAbove, append(passive, motion)},
		"one of two":          {requiring(motion, flash), series{}.scored(40, 0.9).given(9, motion), liveproof.OutcomePending, liveproof.ReasonChallengeUnanswered, append(passive, motion)},
		"given unasked":       {requiring(), series{}.scored(20, 0.9).given(2, motion), liveproof.OutcomeLive, liveproof.ReasonScoreAbove, append(passive, motion)},
		"on a turned face":    {requiring(motion), series{}.scored(9, 0.9).unscored(1, liveproof.ReasonFaceTurned).given(9, motion).scored(20, 0.9), liveproof.OutcomeLive, "", append(passive, motion)},
		"on a doubtful one":   {requiring(motion), series{}.scored(9, 0.9).unscored(1, liveproof.ReasonFrozenPicture).given(9, motion).scored(20, 0.9), liveproof.OutcomePending, liveproof.ReasonMotionMissing, passive},
		"before a restart":    {requiring(motion), series{}.scored(9, 0.9).given(3, motion).unscored(1, liveproof.ReasonFaceChanged).scored(20, 0.9), liveproof.OutcomePending, liveproof.ReasonMotionMissing, passive},
		"never brings live":   {requiring(motion), series{}.scored(40, 0.5).given(3, motion), liveproof.OutcomePending, liveproof.ReasonScoreNear, append(passive, motion)},
		"spoof needs no more": {requiring(motion), series{}.scored(20, 0.1), liveproof.OutcomeSpoof, liveproof.ReasonScoreBelow, passive},
	} {
		t.Run(name, func(t *testing.T) {
			v := Fold(c.policy, liveproof.ModeOnboarding, c.samples, c.samples[len(c.samples)-1].T, "")
			require.Equal(t, c.outcome, v.Outcome, v.Reasons)
			if c.reason != "" {
				require.Contains(t, v.Reasons, c.reason)
			}
			require.Equal(t, c.given, v.Evidence)
		})
	}
}

// TestCallNeedsItsEvidenceAgain: after another face the evidence of the first one counts no more.
func TestCallNeedsItsEvidenceAgain(t *testing.T) {
	s := series{}.scored(30, 0.9).given(5, liveproof.EvidenceMotion)
	s = s.unscored(1, liveproof.ReasonFaceChanged).scored(30, 0.9)
	at := s[30].T
	var changes []liveproof.Outcome
	f, err := New(requiring(liveproof.EvidenceMotion), liveproof.ModeCall)
	require.NoError(t, err)
	last := liveproof.OutcomePending
	for _, x := range s {
		f.Add(x)
		if o := f.Verdict().Outcome; o != last {
			changes, last = append(changes, o), o
		}
	}
	require.Equal(t, []liveproof.Outcome{liveproof.OutcomeLive, liveproof.OutcomePending}, changes)
	require.Equal(t, at, f.Verdict().At)
	require.Equal(t, liveproof.ReasonMotionMissing, f.Wanting())
	require.Less(t, f.Progress().Fraction, 1.0)
}

// TestRigidMotionIsNamed: a session that lacks motion, and whose face moves as a photograph does, says so; a sample on which the face
// does not, or a restart, takes it back.
func TestRigidMotionIsNamed(t *testing.T) {
	rigid := func(s series, from int) series {
		return s.each(func(i int, v *liveproof.Sample) {
			if i >= from {
				v.Reasons = []liveproof.Reason{liveproof.ReasonRigidMotion}
			}
		})
	}
	for name, c := range map[string]struct {
		samples series
		want    liveproof.Reason
	}{
		"rigid":              {rigid(series{}.scored(20, 0.9), 8), liveproof.ReasonRigidMotion},
		"no longer":          {rigid(series{}.scored(20, 0.9), 8).scored(1, 0.9), liveproof.ReasonMotionMissing},
		"before a restart":   {rigid(series{}.scored(20, 0.9), 8).unscored(1, liveproof.ReasonFaceChanged).scored(20, 0.9), liveproof.ReasonMotionMissing},
		"motion was given":   {rigid(series{}.scored(20, 0.9), 8).given(3, liveproof.EvidenceMotion), ""},
		"too little of ρ":    {rigid(series{}.scored(20, 0.5), 8), ""},
		"with a turned face": {rigid(series{}.scored(20, 0.9), 8).unscored(1, liveproof.ReasonFaceTurned), liveproof.ReasonMotionMissing},
	} {
		t.Run(name, func(t *testing.T) {
			f, err := New(requiring(liveproof.EvidenceMotion), liveproof.ModeCall)
			require.NoError(t, err)
			for _, s := range c.samples {
				f.Add(s)
			}
			require.Equal(t, c.want, f.Wanting())
		})
	}
	v := Fold(requiring(liveproof.EvidenceMotion), liveproof.ModeOnboarding, rigid(series{}.scored(90, 0.9), 8), time.Hour, "")
	require.Equal(t, liveproof.OutcomeInconclusive, v.Outcome)
	require.Contains(t, v.Reasons, liveproof.ReasonRigidMotion)
	require.NotContains(t, v.Reasons, liveproof.ReasonMotionMissing)
}

func TestRequired(t *testing.T) {
	const passive, motion, flash, turn = liveproof.EvidencePassive, liveproof.EvidenceMotion, liveproof.EvidenceFlash, liveproof.EvidenceTurn
	p := requiring(motion, flash)
	p.RequireOf = map[string][]liveproof.Evidence{"bank": {passive, turn}}
	for name, c := range map[string]struct {
		tenant string
		mode   liveproof.Mode
		asked  []liveproof.Evidence
		want   []liveproof.Evidence
	}{
		"policy":                          {"shop", liveproof.ModeOnboarding, nil, []liveproof.Evidence{passive, motion, flash}},
		"tenant":                          {"bank", liveproof.ModeOnboarding, nil, []liveproof.Evidence{passive, turn}},
		"a call is asked for nothing":     {"shop", liveproof.ModeCall, nil, []liveproof.Evidence{passive, motion}},
		"unless its creator wants it":     {"bank", liveproof.ModeCall, []liveproof.Evidence{flash}, []liveproof.Evidence{passive, flash}},
		"a request cannot ask for less":   {"shop", liveproof.ModeOnboarding, []liveproof.Evidence{passive}, []liveproof.Evidence{passive, motion, flash}},
		"in order, and each kind is once": {"bank", liveproof.ModeOnboarding, []liveproof.Evidence{turn, motion}, []liveproof.Evidence{passive, motion, turn}},
	} {
		t.Run(name, func(t *testing.T) {
			got := p.Required(c.tenant, c.mode, c.asked)
			require.Equal(t, c.want, got)
			s := liveproof.Session{Tenant: c.tenant, Mode: c.mode, Require: got, Deadline: time.Minute}
			require.Equal(t, c.want, p.For(s).Require, "it changes nothing a second time")
		})
	}
	for name, list := range map[string][]liveproof.Evidence{"none": {}, "without passive": {motion}, "unknown": {passive, "voice"}} {
		t.Run(name, func(t *testing.T) {
			bad := testPolicy()
			bad.Require = list
			require.ErrorContains(t, bad.Validate(), "require: ")
			bad = testPolicy()
			bad.RequireOf = map[string][]liveproof.Evidence{"bank": list}
			require.ErrorContains(t, bad.Validate(), "require_of.bank: ")
		})
	}
}

// TestChallengeThatIsNotPassedEnds: a one-shot session ends at once, and a call goes on without live. Spoof that is proven goes first.
func TestChallengeThatIsNotPassedEnds(t *testing.T) {
	for _, why := range []liveproof.Reason{liveproof.ReasonChallengeFailed, liveproof.ReasonChallengeUnanswered} {
		samples := series{}.scored(40, 0.9)
		for i := 20; i < len(samples); i++ {
			samples[i].Reasons = append(samples[i].Reasons, why)
		}
		policy := requiring(liveproof.EvidenceFlash)
		v := Fold(policy, liveproof.ModeOnboarding, samples, samples[39].T, "")
		require.Equal(t, liveproof.OutcomeInconclusive, v.Outcome)
		require.True(t, v.Final)
		require.Equal(t, []liveproof.Reason{why}, v.Reasons)
		require.Equal(t, samples[20].T, v.At)

		v = Fold(policy, liveproof.ModeCall, samples, samples[39].T, "")
		require.Equal(t, liveproof.OutcomePending, v.Outcome)
		require.Equal(t, why, v.Reasons[0])

		attack := series{}.scored(40, 0.1)
		attack[30].Reasons = append(attack[30].Reasons, why)
		require.Equal(t, liveproof.OutcomeSpoof, Fold(policy, liveproof.ModeOnboarding, attack, attack[39].T, "").Outcome)
	}
}

func TestRestartsAreCounted(t *testing.T) {
	f, err := New(requiring(), liveproof.ModeOnboarding)
	require.NoError(t, err)
	for _, s := range (series{}).scored(5, 0.9).unscored(1, liveproof.ReasonFaceChanged).scored(5, 0.9).unscored(1, liveproof.ReasonMultipleFaces) {
		f.Add(s)
	}
	require.Equal(t, 2, f.Restarts())
}

// TestMovementInPlaceOfLight: only where the policy says so, only flash, and never where movement is required itself.
func TestMovementInPlaceOfLight(t *testing.T) {
	const flash, turn, motion = liveproof.EvidenceFlash, liveproof.EvidenceTurn, liveproof.EvidenceMotion
	none := requiring(flash)
	none.Alternative = AlternativeNone
	for name, c := range map[string]struct {
		policy  Policy
		given   liveproof.Evidence
		outcome liveproof.Outcome
	}{
		"movement for light":        {requiring(flash), turn, liveproof.OutcomeLive},
		"not allowed":               {none, turn, liveproof.OutcomePending},
		"not light for movement":    {requiring(turn), flash, liveproof.OutcomePending},
		"both are required":         {requiring(flash, turn), turn, liveproof.OutcomePending},
		"nothing else is replaced":  {requiring(motion), turn, liveproof.OutcomePending},
		"motion is not replacement": {requiring(flash), motion, liveproof.OutcomePending},
	} {
		t.Run(name, func(t *testing.T) {
			s := series{}.scored(30, 0.9).given(5, c.given)
			v := Fold(c.policy, liveproof.ModeOnboarding, s, s[len(s)-1].T, "")
			require.Equal(t, c.outcome, v.Outcome, v.Reasons)
			require.Equal(t, []liveproof.Evidence{liveproof.EvidencePassive, c.given}, v.Evidence, "what was given is said as it is")
		})
	}
}
