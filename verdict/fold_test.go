package verdict

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/liveproof/liveproof"
)

type (
	outcome = liveproof.Outcome
	reason  = liveproof.Reason
)

const (
	pending      = liveproof.OutcomePending
	isLive       = liveproof.OutcomeLive
	isSpoof      = liveproof.OutcomeSpoof
	inconclusive = liveproof.OutcomeInconclusive
)

// TestOneShot is the rule by example; 5 samples a second.
func TestOneShot(t *testing.T) {
	tests := []struct {
		name    string
		samples series
		want    outcome
		reasons []reason
	}{
		{"nothing", nil, pending, []reason{liveproof.ReasonInsufficientEvidence}},
		{"bona fide", series{}.scored(11, 0.9), isLive, []reason{liveproof.ReasonScoreAbove}},
		{"attack", series{}.scored(11, 0.1), isSpoof, []reason{liveproof.ReasonScoreBelow}},
		{"one sample too few", series{}.scored(10, 0.9), pending, []reason{liveproof.ReasonInsufficientEvidence}},
		{"attack, coarsely encoded", series{}.scored(40, 0.1).coarse(), inconclusive, []reason{liveproof.ReasonLowBitrate, liveproof.ReasonInsufficientEvidence}},
		{"attack, mostly finely encoded", append(series{}.scored(4, 0.1).coarse(), series{}.scored(40, 0.1)[4:]...), isSpoof, []reason{liveproof.ReasonScoreBelow}},
		{"bona fide, coarsely encoded", series{}.scored(11, 0.9).coarse(), isLive, []reason{liveproof.ReasonScoreAbove}},
		{"near the threshold", series{}.scored(40, 0.52), pending, []reason{liveproof.ReasonScoreNear}},
		{"exactly at the margin", series{}.scored(40, 0.55), pending, []reason{liveproof.ReasonScoreNear}},
		{"high early, then attack", series{}.scored(9, 1).scored(30, 0), isSpoof, []reason{liveproof.ReasonScoreBelow}},
		{"low early, then bona fide", series{}.scored(9, 0).scored(40, 1), isLive, []reason{liveproof.ReasonScoreAbove}},
		{"half attack pictures with a good mean", series{}.scored(70, 1).each(func(i int, v *liveproof.Sample) {
			if i%2 == 0 {
				v.Rho = 0.45 // the mean is 0.72
			}
		}), pending, []reason{liveproof.ReasonScoreUndecided}},
		{"alternating", series{}.scored(60, 1).each(func(i int, v *liveproof.Sample) {
			v.Rho = float64(i % 2)
		}), pending, []reason{liveproof.ReasonScoreUndecided}},
		{"no face at all", series{}.unscored(20, liveproof.ReasonNoFace), pending,
			[]reason{liveproof.ReasonNoFace, liveproof.ReasonInsufficientEvidence}},
		{"a face lost for a moment", series{}.scored(6, 0.9).unscored(2, liveproof.ReasonBlurred).scored(5, 0.9), isLive,
			[]reason{liveproof.ReasonScoreAbove}},
		{"a face lost for a second", series{}.scored(6, 0.9).unscored(4, liveproof.ReasonBlurred).scored(5, 0.9), pending,
			[]reason{liveproof.ReasonInsufficientEvidence}},
		{"second face", series{}.scored(9, 0.9).unscored(1, liveproof.ReasonMultipleFaces).scored(9, 0.9), pending,
			[]reason{liveproof.ReasonMultipleFaces, liveproof.ReasonInsufficientEvidence}},
		{"second face on a scored sample", series{}.scored(30, 0.9).each(func(i int, v *liveproof.Sample) {
			if i%9 == 8 {
				v.Reasons = []reason{liveproof.ReasonMultipleFaces}
			}
		}), pending, []reason{liveproof.ReasonMultipleFaces, liveproof.ReasonInsufficientEvidence}},
		{"face swapped", series{}.scored(18, 0.9).each(func(i int, v *liveproof.Sample) {
			v.Track = 1 + i/9
		}), pending, []reason{liveproof.ReasonFaceChanged, liveproof.ReasonInsufficientEvidence}},
		{"a cut before a scored sample", series{}.scored(19, 0.9).each(func(i int, v *liveproof.Sample) {
			if i == 10 {
				v.Reasons = []reason{liveproof.ReasonSceneCut}
			}
		}), pending, []reason{liveproof.ReasonSceneCut, liveproof.ReasonInsufficientEvidence}},
		{"a cut and another track", series{}.scored(19, 0.9).each(func(i int, v *liveproof.Sample) {
			if v.Track = 1 + i/10; i == 10 {
				v.Reasons = []reason{liveproof.ReasonSceneCut}
			}
		}), pending, []reason{liveproof.ReasonSceneCut, liveproof.ReasonInsufficientEvidence}},
		{"a cut, and enough after it", series{}.unscored(1, liveproof.ReasonSceneCut).scored(30, 0.9), isLive, []reason{liveproof.ReasonScoreAbove}},
		{"another stream", series{}.scored(9, 0.9).unscored(1, liveproof.ReasonStreamChanged).scored(9, 0.9), pending,
			[]reason{liveproof.ReasonStreamChanged, liveproof.ReasonInsufficientEvidence}},
		{"another stream, and another track in it", series{}.scored(19, 0.9).each(func(i int, v *liveproof.Sample) {
			if v.Track = 1 + i/10; i == 9 {
				v.Scored, v.Reasons, v.Track = false, []reason{liveproof.ReasonStreamChanged}, 0
			}
		}), pending, []reason{liveproof.ReasonStreamChanged, liveproof.ReasonInsufficientEvidence}},
		{"another stream, and enough of it", series{}.unscored(1, liveproof.ReasonStreamChanged).scored(30, 0.9), isLive, []reason{liveproof.ReasonScoreAbove}},
		{"frozen", series{}.scored(9, 0.9).unscored(40, liveproof.ReasonFrozenPicture), pending,
			[]reason{liveproof.ReasonFrozenPicture, liveproof.ReasonInsufficientEvidence}},
		{"half frozen", series{}.scored(60, 0.9).each(func(i int, v *liveproof.Sample) {
			if i%3 > 0 {
				v.Scored, v.Reasons = false, []reason{liveproof.ReasonFrozenPicture}
			}
		}), pending, []reason{liveproof.ReasonFrozenPicture, liveproof.ReasonInsufficientEvidence}},
		{"frozen, yet scored", series{}.scored(60, 0.9).each(func(i int, v *liveproof.Sample) {
			if i > 8 {
				v.Reasons = []reason{liveproof.ReasonFrozenPicture}
			}
		}), pending, []reason{liveproof.ReasonFrozenPicture, liveproof.ReasonInsufficientEvidence}},
		{"not followed", series{}.scored(30, 0.9).each(func(_ int, v *liveproof.Sample) { v.Track = 0 }), pending,
			[]reason{liveproof.ReasonNoFace, liveproof.ReasonInsufficientEvidence}},
		{"never before the deadline", series{}.unscored(76, liveproof.ReasonTooDark).scored(30, 0.9), inconclusive,
			[]reason{liveproof.ReasonDeadline, liveproof.ReasonTooDark, liveproof.ReasonInsufficientEvidence}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			v := judged(tt.samples, liveproof.ModeOnboarding)
			require.Equal(t, tt.want, v.Outcome)
			require.Equal(t, tt.reasons, v.Reasons)
			require.Equal(t, tt.want != pending, v.Final)
		})
	}
}

