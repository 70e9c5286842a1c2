package calibrate

import (
	"errors"
	"fmt"
	"math"

	"github.com/liveproof/liveproof/calibration"
	"github.com/liveproof/liveproof/evaluation"
	"github.com/liveproof/liveproof/evaluation/metrics"
)

// How intervals are computed. The seed is fixed, so that equal scores give equal calibrations.
const (
	Level     = 0.95
	Resamples = 2000
	seed      = 1
)

// ErrScores says that a threshold cannot be chosen on these scores by this rule; the error says what is missing.
var ErrScores = errors.New("no threshold can be chosen")

// Choice is a threshold with what is known of it.
type Choice struct {
	Threshold float64
	Interval  calibration.Interval
	Expected  calibration.Expected
	// BonaFide, Attacks, Subjects and Species are counts of what the threshold was chosen on.
	BonaFide, Attacks, Subjects int
	Species                     map[string]int
	// NotAcquired counts the presentations without a scored frame, whose score is 0 by rule.
	NotAcquired int
	// Warnings say what a person must know before using the threshold.
	Warnings []string
}

// Choose applies the rule to the scores, each of one presentation. It fails with ErrScores where they are too few for the rule, of
// one class where the rule needs both, or where no threshold in (0,1) meets the rule.
func Choose(scores []evaluation.Score, rule calibration.Rule) (Choice, error) {
	s := newSample(scores)
	if err := errors.Join(s.distinct(), s.enough(rule)); err != nil {
		return Choice{}, fmt.Errorf("%w: %w", ErrScores, err)
	}
	theta, err := s.threshold(rule, s.once())
	if err != nil {
		return Choice{}, fmt.Errorf("%w: %w", ErrScores, err)
	}
	if err := s.usable(theta); err != nil {
		return Choice{}, fmt.Errorf("%w: %w", ErrScores, err)
	}
	c := Choice{
		Threshold: theta, BonaFide: s.count(s.once(), bonaFide), Subjects: s.subjects(func(evaluation.Score) bool { return true }),
		Species: s.species(s.once()), NotAcquired: s.count(s.once(), func(x evaluation.Score) bool { return !x.Acquired }),
	}
	c.Attacks = len(s) - c.BonaFide
	if err := s.intervals(&c, rule); err != nil {
		return Choice{}, err
	}
	c.Warnings = s.warnings(c, rule)
	return c, nil
}

// usable refuses a threshold that accepts everything or nothing.
func (s sample) usable(theta float64) error {
	live, attacks := s.bpcer(theta, s.once()), len(s)-s.count(s.once(), bonaFide)
	missed := s.count(s.once(), func(x evaluation.Score) bool { return bonaFide(x) && x.Value == 0 })
	switch {
	case !(theta > 0):
		return fmt.Errorf("the rule gives 0, at which every attack passes: %d of %d bona fide have the score 0 (no frame of them was "+
			"scored, perhaps). Allow more errors, or find out why they fail", missed, live.Of)
	case !(theta < 1) || live.Of > 0 && live.Count == live.Of:
		return fmt.Errorf("every bona fide would be rejected: %d attacks score as high as they do. Allow more errors, or train the model on such attacks", attacks)
	}
	return nil
}

// intervals fills in the intervals of the threshold and the rates, by resampling subjects.
func (s sample) intervals(c *Choice, rule calibration.Rule) error {
	clusters, err := s.clusters()
	if err != nil {
		return err
	}
	b := metrics.Bootstrap{Resamples: Resamples, Level: Level, Seed: seed}
	theta, err := b.Interval(clusters, func(times []int) (float64, error) { return s.threshold(rule, times) })
	if err != nil {
		return fmt.Errorf("interval of the threshold: %w", err)
	}
	c.Interval = intervalOf(theta)
	bpcer := func(times []int) metrics.Proportion { return s.bpcer(c.Threshold, times) }
	if c.Expected.BPCER, err = rate(b, clusters, s.once(), bpcer, s.subjects(bonaFide)); err != nil {
		return fmt.Errorf("interval of BPCER: %w", err)
	}
	apcer := func(times []int) metrics.Proportion { _, worst := s.apcer(c.Threshold, times); return worst }
	species, _ := s.apcer(c.Threshold, s.once())
	of := func(x evaluation.Score) bool { return !bonaFide(x) && x.AttackType == species }
	if c.Expected.APCER, err = rate(b, clusters, s.once(), apcer, s.subjects(of)); err != nil {
		return fmt.Errorf("interval of APCER: %w", err)
	}
	if c.Expected.APCER != nil {
		c.Expected.APCER.Species = species
	}
	return nil
}

// rate is an error rate with its interval; nil where there is nothing to count.
func rate(b metrics.Bootstrap, clusters *metrics.Clusters, once []int, of func(times []int) metrics.Proportion, subjects int) (*calibration.Rate, error) {
	p := of(once)
	if p.Of == 0 {
		return nil, nil //nolint:nilnil // a rate of nothing is no error
	}
	if p.Count == 0 || p.Count == p.Of { // each resample is the same: count persons instead
		trials := metrics.Proportion{Count: p.Count / p.Of * subjects, Of: subjects}
		i, err := trials.ClopperPearson(b.Level)
		return &calibration.Rate{Errors: p.Count, Of: p.Of, Interval: intervalOf(i)}, err
	}
	i, err := b.Interval(clusters, func(times []int) (float64, error) {
		drawn := of(times)
		if drawn.Of == 0 {
			return 0, metrics.ErrSingleClass
		}
		return drawn.Rate(), nil
	})
	return &calibration.Rate{Errors: p.Count, Of: p.Of, Interval: intervalOf(i)}, err
}

func intervalOf(i metrics.Interval) calibration.Interval {
	return calibration.Interval{Low: math.Min(i.Low, 1), High: math.Min(i.High, 1), Confidence: i.Level}
}
