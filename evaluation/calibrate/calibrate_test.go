package calibrate

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/liveproof/liveproof/calibration"
	"github.com/liveproof/liveproof/evaluation"
)

func bpcer(x float64) calibration.Rule {
	return calibration.Rule{Kind: calibration.RuleBPCER, AtMost: x}
}

func apcer(x float64) calibration.Rule {
	return calibration.Rule{Kind: calibration.RuleAPCER, AtMost: x}
}

var eer = calibration.Rule{Kind: calibration.RuleEER}

// of makes presentations of a species ("" is bona fide), each of a subject of its own.
func of(species string, values ...float64) (scores []evaluation.Score) {
	for i, v := range values {
		name := fmt.Sprintf("%s%d", species, i)
		scores = append(scores, evaluation.Score{Name: name, Subject: name, AttackType: species, Value: v, Acquired: true})
	}
	return scores
}

// ladder is n scores from lo upwards.
func ladder(n int, lo, step float64) (values []float64) {
	for i := range n {
		values = append(values, lo+float64(i)*step)
	}
	return values
}

func join(parts ...[]evaluation.Score) (all []evaluation.Score) {
	for _, p := range parts {
		all = append(all, p...)
	}
	return all
}

// TestGolden: thresholds and rates that can be counted by hand.
func TestGolden(t *testing.T) {
	tenth := ladder(10, 0.05, 0.1) // 0.05, 0.15, … 0.95
	for name, c := range map[string]struct {
		scores         []evaluation.Score
		rule           calibration.Rule
		threshold      float64
		rejected, live int
		passed         int
		species        string
	}{
		"one in ten is rejected":                {of("", tenth...), bpcer(0.1), tenth[1], 1, 10, 0, ""},
		"two in ten, not two and a half":        {of("", tenth...), bpcer(0.25), tenth[2], 2, 10, 0, ""},
		"equal scores are rejected together":    {of("", 0.2, 0.3, 0.3, 0.3, 0.6, 0.7, 0.8, 0.9, 0.9, 0.9), bpcer(0.3), 0.3, 1, 10, 0, ""},
		"attacks do not move it":                {join(of("", tenth...), of("print", 0.1, 0.12, 0.9)), bpcer(0.1), tenth[1], 1, 10, 1, "print"},
		"bona fide scores are thresholds too":   {join(of("", 0.96, 0.97), of("print", tenth...)), apcer(0.1), tenth[9], 0, 2, 1, "print"},
		"the worst species decides":             {join(of("", 0.99, 0.6, 0.999), of("print", ladder(10, 0.1, 0.01)...), of("mask", ladder(10, 0.5, 0.01)...)), apcer(0.1), 0.5 + 9*0.01, 0, 3, 1, "mask"},
		"equal attacks pass together":           {join(of("", 0.8, 0.9), of("print", 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.7, 0.7)), apcer(0.1), 0.8, 0, 2, 0, "print"},
		"midway between the classes":            {join(of("", 0.75, 0.9), of("print", 0.1, 0.25)), eer, 0.5, 0, 2, 0, "print"},
		"one error of each class":               {join(of("", 0.25, 0.8, 0.9), of("print", 0.1, 0.2, 0.75)), eer, 0.5, 1, 3, 1, "print"},
		"one of several of each class, by name": {join(of("", 0.75, 0.9), of("b", 0.1), of("a", 0.25)), eer, 0.5, 0, 2, 0, "a"},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := Choose(c.scores, c.rule)
			require.NoError(t, err)
			require.InDelta(t, c.threshold, got.Threshold, 0)
			require.Equal(t, c.rejected, got.Expected.BPCER.Errors)
			require.Equal(t, c.live, got.Expected.BPCER.Of)
			if c.species == "" {
				require.Nil(t, got.Expected.APCER)
				return
			}
			require.Equal(t, c.species, got.Expected.APCER.Species)
			require.Equal(t, c.passed, got.Expected.APCER.Errors)
		})
	}
}

