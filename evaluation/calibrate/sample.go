package calibrate

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"

	"github.com/liveproof/liveproof/calibration"
	"github.com/liveproof/liveproof/evaluation"
	"github.com/liveproof/liveproof/evaluation/metrics"
)

// sample is the scores that a threshold is chosen on, ascending; equal ones by name, so that the order of rows does not matter.
type sample []evaluation.Score

func newSample(scores []evaluation.Score) sample {
	s := sample(slices.Clone(scores))
	slices.SortStableFunc(s, func(a, b evaluation.Score) int {
		return cmp.Or(cmp.Compare(a.Value, b.Value), cmp.Compare(a.Name, b.Name), cmp.Compare(a.Subject, b.Subject))
	})
	return s
}

func bonaFide(x evaluation.Score) bool { return x.AttackType == "" }

// once counts each presentation once, where a resample counts some never and some several times.
func (s sample) once() []int {
	times := make([]int, len(s))
	for i := range times {
		times[i] = 1
	}
	return times
}

// threshold applies the rule to a resample in which presentation i is there times[i] times. metrics.ErrSingleClass says that
// the resample lacks what the rule needs.
func (s sample) threshold(rule calibration.Rule, times []int) (float64, error) {
	switch rule.Kind {
	case calibration.RuleBPCER:
		return s.highest(rule.AtMost, times)
	case calibration.RuleAPCER:
		return s.lowest(rule.AtMost, times)
	}
	return s.equalError(times)
}

// highest is the highest θ that rejects at most this share of the bona fide. Equal scores are rejected together.
func (s sample) highest(limit float64, times []int) (float64, error) {
	all := s.count(times, bonaFide)
	if all == 0 {
		return 0, fmt.Errorf("no bona fide: %w", metrics.ErrSingleClass)
	}
	best, rejected := 0., 0
	for i := 0; i < len(s); {
		value, here := s[i].Value, 0
		for ; i < len(s) && s[i].Value == value; i++ {
			if bonaFide(s[i]) {
				here += times[i]
			}
		}
		if here > 0 && share(rejected, all) <= limit {
			best = value
		}
		rejected += here
	}
	return best, nil
}

// lowest is the lowest score that, as θ, accepts at most this share of each species; above every score where none does.
func (s sample) lowest(limit float64, times []int) (float64, error) {
	all := s.species(times)
	if len(all) == 0 {
		return 0, fmt.Errorf("no attack: %w", metrics.ErrSingleClass)
	}
	best, accepted := math.Nextafter(s[len(s)-1].Value, 2), map[string]int{}
	for i := len(s) - 1; i >= 0; {
		value, here := s[i].Value, 0
		for ; i >= 0 && s[i].Value == value; i-- {
			here += times[i]
			if !bonaFide(s[i]) {
				accepted[s[i].AttackType] += times[i]
			}
		}
		for species, n := range accepted {
			if share(n, all[species]) > limit {
				return best, nil
			}
		}
		if here > 0 {
			best = value
		}
	}
	return best, nil
}

// equalError is the model's own rule.
func (s sample) equalError(times []int) (float64, error) {
	var live, attacks []float64
	for i, x := range s {
		for range times[i] {
			if bonaFide(x) {
				live = append(live, x.Value)
			} else {
				attacks = append(attacks, x.Value)
			}
		}
	}
	set, err := metrics.New(live, attacks)
	if err != nil {
		return 0, err
	}
	threshold, _ := set.EqualError()
	return threshold, nil
}

// share of a whole; nothing of nothing is no share at all.
func share(part, whole int) float64 {
	if whole == 0 {
		return 0
	}
	return float64(part) / float64(whole)
}

func (s sample) count(times []int, which func(evaluation.Score) bool) (n int) {
	for i, x := range s {
		if which(x) {
			n += times[i]
		}
	}
	return n
}

// species counts the attacks by species; one that is not in the resample is left out.
func (s sample) species(times []int) map[string]int {
	n := map[string]int{}
	for i, x := range s {
		if !bonaFide(x) && times[i] > 0 {
			n[x.AttackType] += times[i]
		}
	}
	return n
}

// bpcer is the rejected bona fide at θ.
func (s sample) bpcer(theta float64, times []int) metrics.Proportion {
	rejected := func(x evaluation.Score) bool { return bonaFide(x) && x.Value < theta }
	return metrics.Proportion{Count: s.count(times, rejected), Of: s.count(times, bonaFide)}
}

// apcer is the accepted attacks of the worst species at θ; of equals the largest, of those the first by name. Without attacks
// it is of nothing.
func (s sample) apcer(theta float64, times []int) (species string, worst metrics.Proportion) {
	all, accepted := s.species(times), map[string]int{}
	for i, x := range s {
		if !bonaFide(x) && x.Value >= theta {
			accepted[x.AttackType] += times[i]
		}
	}
	for _, name := range slices.Sorted(maps.Keys(all)) {
		p := metrics.Proportion{Count: accepted[name], Of: all[name]}
		if worst.Of == 0 || p.Rate() > worst.Rate() || p.Rate() == worst.Rate() && p.Of > worst.Of {
			species, worst = name, p
		}
	}
	return species, worst
}

// subjects counts the persons of the presentations that are asked about.
func (s sample) subjects(which func(evaluation.Score) bool) int {
	seen := map[string]bool{}
	for _, x := range s {
		if which(x) {
			seen[x.Subject] = true
		}
	}
	return len(seen)
}

// clusters groups the presentations by subject.
func (s sample) clusters() (*metrics.Clusters, error) {
	names, live := make([]string, len(s)), make([]bool, len(s))
	for i, x := range s {
		names[i], live[i] = x.Subject, bonaFide(x)
	}
	return metrics.NewClusters(names, live)
}

// distinct refuses a presentation that is there twice: it would count twice.
func (s sample) distinct() error {
	var errs []error
	seen := map[string]bool{}
	for _, x := range s {
		if x.Name != "" && seen[x.Name] {
			errs = append(errs, fmt.Errorf("%s is there twice: give the scores of one fold only", x.Name))
		}
		seen[x.Name] = true
	}
	if len(errs) > 3 {
		errs = append(errs[:3], fmt.Errorf("and %d more", len(errs)-3))
	}
	return errors.Join(errs...)
}
