package report

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"unicode"

	"github.com/liveproof/liveproof/evaluation"
	"github.com/liveproof/liveproof/evaluation/metrics"
)

// record is a result whose names are safe to show.
type record struct {
	evaluation.Result
	original *evaluation.Result
}

// index checks the results against the plan, and returns them by the plan's names.
func index(plan evaluation.Plan, results []evaluation.Result) (map[string]record, error) {
	planned := make(map[string]bool, len(plan.Presentations))
	for _, p := range plan.Presentations {
		planned[p.Name] = true
	}
	records := make(map[string]record, len(results))
	for i := range results {
		r := &results[i]
		if _, twice := records[r.Name]; twice {
			return nil, fmt.Errorf("%w: %q has two results", ErrResults, r.Name)
		}
		if !planned[r.Name] {
			return nil, fmt.Errorf("%w: %q has a result and is not in the plan", ErrResults, r.Name)
		}
		if err := checkNumbers(r); err != nil {
			return nil, fmt.Errorf("%w: %q: %w", ErrResults, r.Name, err)
		}
		records[r.Name] = record{cleanResult(*r), r}
	}
	for _, p := range plan.Presentations {
		if _, ok := records[p.Name]; !ok {
			return nil, fmt.Errorf("%w: %q has no result; run the evaluation to its end", ErrResults, p.Name)
		}
	}
	return records, nil
}

func checkNumbers(r *evaluation.Result) error {
	for name, v := range map[string]float64{"score": r.Score, "smoothed score": r.Smoothed} {
		if !(v >= 0 && v <= 1) {
			return fmt.Errorf("the %s %v is not in [0,1]", name, v)
		}
	}
	if !(r.DecidedAt >= 0) || math.IsInf(r.DecidedAt, 0) {
		return fmt.Errorf("the time of the verdict %v is not a time", r.DecidedAt)
	}
	for _, s := range r.Samples {
		if s.Scored && !(s.Rho >= 0 && s.Rho <= 1) {
			return fmt.Errorf("ρ %v of sample %d is not in [0,1]", s.Rho, s.Seq)
		}
	}
	if !r.Acquired && r.Score != 0 {
		return fmt.Errorf("the score is %v without a scored frame; by rule it is 0", r.Score)
	}
	return nil
}

// cleanResult makes all names safe to show.
func cleanResult(r evaluation.Result) evaluation.Result {
	for _, s := range []*string{&r.Name, &r.Path, &r.Subject, &r.AttackType, &r.Instrument, &r.Error, &r.Detector, &r.Model.Name} {
		*s = clean(*s)
	}
	meta := make(map[string]string, len(r.Meta))
	for k, v := range r.Meta {
		meta[clean(k)] = clean(v)
	}
	r.Meta = meta
	return r
}

// clean replaces what is not text: bytes that are not UTF-8, control characters, and marks that change the direction of
// the text around them.
func clean(s string) string {
	return strings.Map(func(c rune) rune {
		if unicode.IsControl(c) || unicode.Is(unicode.Bidi_Control, c) {
			return unicode.ReplacementChar
		}
		return c
	}, strings.ToValidUTF8(s, string(unicode.ReplacementChar)))
}

// pick returns the records of these names, in their order.
func pick(records map[string]record, names []string, fold string) ([]record, error) {
	list, seen := make([]record, 0, len(names)), make(map[string]bool, len(names))
	for _, name := range names {
		r, ok := records[name]
		if !ok {
			return nil, fmt.Errorf("%w: fold %q names %q, which is not in the plan", ErrResults, fold, name)
		}
		if seen[name] {
			return nil, fmt.Errorf("%w: fold %q names %q twice", ErrResults, fold, name)
		}
		seen[name] = true
		list = append(list, r)
	}
	return list, nil
}

func filter(records []record, keep func(record) bool) (kept []record) {
	for _, r := range records {
		if keep(r) {
			kept = append(kept, r)
		}
	}
	return kept
}

// split parts bona fide from attacks.
func split(records []record) (bonaFide, attacks []record) {
	bonaFide = filter(records, func(r record) bool { return r.BonaFide() })
	return bonaFide, filter(records, func(r record) bool { return !r.BonaFide() })
}

func scores(records []record) []float64 {
	list := make([]float64, len(records))
	for i, r := range records {
		list[i] = r.Score
	}
	return list
}

// speciesOrder puts the usual species first; others follow by name.
var speciesOrder = []string{"print", "cut", "replay", "mask"}

func speciesOf(attacks []record) []string {
	return values(attacks, func(r record) string { return r.AttackType }, func(a, b string) int {
		return placeOf(a) - placeOf(b)
	})
}

func placeOf(species string) int {
	if i := slices.Index(speciesOrder, species); i >= 0 {
		return i
	}
	return len(speciesOrder)
}

// values returns what the records have, each once: by the order given, where that is equal by name.
func values(records []record, of func(record) string, order func(a, b string) int) []string {
	found := map[string]bool{}
	for _, r := range records {
		found[of(r)] = true
	}
	list := slices.Sorted(maps.Keys(found))
	if order != nil {
		slices.SortStableFunc(list, order)
	}
	return list
}

func count(records []record) Counts {
	bonaFide, attacks := split(records)
	subjects := func(list []record) int {
		return len(values(list, func(r record) string { return r.Subject }, nil))
	}
	return Counts{
		BonaFide: len(bonaFide), Attacks: len(attacks), Subjects: subjects(records), BonaFideSubjects: subjects(bonaFide),
		Stills:      len(filter(records, func(r record) bool { return r.Still })),
		NotAcquired: len(filter(records, func(r record) bool { return !r.Acquired })),
	}
}

// rate adds the interval to a proportion of at least one.
func rate(p metrics.Proportion) Rate {
	i, err := p.ClopperPearson(Level)
	if err != nil {
		panic(err) // the callers count at least one presentation
	}
	return Rate{p, p.Rate(), i.Low, i.High}
}

// rateOf is nil for a proportion of nothing.
func rateOf(p metrics.Proportion) *Rate {
	if p.Of == 0 {
		return nil
	}
	r := rate(p)
	return &r
}

// column is the value of a column in which a report can be grouped.
func column(r record, name string) string {
	switch name {
	case "attack_type":
		return r.AttackType
	case "instrument":
		return r.Instrument
	case "subject":
		return r.Subject
	}
	return r.Meta[name]
}
