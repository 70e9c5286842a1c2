package challenge

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// moments are those of samples on a grid of 5 a second, from tail before the challenge to its end.
func moments(cfg Config, r *rand.Rand) (m []time.Duration) {
	phase := time.Duration(r.Int64N(int64(200 * time.Millisecond)))
	for at := -tail + phase; at < cfg.duration()+tail; at += 200 * time.Millisecond {
		m = append(m, at)
	}
	return m
}

// answered is the series of a face that follows a sequence later by lag: gain of the expected ratios, Gaussian noise of deviation 1, and a drift.
func answered(cfg Config, m []time.Duration, s sequence, lag time.Duration, gain, drift float64, r *rand.Rand) observed {
	o := observed{make([]ratios, len(m))}
	for i, at := range m {
		for k := range 2 {
			o.values[i][k] = r.NormFloat64() + drift*at.Seconds()
			for step, c := range s {
				o.values[i][k] += gain * shareOf(cfg.Period, step, at-lag) * expected[c][k]
			}
		}
	}
	return o
}

func TestAnswerIsRecognisedAtAnyLag(t *testing.T) {
	cfg := DefaultConfig()
	r := generator(1)
	for _, lag := range []time.Duration{0, 90 * time.Millisecond, 300 * time.Millisecond, 900 * time.Millisecond} {
		m := moments(cfg, r)
		s := draw(r, cfg.Colours)
		answer := answered(cfg, m, s, lag, 12, 3, r)
		require.True(t, newMatcher(cfg, m, time.Second, []observed{answer}).beats(s, cfg.decoys(), r), "lag %v", lag)
		require.False(t, newMatcher(cfg, m, time.Second, []observed{answer}).beats(draw(r, cfg.Colours), cfg.decoys(), r), "lag %v", lag)
	}
}

// TestAnswerThatComesTooLateIsNone: who needs a second more to make an answer does not pass.
func TestAnswerThatComesTooLateIsNone(t *testing.T) {
	cfg := DefaultConfig()
	r := generator(2)
	passed := 0
	for range 50 {
		m, s := moments(cfg, r), draw(r, cfg.Colours)
		answer := answered(cfg, m, s, 1400*time.Millisecond, 12, 0, r)
		if newMatcher(cfg, m, 600*time.Millisecond, []observed{answer}).beats(s, 200, r) {
			passed++
		}
	}
	require.LessOrEqual(t, passed, 2)
}

// TestTheOppositeColoursAreNoAnswer: a response of negative size counts for nothing.
func TestTheOppositeColoursAreNoAnswer(t *testing.T) {
	cfg := DefaultConfig()
	r := generator(3)
	m, s := moments(cfg, r), draw(r, cfg.Colours)
	answer := answered(cfg, m, s, 0, -12, 0, r)
	require.Less(t, newMatcher(cfg, m, 0, []observed{answer}).likelihood(s), 1.0)
}

func TestSeriesWithoutChangePassesNever(t *testing.T) {
	cfg := DefaultConfig()
	r := generator(4)
	m := moments(cfg, r)
	still := observed{make([]ratios, len(m))}
	require.False(t, newMatcher(cfg, m, time.Second, []observed{still}).beats(draw(r, cfg.Colours), 1, r))
}

// TestChanceIsWhatTheConfigurationSays holds the rate at which series that follow no sequence pass against Config.FalseAccepts, for noise
// of three kinds: white, a random walk, and colours that another sequence would give.
func TestChanceIsWhatTheConfigurationSays(t *testing.T) {
	const trials, decoys = 6000, 19 // 1 of 20
	cfg := DefaultConfig()
	for name, observe := range map[string]func(m []time.Duration, r *rand.Rand) observed{
		"white": func(m []time.Duration, r *rand.Rand) observed { return answered(cfg, m, nil, 0, 0, 0, r) },
		"walk": func(m []time.Duration, r *rand.Rand) observed {
			o := answered(cfg, m, nil, 0, 0, 0, r)
			for i := 1; i < len(o.values); i++ {
				o.values[i][0] += o.values[i-1][0]
				o.values[i][1] += o.values[i-1][1]
			}
			return o
		},
		"another": func(m []time.Duration, r *rand.Rand) observed {
			return answered(cfg, m, draw(r, cfg.Colours), 200*time.Millisecond, 12, 0, r)
		},
	} {
		t.Run(name, func(t *testing.T) {
			r := generator(5)
			passed := 0
			for range trials {
				m := moments(cfg, r)
				if newMatcher(cfg, m, 600*time.Millisecond, []observed{observe(m, r)}).beats(draw(r, cfg.Colours), decoys, r) {
					passed++
				}
			}
			// Four standard deviations of a binomial of 1/20.
			require.InDelta(t, trials/20, passed, 4*17)
		})
	}
}

func BenchmarkDecision(b *testing.B) {
	cfg := DefaultConfig()
	r := generator(6)
	m, s := moments(cfg, r), draw(r, cfg.Colours)
	answer := answered(cfg, m, s, 200*time.Millisecond, 12, 0, r)
	for b.Loop() {
		require.True(b, newMatcher(cfg, m, cfg.Latency+cfg.MaxRoundTrip, []observed{answer, answer}).beats(s, cfg.decoys(), r))
	}
}