// TestRuleByDefinition: on random scores with ties, no higher (or lower) score keeps the rule.
func TestRuleByDefinition(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 0))
	for range 300 {
		var scores []evaluation.Score
		for range 30 + r.IntN(40) {
			scores = append(scores, of("", math.Round(20*math.Sqrt(r.Float64()))/20)...)
			scores = append(scores, of([]string{"print", "screen"}[r.IntN(2)], math.Round(20*r.Float64()*r.Float64())/20)...)
		}
		s, limit := newSample(scores), 0.05+0.3*r.Float64()
		once := s.once()
		highest, err := s.threshold(bpcer(limit), once)
		require.NoError(t, err)
		lowest, err := s.threshold(apcer(limit), once)
		require.NoError(t, err)
		require.LessOrEqual(t, s.bpcer(highest, once).Rate(), limit)
		worst := func(theta float64) float64 { _, p := s.apcer(theta, once); return p.Rate() }
		require.LessOrEqual(t, worst(lowest), limit)
		for _, x := range s {
			if x.Value > highest && bonaFide(x) {
				require.Greater(t, s.bpcer(x.Value, once).Rate(), limit)
			}
			if x.Value < lowest {
				require.Greater(t, worst(x.Value), limit)
			}
		}
		require.Greater(t, s.bpcer(math.Nextafter(highest, 2), once).Rate(), limit, "not even the next number")
	}
}

// people makes videos of subjects who differ: the videos of one are alike.
func people(n, videos int, seed uint64) (scores []evaluation.Score) {
	r := rand.New(rand.NewPCG(seed, 1))
	for i := range n {
		for k, species := range []string{"", "print", "screen"} {
			own := []float64{0.7, 0.3, 0.35}[k] + 0.12*r.NormFloat64()
			for j := range videos {
				scores = append(scores, evaluation.Score{
					Name: fmt.Sprintf("%d/%s/%d", i, species, j), Subject: fmt.Sprint(i), AttackType: species, Acquired: true,
					Value: min(1, max(0.001, own+0.02*r.NormFloat64())),
				})
			}
		}
	}
	return scores
}

// TestIntervals: they hold the value, fewer people make them wider, more videos of the same people do not make them
// narrower, and equal scores give equal intervals.
func TestIntervals(t *testing.T) {
	choose := func(scores []evaluation.Score) Choice {
		t.Helper()
		c, err := Choose(scores, bpcer(0.1))
		require.NoError(t, err)
		require.LessOrEqual(t, c.Interval.Low, c.Threshold)
		require.GreaterOrEqual(t, c.Interval.High, c.Threshold)
		for _, r := range []*calibration.Rate{c.Expected.BPCER, c.Expected.APCER} {
			require.LessOrEqual(t, r.Interval.Low, r.Value())
			require.GreaterOrEqual(t, r.Interval.High, r.Value())
		}
		require.InDelta(t, Level, c.Interval.Confidence, 0)
		return c
	}
	width := func(c Choice) float64 { return c.Interval.High - c.Interval.Low }
	many, few := choose(people(80, 2, 1)), choose(people(10, 2, 1))
	require.Less(t, width(many), width(few))
	shuffled := people(80, 2, 1)
	rand.Shuffle(len(shuffled), func(i, j int) { shuffled[i], shuffled[j] = shuffled[j], shuffled[i] })
	require.Equal(t, many, choose(shuffled), "in whatever order")
	repeated := people(10, 16, 1)
	require.Greater(t, width(choose(repeated)), width(many), "160 videos of 10 people are not worth 160 of 80")
}

// TestZeroErrorsHaveAnInterval: where no resample differs, it is counted in persons.
func TestZeroErrorsHaveAnInterval(t *testing.T) {
	c, err := Choose(join(of("", ladder(30, 0.7, 0.005)...), of("print", ladder(30, 0.1, 0.005)...)), eer)
	require.NoError(t, err)
	require.Zero(t, c.Expected.BPCER.Errors)
	require.InDelta(t, 1-math.Pow(0.025, 1./30), c.Expected.BPCER.Interval.High, 1e-9, "Clopper and Pearson in closed form")
	require.Positive(t, c.Expected.APCER.Interval.High)
	twice := of("", ladder(30, 0.7, 0.005)...)
	for i := range twice {
		twice[i].Subject = fmt.Sprint(i / 10)
	}
	c, err = Choose(join(twice, of("print", ladder(30, 0.1, 0.005)...)), eer)
	require.NoError(t, err)
	require.InDelta(t, 1-math.Pow(0.025, 1./3), c.Expected.BPCER.Interval.High, 1e-9, "3 persons")
}

