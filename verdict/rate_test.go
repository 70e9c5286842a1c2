package verdict

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/liveproof/liveproof"
)

// These tests take samples at varying rates, as a call that stands at live does.

// every adds samples of score rho, one each period, for a time.
func (s series) every(period, last time.Duration, rho float64) series {
	for end := s.at() - tick + last; s.at()-tick+period <= end; {
		s = s.add(liveproof.Sample{T: s.at() - tick + period, Scored: true, Rho: rho, Weight: 1, Track: 1})
	}
	return s
}

// TestRareSamplesKeepLiveButNeverBringIt: samples a second apart keep a call live while they
// agree. However many of them come, they do not make a call live: that takes samples no
// further apart than MaxGap.
func TestRareSamplesKeepLiveButNeverBringIt(t *testing.T) {
	const minute = time.Minute
	live := series{}.scored(15, 0.9)
	clip := slices.Clip[series] // each case appends to its own copy
	for name, tt := range map[string]struct {
		samples series
		want    outcome
	}{
		"never at the full rate":       {series{}.every(time.Second, 10*minute, 0.99), pending},
		"live, then one a second":      {clip(live).every(time.Second, 10*minute, 0.9), isLive},
		"live, then one in 2 s":        {clip(live).every(2*time.Second, 10*minute, 0.9), isLive},
		"a gap beyond RestartGap":      {clip(live).every(2*time.Second+1, 4*time.Second, 0.9), pending},
		"one attack sample":            {clip(live).every(time.Second, minute, 0.9).every(time.Second, time.Second, 0.05), pending},
		"withdrawn, then rare samples": {clip(live).every(time.Second, minute, 0.9).every(time.Second, time.Second, 0.05).every(time.Second, 10*minute, 0.99), pending},
		"withdrawn, then the full rate": {clip(live).every(time.Second, minute, 0.9).every(time.Second, time.Second, 0.05).
			every(tick, 3*time.Second, 0.9), isLive},
	} {
		t.Run(name, func(t *testing.T) {
			require.Equal(t, tt.want, judged(tt.samples, liveproof.ModeCall).Outcome)
		})
	}
}

// TestSettled is when a call may be sampled less.
func TestSettled(t *testing.T) {
	live := func() series { return series{}.scored(15, 0.9) }
	for name, tt := range map[string]struct {
		samples series
		mode    liveproof.Mode
		want    bool
	}{
		"nothing":                   {nil, liveproof.ModeCall, false},
		"not live yet":              {series{}.scored(10, 0.9), liveproof.ModeCall, false},
		"live":                      {live(), liveproof.ModeCall, true},
		"one-shot":                  {live(), liveproof.ModeOnboarding, false},
		"spoof":                     {series{}.scored(15, 0.1), liveproof.ModeCall, false},
		"an unscored sample":        {live().unscored(1, liveproof.ReasonBlurred), liveproof.ModeCall, false},
		"scored again":              {live().unscored(1, liveproof.ReasonBlurred).scored(1, 0.9), liveproof.ModeCall, true},
		"a sample within margin":    {live().scored(1, 0.54), liveproof.ModeCall, false},
		"a sample that fell":        {live().scored(1, 0.62), liveproof.ModeCall, false},
		"a little lower":            {live().scored(1, 0.75), liveproof.ModeCall, true},
		"all within margin":         {live().scored(30, 0.53), liveproof.ModeCall, false},
		"another track":             {live().scored(1, 0.9).each(func(i int, v *liveproof.Sample) { v.Track = 1 + i/15 }), liveproof.ModeCall, false},
		"silence beyond RestartGap": {append(live(), live().every(2*time.Second+1, 3*time.Second, 0.9)[15:]...), liveproof.ModeCall, false},
	} {
		t.Run(name, func(t *testing.T) {
			f, err := New(testPolicy(), tt.mode)
			require.NoError(t, err)
			for _, s := range tt.samples {
				f.Add(s)
			}
			require.Equal(t, tt.want, f.Settled())
		})
	}
}

// TestPropertyVaryingRate takes random scores at two rates: all samples, and only
// some of them while the call is settled. The relaxed rate must be as safe: the call becomes
// live only on samples at the full rate, and a lasting attack ends live within 2 s,
// whenever it begins.
func TestPropertyVaryingRate(t *testing.T) {
	const person, attack = 0.75, 0.1
	entries, left := 0, 0
	for seed := range uint64(rounds) {
		r := rand.New(rand.NewPCG(seed, 11))
		f, err := New(testPolicy(), liveproof.ModeCall)
		require.NoError(t, err)
		begins := 8*time.Second + time.Duration(r.IntN(int(4*time.Second)))
		next, skipped := time.Duration(0), time.Duration(-1)
		for at := time.Duration(0); at < begins+4*time.Second; at += tick {
			if f.Settled() && at < next && at <= begins+time.Second { // the longest time in which a change may stay unseen
				skipped = at
				continue
			}
			before := f.Verdict().Outcome
			rho := min(1, person+0.08*r.NormFloat64())
			if at >= begins {
				rho = max(0, attack+0.08*r.NormFloat64())
			}
			if r.IntN(20) > 0 {
				f.Add(liveproof.Sample{T: at, Scored: true, Rho: rho, Weight: 1, Track: 1})
			} else {
				f.Add(liveproof.Sample{T: at, Track: 1, Reasons: []reason{views[r.IntN(len(views))]}})
			}
			next = at + time.Second/2 + time.Duration(r.IntN(int(time.Second/2)))
			if now := f.Verdict().Outcome; now != before && now == isLive {
				entries++
				require.Greater(t, at-skipped, testPolicy().Hold, "seed %d: live at %v on samples that miss one at %v", seed, at, skipped)
			}
			if at >= begins+2*time.Second {
				require.NotEqual(t, isLive, f.Verdict().Outcome, "seed %d: an attack since %v at %v", seed, begins, at)
				left++
			}
		}
	}
	require.Greater(t, entries, rounds/2)
	require.Greater(t, left, rounds)
}