func TestGolden(t *testing.T) {
	v := judged(series{}.scored(5, 0.2).scored(40, 0.8), liveproof.ModeOnboarding)
	// s(t) after k samples of 0.8 is 0.8 - 0.6·(q^k - q^(k+5))/(1-q^(k+5)), q = e^-0.2; it passes 0.55 at
	// k = 3 (0.4777, 0.5364, 0.5762 for k = 2…4 with 5 before) and the hold and agreement follow.
	require.Equal(t, isLive, v.Outcome)
	q := math.Exp(-0.2)
	k := v.Scored - 5
	want := 0.8 - 0.6*(math.Pow(q, float64(k))-math.Pow(q, float64(k+5)))/(1-math.Pow(q, float64(k+5)))
	require.InDelta(t, want, v.Score, 1e-12)
	require.Equal(t, time.Duration(v.Scored-1)*tick, v.At)
}

func TestWeights(t *testing.T) {
	s := series{}.scored(60, 1).each(func(i int, v *liveproof.Sample) {
		if i%2 == 0 {
			v.Rho, v.Weight = 0, 0.01 // hardly seen, hardly counted
		}
	})
	require.Equal(t, isLive, judged(s, liveproof.ModeOnboarding).Outcome)
}

// TestEarlyScoreNeverPasses: a perfect score alone is no evidence.
func TestEarlyScoreNeverPasses(t *testing.T) {
	for n := range 10 {
		v := Fold(testPolicy(), liveproof.ModeOnboarding, series{}.scored(n, 1), time.Hour, liveproof.ReasonDisconnected)
		require.Equal(t, inconclusive, v.Outcome, n)
	}
	// Many samples in little time are no evidence either.
	burst := series{}.scored(500, 1).each(func(i int, v *liveproof.Sample) { v.T = time.Duration(i) * 3 * time.Millisecond })
	require.Equal(t, pending, judged(burst, liveproof.ModeOnboarding).Outcome)
}

