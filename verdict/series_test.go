package verdict

import (
	"math"
	"math/rand/v2"
	"time"

	"github.com/liveproof/liveproof"
)

const tick = 200 * time.Millisecond // 5 samples a second

// series is a timeline under construction.
type series []liveproof.Sample

// at is the time of the next sample.
func (s series) at() time.Duration {
	if len(s) == 0 {
		return 0
	}
	return s[len(s)-1].T + tick
}

func (s series) add(v liveproof.Sample) series {
	v.Seq = int64(len(s) + 1)
	return append(s, v)
}

// scored adds n samples of score rho.
func (s series) scored(n int, rho float64) series {
	for range n {
		s = s.add(liveproof.Sample{T: s.at(), Scored: true, Rho: rho, Weight: 1, Track: 1})
	}
	return s
}

// coarse marks all samples as scored in spite of a coarse encoding.
func (s series) coarse() series {
	return s.each(func(_ int, v *liveproof.Sample) { v.Reasons = append(v.Reasons, liveproof.ReasonLowBitrate) })
}

// unscored adds n samples with a reason.
func (s series) unscored(n int, why liveproof.Reason) series {
	for range n {
		s = s.add(liveproof.Sample{T: s.at(), Track: 1, Reasons: []liveproof.Reason{why}})
	}
	return s
}

// each changes samples in place.
func (s series) each(f func(i int, v *liveproof.Sample)) series {
	for i := range s {
		f(i, &s[i])
	}
	return s
}

// random makes a hostile timeline: mostly plausible samples of a slowly
// wandering score with now and then anything at all.
func random(r *rand.Rand) series {
	var s series
	rho, track := r.Float64(), 1
	at := time.Duration(0)
	for range r.IntN(120) {
		at += time.Duration(r.IntN(int(2 * tick)))
		rho = min(1, max(0, rho+0.1*r.NormFloat64()))
		v := liveproof.Sample{T: at, Scored: true, Rho: rho, Weight: 1 - r.Float64(), Track: track}
		switch r.IntN(25) {
		case 0:
			v.Rho = []float64{math.NaN(), math.Inf(1), -0.1, 1.1, math.MaxFloat64}[r.IntN(5)]
		case 1:
			v.Weight = []float64{math.NaN(), math.Inf(-1), 0, -1, 2, 1e-300}[r.IntN(6)]
		case 2:
			v.T -= time.Duration(r.IntN(int(3 * time.Second)))
		case 3:
			v.Scored, v.Reasons = false, []liveproof.Reason{doubts[r.IntN(len(doubts))]}
		case 4, 5:
			v.Scored, v.Reasons = false, []liveproof.Reason{views[r.IntN(len(views))]}
		case 6:
			if r.IntN(4) == 0 {
				track++
			}
		case 7:
			if r.IntN(4) == 0 {
				at += time.Duration(r.IntN(int(4 * time.Second)))
			}
		}
		s = s.add(v)
	}
	return s
}

var (
	doubts = []liveproof.Reason{
		liveproof.ReasonFrozenPicture, liveproof.ReasonTimestampsBackward, liveproof.ReasonInjectionTiming,
	}
	views = []liveproof.Reason{
		liveproof.ReasonNoFace, liveproof.ReasonMultipleFaces, liveproof.ReasonTooDark, liveproof.ReasonBlurred,
		liveproof.ReasonOverload, liveproof.ReasonScorerFailed,
	}
)

// testPolicy requires no evidence beside ρ.
func testPolicy() Policy {
	p := DefaultPolicy().For(liveproof.Session{Threshold: liveproof.Threshold{Value: 0.5}})
	p.Require = []liveproof.Evidence{liveproof.EvidencePassive}
	return p
}

// judged folds a finished timeline without an end.
func judged(s series, mode liveproof.Mode) liveproof.Verdict {
	return Fold(testPolicy(), mode, s, 0, "")
}
