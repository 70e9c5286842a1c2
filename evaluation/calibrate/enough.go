package calibrate

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"

	"github.com/liveproof/liveproof/calibration"
	"github.com/liveproof/liveproof/evaluation"
)

// needed is the least number of presentations on which a rate of at most limit can be counted: with fewer, a single error is
// more than the limit.
func needed(limit float64) int { return int(math.Ceil(1/limit - 1e-9)) }

// backed is how many presentations without an error show, with a confidence of 95 %, that the rate is at most limit: the rule
// of three (Hanley and Lippman-Hand, JAMA 1983).
func backed(limit float64) int { return int(math.Ceil(3/limit - 1e-9)) }

// enough refuses scores that are too few for the rule.
func (s sample) enough(rule calibration.Rule) error {
	live, species := s.count(s.once(), bonaFide), s.species(s.once())
	everybody := s.subjects(func(evaluation.Score) bool { return true })
	var errs []error
	if everybody < 2 {
		errs = append(errs, fmt.Errorf("%d subject: an interval needs at least 2 persons, because the videos of one person are alike", everybody))
	}
	if rule.Kind != calibration.RuleAPCER {
		errs = append(errs, present("bona fide", live, rule))
	}
	if rule.Kind != calibration.RuleBPCER && len(species) == 0 {
		errs = append(errs, present("attacks", 0, rule))
	}
	switch rule.Kind {
	case calibration.RuleBPCER:
		errs = append(errs, countable("bona fide", live, rule))
	case calibration.RuleAPCER:
		for _, name := range slices.Sorted(maps.Keys(species)) {
			errs = append(errs, countable("attacks of species "+name, species[name], rule))
		}
	}
	return errors.Join(errs...)
}

func present(what string, n int, rule calibration.Rule) error {
	if n > 0 {
		return nil
	}
	return fmt.Errorf("there are no %s, and the rule %s needs them", what, rule)
}

// countable refuses so few presentations that one error among them is more than the limit.
func countable(what string, n int, rule calibration.Rule) error {
	if n == 0 || n >= needed(rule.AtMost) {
		return nil
	}
	return fmt.Errorf("%d %s are too few for %s: one error among them is %.3g %% already. At least %d are needed (1/%v), and %d "+
		"(3/%v, the rule of three) to show that the rate is at most %v if none of them fails. Judge more presentations, or allow a higher rate",
		n, what, rule, 100/float64(n), needed(rule.AtMost), rule.AtMost, backed(rule.AtMost), rule.AtMost, rule.AtMost)
}

// warnings are what the numbers do not forbid and a person must know.
func (s sample) warnings(c Choice, rule calibration.Rule) (list []string) {
	add := func(format string, args ...any) { list = append(list, fmt.Sprintf(format, args...)) }
	if c.NotAcquired > 0 {
		add("%d of %d presentations have no scored frame and count with the score 0, as rejected", c.NotAcquired, len(s))
	}
	if n := c.BonaFide; rule.Kind == calibration.RuleBPCER && n < backed(rule.AtMost) {
		add("%d bona fide can choose the threshold, but not show that BPCER is at most %v on new ones: that takes %d without an error (rule of three)", n, rule.AtMost, backed(rule.AtMost))
	}
	for _, name := range slices.Sorted(maps.Keys(c.Species)) {
		if n := c.Species[name]; rule.Kind == calibration.RuleAPCER && n < backed(rule.AtMost) {
			add("%d attacks of species %s can choose the threshold, but not show that APCER is at most %v on new ones: that takes %d without an error (rule of three)", n, name, rule.AtMost, backed(rule.AtMost))
		}
	}
	switch {
	case c.Attacks == 0:
		add("there are no attacks: nothing is known of how many would pass at this threshold")
	case c.BonaFide == 0:
		add("there are no bona fide: nothing is known of how many would be rejected at this threshold")
	case c.Expected.BPCER.Value()+c.Expected.APCER.Value() >= 1:
		add("at this threshold the errors of both classes add up to 100 %% or more: the scores do not tell bona fide from the worst attacks")
	}
	if c.Subjects < 10 {
		add("%d subjects: the intervals are rough", c.Subjects)
	}
	return list
}