func TestSilenceIsNotAgreement(t *testing.T) {
	stop := func(gap time.Duration) series {
		// Nine good samples, silence, and one more: ten samples over more than two seconds.
		s := series{}.scored(9, 1)
		return s.add(liveproof.Sample{T: s.at() + gap, Scored: true, Rho: 1, Weight: 1, Track: 1})
	}
	for _, gap := range []time.Duration{600 * time.Millisecond, time.Second, 1900 * time.Millisecond, 5 * time.Second} {
		require.Equal(t, pending, judged(stop(gap), liveproof.ModeOnboarding).Outcome, gap)
	}
}

// TestBackwardTimeCountsOnce: repeated or backward time is neither evidence nor time.
func TestBackwardTimeCountsOnce(t *testing.T) {
	standing := series{}.scored(50, 1).each(func(i int, v *liveproof.Sample) { v.T = time.Duration(min(i, 8)) * tick })
	looped := series{}.scored(90, 1).each(func(i int, v *liveproof.Sample) { v.T = time.Duration(i%9) * tick })
	for _, s := range []series{standing, looped} {
		v := judged(s, liveproof.ModeOnboarding)
		require.Equal(t, pending, v.Outcome)
		require.Contains(t, v.Reasons, liveproof.ReasonTimestampsBackward)
		require.LessOrEqual(t, v.Scored, 9)
	}
}

// TestInvalidScoreNeverPasses: NaN and the like are failed samples.
func TestInvalidScoreNeverPasses(t *testing.T) {
	for _, bad := range []float64{math.NaN(), math.Inf(1), math.Inf(-1), -1e-9, 1 + 1e-9} {
		for name, set := range map[string]func(*liveproof.Sample){
			"rho":    func(v *liveproof.Sample) { v.Rho = bad },
			"weight": func(v *liveproof.Sample) { v.Weight = bad },
		} {
			s := series{}.scored(60, 1).each(func(_ int, v *liveproof.Sample) { set(v) })
			v := judged(s, liveproof.ModeOnboarding)
			require.Equal(t, pending, v.Outcome, "%s %v", name, bad)
			require.Zero(t, v.Scored)
			require.Contains(t, v.Reasons, liveproof.ReasonScorerFailed)
		}
	}
}

func TestCall(t *testing.T) {
	live := series{}.scored(15, 0.9)
	clip := func(s series) series { return append(series(nil), s...) }
	tests := []struct {
		name    string
		samples series
		want    outcome
		first   reason
	}{
		{"proved", clip(live), isLive, liveproof.ReasonScoreAbove},
		{"grey zone keeps it", clip(live).scored(60, 0.49), isLive, liveproof.ReasonScoreAbove},
		{"falls below", clip(live).scored(5, 0.1), pending, liveproof.ReasonScoreUndecided},
		{"attack later", clip(live).scored(40, 0.1), isSpoof, liveproof.ReasonScoreBelow},
		{"falls below, coarsely encoded", append(clip(live), clip(live).scored(40, 0.1).coarse()[15:]...), pending, liveproof.ReasonScoreUndecided},
		{"and back", clip(live).scored(40, 0.1).scored(40, 0.9), isLive, liveproof.ReasonScoreAbove},
		{"second face", clip(live).unscored(1, liveproof.ReasonMultipleFaces), pending, liveproof.ReasonMultipleFaces},
		{"another stream", clip(live).unscored(1, liveproof.ReasonStreamChanged), pending, liveproof.ReasonStreamChanged},
		{"another scene", clip(live).add(liveproof.Sample{T: 3 * time.Second, Scored: true, Rho: 1, Weight: 1, Track: 1,
			Reasons: []reason{liveproof.ReasonSceneCut}}), pending, liveproof.ReasonSceneCut},
		{"away for a moment", clip(live).unscored(9, liveproof.ReasonNoFace), isLive, liveproof.ReasonScoreAbove},
		{"away", clip(live).unscored(12, liveproof.ReasonNoFace), pending, liveproof.ReasonNoFace},
		{"frozen", clip(live).unscored(3, liveproof.ReasonFrozenPicture), pending, liveproof.ReasonFrozenPicture},
		{"swapped", clip(live).add(liveproof.Sample{T: 3 * time.Second, Scored: true, Rho: 1, Weight: 1, Track: 2}),
			pending, liveproof.ReasonFaceChanged},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			v := judged(tt.samples, liveproof.ModeCall)
			require.Equal(t, tt.want, v.Outcome)
			require.Equal(t, tt.first, v.Reasons[0])
			require.False(t, v.Final)
		})
	}
}

