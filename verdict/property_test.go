package verdict

import (
	"encoding/binary"
	"encoding/json"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/liveproof/liveproof"
)

const rounds = 300

var modes = []liveproof.Mode{liveproof.ModeOnboarding, liveproof.ModeCall}

// eachRandom runs a property on random timelines.
func eachRandom(t *testing.T, property func(t *testing.T, r *rand.Rand, s series, mode liveproof.Mode)) {
	t.Helper()
	decided := 0
	for seed := range uint64(rounds) {
		r := rand.New(rand.NewPCG(seed, 7))
		s := random(r)
		if r.IntN(2) == 0 { // half of them on one side, so that decisions are common
			lean := 0.5 * float64(r.IntN(2))
			s.each(func(_ int, v *liveproof.Sample) {
				if v.Rho >= 0 && v.Rho <= 1 {
					v.Rho = lean + v.Rho/2
				}
			})
		}
		mode := modes[seed%2]
		if o := judged(s, mode).Outcome; o == isLive || o == isSpoof {
			decided++
		}
		func() {
			defer func() {
				if t.Failed() {
					t.Logf("seed %d", seed)
				}
			}()
			property(t, r, s, mode)
		}()
	}
	require.Greater(t, decided, rounds/20, "the generator must reach decisions")
}

func TestPropertyInvariants(t *testing.T) {
	eachRandom(t, func(t *testing.T, _ *rand.Rand, s series, mode liveproof.Mode) { checkInvariants(t, s, mode) })
}

// TestPropertyCoarse: samples that were scored in spite of low_bitrate never give spoof. A one-shot session ends when it would without the
// reason, and no session is live that would not be.
func TestPropertyCoarse(t *testing.T) {
	eachRandom(t, func(t *testing.T, _ *rand.Rand, s series, mode liveproof.Mode) {
		fine := judged(s, mode)
		coarse := judged(s.each(func(_ int, v *liveproof.Sample) {
			if v.Scored {
				v.Reasons = append(v.Reasons, liveproof.ReasonLowBitrate)
			}
		}), mode)
		require.NotEqual(t, isSpoof, coarse.Outcome)
		if fine.Outcome == isSpoof && mode == liveproof.ModeOnboarding {
			require.Equal(t, inconclusive, coarse.Outcome)
			require.Contains(t, coarse.Reasons, liveproof.ReasonLowBitrate)
			require.Equal(t, fine.At, coarse.At)
			return
		}
		require.Equal(t, fine.Outcome == isLive, coarse.Outcome == isLive)
		if mode == liveproof.ModeOnboarding {
			require.Equal(t, fine.Final, coarse.Final)
		}
	})
}

// checkInvariants holds on any timeline at all, prefix by prefix.
func checkInvariants(t *testing.T, s series, mode liveproof.Mode) {
	t.Helper()
	p := testPolicy()
	f, err := New(p, mode)
	require.NoError(t, err)
	var final *liveproof.Verdict
	valid, newest := 0, time.Duration(-1)
	var first time.Duration
	var counted []time.Duration // times of the samples that counted
	was := pending
	for _, v := range s {
		if v.Scored && v.Rho >= 0 && v.Rho <= 1 && v.T > newest {
			if valid == 0 {
				first = v.T
			}
			valid, newest = valid+1, v.T
		}
		f.Add(v)
		now := f.Verdict()
		if f.ev.scored > 0 && f.ev.last == v.T && v.Scored {
			counted = append(counted, v.T)
		}
		if (now.Outcome == isLive || now.Outcome == isSpoof) && now.Outcome != was {
			checkDense(t, p, counted)
		}
		was = now.Outcome
		require.True(t, now.Score >= 0 && now.Score <= 1, "score %v", now.Score)
		require.NotEmpty(t, now.Reasons)
		require.NotContains(t, now.Reasons, reason(""))
		if now.Outcome == isLive || now.Outcome == isSpoof {
			require.GreaterOrEqual(t, valid, p.MinSamples, "below the minimum evidence")
			require.GreaterOrEqual(t, newest-first, p.MinSpan, "below the minimum evidence")
		}
		if final != nil {
			require.Equal(t, *final, now, "a final verdict changed")
		}
		if now.Final {
			final = &now
		}
		require.True(t, mode == liveproof.ModeOnboarding || !now.Final, "a call ended by itself")
	}
	require.Equal(t, f.Verdict(), Fold(p, mode, s, 0, ""), "incremental and whole differ")
}