func TestScoresThatAreTooFew(t *testing.T) {
	live, attacks := of("", ladder(40, 0.5, 0.01)...), of("print", ladder(40, 0.1, 0.01)...)
	alone := of("", ladder(40, 0.5, 0.01)...)
	for i := range alone {
		alone[i].Subject = "anna"
	}
	for name, c := range map[string]struct {
		scores     []evaluation.Score
		rule       calibration.Rule
		complaints []string
	}{
		"20 bona fide for 1 %": {live[:20], bpcer(0.01), []string{"20 bona fide are too few for bpcer 0.01: one error among them is 5 %", "At least 100 are needed (1/0.01), and 300 (3/0.01, the rule of three)"}},
		"one less than needed": {live[:19], bpcer(0.05), []string{"At least 20 are needed"}},
		"a rare species":       {join(attacks, of("mask", 0.2, 0.3)), apcer(0.05), []string{"2 attacks of species mask are too few for apcer 0.05: one error among them is 50 %"}},
		"no bona fide":         {attacks, bpcer(0.1), []string{"there are no bona fide, and the rule bpcer 0.1 needs them"}},
		"no attack":            {live, apcer(0.1), []string{"there are no attacks, and the rule apcer 0.1 needs them"}},
		"eer of bona fide":     {live, eer, []string{"there are no attacks, and the rule eer needs them"}},
		"eer of attacks":       {attacks, eer, []string{"there are no bona fide, and the rule eer needs them"}},
		"one person":           {alone, bpcer(0.1), []string{"1 subject: an interval needs at least 2 persons"}},
		"nothing":              {nil, eer, []string{"there are no bona fide", "there are no attacks", "0 subject"}},
		"there twice":          {join(live, live[:1]), bpcer(0.1), []string{"0 is there twice"}},
		"no face in 4 of 40":   {join(of("x", 0.1), of("", append(ladder(36, 0.5, 0.01), 0, 0, 0, 0)...)), bpcer(0.05), []string{"the rule gives 0, at which every attack passes: 4 of 40 bona fide have the score 0"}},
		"attacks are on top":   {join(live, of("print", ladder(20, 0.95, 0.001)...)), apcer(0.05), []string{"every bona fide would be rejected"}},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := Choose(c.scores, c.rule)
			require.ErrorIs(t, err, ErrScores)
			for _, want := range c.complaints {
				require.ErrorContains(t, err, want)
			}
			require.Zero(t, got)
		})
	}
	_, err := Choose(live[:20], bpcer(0.05))
	require.NoError(t, err, "1/20 can be counted")
}

func TestWarnings(t *testing.T) {
	live, attacks := of("", ladder(40, 0.5, 0.01)...), of("print", ladder(40, 0.1, 0.01)...)
	missing := join(live, attacks)
	missing[3].Acquired = false
	for want, c := range map[string]struct {
		scores []evaluation.Score
		rule   calibration.Rule
	}{
		"that takes 60 without an error":              {live, bpcer(0.05)},
		"there are no attacks: nothing is known":      {live, bpcer(0.1)},
		"there are no bona fide: nothing is known":    {attacks, apcer(0.1)},
		"1 of 80 presentations have no scored frame":  {missing, bpcer(0.1)},
		"add up to 100 % or more":                     {join(of("", ladder(40, 0.1, 0.01)...), of("print", ladder(40, 0.5, 0.01)...)), bpcer(0.1)},
		"4 subjects: the intervals are rough":         {join(of("", 0.8, 0.9), of("print", 0.1, 0.2)), eer},
		"of species print can choose the threshold, ": {join(live, attacks), apcer(0.05)},
	} {
		got, err := Choose(c.scores, c.rule)
		require.NoError(t, err, want)
		require.Contains(t, fmt.Sprint(got.Warnings), want)
	}
	got, err := Choose(people(200, 1, 3), bpcer(0.1))
	require.NoError(t, err)
	require.Empty(t, got.Warnings)
}