// TestMistimedSamplesMoveNoClock: a timestamp that is not believed neither
// passes the deadline nor outdates the evidence.
func TestMistimedSamplesMoveNoClock(t *testing.T) {
	jump := liveproof.Sample{T: time.Hour, Reasons: []reason{liveproof.ReasonInjectionTiming}}
	for _, mode := range modes {
		f, err := New(testPolicy(), mode)
		require.NoError(t, err)
		for i, s := range (series{}).scored(11, 0.9) {
			if i == 5 {
				f.Add(jump)
			}
			f.Add(s)
		}
		require.Equal(t, isLive, f.Verdict().Outcome)
		require.Equal(t, 11, f.Verdict().Scored)
	}
}

func TestCallEnds(t *testing.T) {
	s := series{}.scored(15, 0.9)
	end := s.at()
	tests := []struct {
		name  string
		at    time.Duration
		why   reason
		want  outcome
		first reason
	}{
		{"hung up", end, liveproof.ReasonDisconnected, isLive, liveproof.ReasonScoreAbove},
		{"hung up on stale evidence", end + 5*time.Second, liveproof.ReasonDisconnected, inconclusive, liveproof.ReasonDisconnected},
		{"error", end, liveproof.ReasonInternalError, inconclusive, liveproof.ReasonInternalError},
		{"shutdown", end, liveproof.ReasonServerShutdown, inconclusive, liveproof.ReasonServerShutdown},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			v := Fold(testPolicy(), liveproof.ModeCall, s, tt.at, tt.why)
			require.Equal(t, tt.want, v.Outcome)
			require.Equal(t, tt.first, v.Reasons[0])
			require.True(t, v.Final)
		})
	}
}

func TestInvalidPolicyFailsClosed(t *testing.T) {
	for name, p := range map[string]Policy{"zero": {}, "no threshold": DefaultPolicy()} {
		v := Fold(p, liveproof.ModeOnboarding, series{}.scored(60, 1), 0, "")
		require.Equal(t, inconclusive, v.Outcome, name)
		_, err := New(p, liveproof.ModeOnboarding)
		require.Error(t, err)
	}
	_, err := New(testPolicy(), "chat")
	require.ErrorContains(t, err, "mode")
}

func TestProgressIsFullOnlyWithAVerdict(t *testing.T) {
	f, err := New(testPolicy(), liveproof.ModeOnboarding)
	require.NoError(t, err)
	last := -1.0
	for _, s := range (series{}).scored(11, 0.9) {
		require.Less(t, f.Progress().Fraction, 1.0)
		require.GreaterOrEqual(t, f.Progress().Fraction, last)
		last = f.Progress().Fraction
		f.Add(s)
	}
	require.Equal(t, 1.0, f.Progress().Fraction)
	require.Equal(t, isLive, f.Verdict().Outcome)
}

func TestPolicyValidate(t *testing.T) {
	require.NoError(t, DefaultPolicy().Validate())
	tests := map[string]func(*Policy){
		"tau":         func(p *Policy) { p.Tau = 0 },
		"threshold":   func(p *Policy) { p.Threshold = math.NaN() },
		"margin":      func(p *Policy) { p.Margin = -0.1 },
		"hold":        func(p *Policy) { p.Hold = time.Hour },
		"min_samples": func(p *Policy) { p.MinSamples = 0 },
		"min_span":    func(p *Policy) { p.MinSpan = 0 },
		"deadline":    func(p *Policy) { p.Deadline = p.MinSpan },
		"hysteresis":  func(p *Policy) { p.Hysteresis = 0.5 },
		"max_gap":     func(p *Policy) { p.MaxGap = p.Hold + 1 },
		"restart_gap": func(p *Policy) { p.RestartGap = p.MaxGap - 1 },
		"max_dissent": func(p *Policy) { p.MaxDissent = 0 },
		"max_doubt":   func(p *Policy) { p.MaxDoubt = 0 },
	}
	for key, spoil := range tests {
		p := DefaultPolicy()
		spoil(&p)
		require.ErrorContains(t, p.Validate(), key+": ")
		require.Regexp(t, "^"+key+": ", p.Validate().Error())
	}
}

func BenchmarkAdd(b *testing.B) {
	s := series{}.scored(4096, 0.52)
	b.ReportAllocs()
	for b.Loop() {
		f, _ := New(testPolicy(), liveproof.ModeCall)
		for _, v := range s {
			f.Add(v)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(len(s)), "ns/sample")
}