// checkDense: whatever the sampling rate, a decision rests on samples over at least Hold that
// are no further apart than MaxGap.
func checkDense(t *testing.T, p Policy, counted []time.Duration) {
	t.Helper()
	newest := counted[len(counted)-1]
	for i := len(counted) - 1; newest-counted[i] < p.Hold; i-- {
		require.Positive(t, i, "decided on less than Hold")
		require.LessOrEqual(t, counted[i]-counted[i-1], p.MaxGap, "decided across a gap")
	}
}

// Fold of a stored timeline is the verdict that was given live, at any point of it.
func TestPropertyRecomputable(t *testing.T) {
	eachRandom(t, func(t *testing.T, r *rand.Rand, s series, mode liveproof.Mode) {
		s.each(func(_ int, v *liveproof.Sample) { // NaN has no JSON; the pipeline never stores it
			if !(math.Abs(v.Rho) <= 2) {
				v.Rho = 2
			}
			if !(math.Abs(v.Weight) <= 2) {
				v.Weight = 2
			}
		})
		stored, err := json.Marshal(s)
		require.NoError(t, err)
		var back series
		require.NoError(t, json.Unmarshal(stored, &back))
		n := r.IntN(len(s) + 1)
		require.Equal(t, judged(s[:n], mode), judged(back[:n], mode))
	})
}

// More time without new evidence never brings a decision, nor turns one into the other.
func TestPropertyTimeAloneDecidesNothing(t *testing.T) {
	eachRandom(t, func(t *testing.T, r *rand.Rand, s series, mode liveproof.Mode) {
		before := judged(s, mode)
		end := s.at()
		for range 5 {
			end += time.Duration(r.IntN(int(5 * time.Second)))
			after := Fold(testPolicy(), mode, s, end, "")
			if after.Outcome != before.Outcome {
				require.Contains(t, []outcome{pending, inconclusive}, after.Outcome)
			}
		}
		for _, why := range append(views, liveproof.ReasonFrozenPicture) {
			after := judged(append(series(nil), s...).unscored(10, why), mode)
			if after.Outcome != before.Outcome {
				require.Contains(t, []outcome{pending, inconclusive}, after.Outcome)
			}
		}
	})
}

// More of the same evidence never flips a decision.
func TestPropertySameEvidenceNeverFlips(t *testing.T) {
	eachRandom(t, func(t *testing.T, _ *rand.Rand, s series, mode liveproof.Mode) {
		before := judged(s, mode)
		f, _ := New(testPolicy(), mode)
		for _, v := range s {
			f.Add(v)
		}
		same := f.Smoothed()
		// In a call the newest evidence may already speak against the verdict that still stands.
		above, below := same > f.policy.upper(), same < f.policy.lower()
		if !(before.Outcome == isLive && above) && !(before.Outcome == isSpoof && below) {
			return
		}
		for range 100 {
			f.Add(liveproof.Sample{T: f.seen + tick, Scored: true, Rho: same, Weight: 1, Track: max(1, f.track)})
			require.Equal(t, before.Outcome, f.Verdict().Outcome)
		}
	})
}

// Raising every score never turns live into anything worse in one-shot mode, and
// never brings spoof where there was none.
func TestPropertyMonotone(t *testing.T) {
	eachRandom(t, func(t *testing.T, r *rand.Rand, s series, _ liveproof.Mode) {
		raised := append(series(nil), s...).each(func(_ int, v *liveproof.Sample) {
			if v.Rho >= 0 && v.Rho <= 1 {
				v.Rho += (1 - v.Rho) * r.Float64()
			}
		})
		before, after := judged(s, liveproof.ModeOnboarding), judged(raised, liveproof.ModeOnboarding)
		if before.Outcome == isLive {
			require.Equal(t, isLive, after.Outcome)
		}
		if after.Outcome == isSpoof {
			require.Equal(t, isSpoof, before.Outcome)
		}
	})
}

// Invalid samples count for nothing: without them the score is the same.
func TestPropertyInvalidScoresCountForNothing(t *testing.T) {
	eachRandom(t, func(t *testing.T, _ *rand.Rand, s series, mode liveproof.Mode) {
		valid := func(v liveproof.Sample) bool {
			return v.Rho >= 0 && v.Rho <= 1 && v.Weight >= minWeight && v.Weight <= 1
		}
		failed := append(series(nil), s...).each(func(_ int, v *liveproof.Sample) {
			if v.Scored && !valid(*v) {
				v.Scored, v.Rho, v.Reasons = false, 0, []reason{liveproof.ReasonScorerFailed}
			}
		})
		a, b := judged(s, mode), judged(failed, mode)
		require.Equal(t, b.Outcome, a.Outcome)
		require.Equal(t, b.Score, a.Score)
	})
}

// What the server or the view missed between scored samples does not matter to
// the score or the outcome, nor does the order of such reasons.
func TestPropertyBenignMissesAreIrrelevant(t *testing.T) {
	benign := []reason{liveproof.ReasonBlurred, liveproof.ReasonOverload, liveproof.ReasonTooDark, liveproof.ReasonScorerFailed}
	eachRandom(t, func(t *testing.T, r *rand.Rand, s series, _ liveproof.Mode) {
		var with series
		for _, v := range s {
			if v.T > 1 && v.Scored && len(with) > 0 && v.T-1 > with[len(with)-1].T && r.IntN(3) == 0 {
				with = with.add(liveproof.Sample{T: v.T - 1, Reasons: []reason{benign[r.IntN(len(benign))]}})
			}
			with = with.add(v)
		}
		a, b := judged(s, liveproof.ModeOnboarding), judged(with, liveproof.ModeOnboarding)
		require.Equal(t, a.Outcome, b.Outcome)
		require.Equal(t, a.Score, b.Score)
		require.Equal(t, a.At, b.At)
	})
}

// FuzzFold: any bytes as a timeline keep the invariants.
func FuzzFold(f *testing.F) {
	for seed := range uint64(4) {
		f.Add(encode(random(rand.New(rand.NewPCG(seed, 1)))), seed%2 == 0)
	}
	f.Add(encode(series{}.scored(20, 1)), true)
	f.Fuzz(func(t *testing.T, data []byte, call bool) {
		mode := liveproof.ModeOnboarding
		if call {
			mode = liveproof.ModeCall
		}
		s := decode(data)
		checkInvariants(t, s, mode)
		for _, why := range []reason{liveproof.ReasonInternalError, liveproof.ReasonServerShutdown, liveproof.ReasonNoMedia} {
			v := Fold(testPolicy(), mode, s, 0, why)
			require.True(t, v.Final)
			require.True(t, mode == liveproof.ModeOnboarding || v.Outcome == inconclusive)
		}
	})
}

const recordSize = 8 + 8 + 8 + 1 + 1 + 1

func encode(s series) (out []byte) {
	reasons := slices.Concat(doubts, views)
	for _, v := range s {
		out = binary.LittleEndian.AppendUint64(out, uint64(v.T))
		out = binary.LittleEndian.AppendUint64(out, math.Float64bits(v.Rho))
		out = binary.LittleEndian.AppendUint64(out, math.Float64bits(v.Weight))
		why := byte(0)
		for i, r := range reasons {
			if len(v.Reasons) > 0 && v.Reasons[0] == r {
				why = byte(i + 1)
			}
		}
		scored := byte(0)
		if v.Scored {
			scored = 1
		}
		out = append(out, byte(v.Track), scored, why)
	}
	return out
}

func decode(data []byte) (s series) {
	reasons := slices.Concat(doubts, views)
	for ; len(data) >= recordSize && len(s) < 500; data = data[recordSize:] {
		v := liveproof.Sample{
			T:      time.Duration(binary.LittleEndian.Uint64(data)),
			Rho:    math.Float64frombits(binary.LittleEndian.Uint64(data[8:])),
			Weight: math.Float64frombits(binary.LittleEndian.Uint64(data[16:])),
			Track:  int(int8(data[24])), Scored: data[25]&1 == 1,
		}
		if why := int(data[26]); why > 0 && why <= len(reasons) {
			v.Reasons = []reason{reasons[why-1]}
		}
		s = s.add(v)
	}
	return s
}
