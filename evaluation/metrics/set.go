package metrics

import (
	"fmt"
	"math"
	"slices"
	"sort"
)

// Set holds the scores of both classes, at least one of each, all finite. It
// does not change once it is made.
type Set struct {
	values []float64 // distinct scores, ascending
	// By index of the threshold in values; one more for the threshold +∞.
	accepted []int // attacks at or above the threshold
	rejected []int // bona fide below the threshold
}

// New returns the set of these scores, in any order. It fails with
// [ErrSingleClass] where a class is empty and with [ErrNotFinite] where a score
// is NaN or infinite.
func New(bonaFide, attacks []float64) (*Set, error) {
	if err := checkBoth(bonaFide, attacks); err != nil {
		return nil, err
	}
	values := distinct(bonaFide, attacks)
	s := &Set{}
	s.fill(values, histogram(values, bonaFide), histogram(values, attacks))
	return s, nil
}

func checkBoth(bonaFide, attacks []float64) error {
	for _, class := range []struct {
		name   string
		scores []float64
	}{{"bona fide", bonaFide}, {"attack", attacks}} {
		if len(class.scores) == 0 {
			return fmt.Errorf("no %s scores: %w", class.name, ErrSingleClass)
		}
		if err := finite(class.scores); err != nil {
			return fmt.Errorf("%s scores: %w", class.name, err)
		}
	}
	return nil
}

func finite(values []float64) error {
	for i, v := range values {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return fmt.Errorf("value %d is %v: %w", i, v, ErrNotFinite)
		}
	}
	return nil
}

// distinct returns the different values, ascending.
func distinct(some, others []float64) []float64 {
	all := slices.Concat(some, others)
	slices.Sort(all)
	return slices.Compact(all)
}

// histogram counts how often each of the values, which are ascending, is among the scores.
func histogram(values, scores []float64) []int {
	counts := make([]int, len(values))
	for _, score := range scores {
		counts[sort.SearchFloat64s(values, score)]++
	}
	return counts
}

// fill makes this the set in which each value occurs so many times as bona fide and as attack; values that do not occur
// are left out. It uses the memory that the set has.
func (s *Set) fill(values []float64, bonaFide, attacks []int) {
	s.values, s.accepted, s.rejected = s.values[:0], s.accepted[:0], s.rejected[:0]
	passed, rejected := 0, 0 // attacks and bona fide below the value
	for i, value := range values {
		if bonaFide[i]+attacks[i] == 0 {
			continue
		}
		s.values = append(s.values, value)
		s.accepted, s.rejected = append(s.accepted, -passed), append(s.rejected, rejected)
		passed, rejected = passed+attacks[i], rejected+bonaFide[i]
	}
	for i := range s.accepted {
		s.accepted[i] += passed // all attacks less those below
	}
	s.accepted, s.rejected = append(s.accepted, 0), append(s.rejected, rejected)
}

// BonaFide is the number of bona fide scores.
func (s *Set) BonaFide() int { return s.rejected[len(s.values)] }

// Attacks is the number of attack scores.
func (s *Set) Attacks() int { return s.accepted[0] }

// threshold is the candidate with this index: a distinct score, or +∞ after the last.
func (s *Set) threshold(i int) float64 {
	if i == len(s.values) {
		return math.Inf(1)
	}
	return s.values[i]
}

// index is that of the lowest candidate at or above a threshold, which makes the same errors.
func (s *Set) index(threshold float64) int { return sort.SearchFloat64s(s.values, threshold) }

// rates are FAR and FRR at the candidate with this index.
func (s *Set) rates(i int) (far, frr float64) {
	return float64(s.accepted[i]) / float64(s.Attacks()), float64(s.rejected[i]) / float64(s.BonaFide())
}

func (s *Set) point(i int) Point {
	far, frr := s.rates(i)
	return Point{s.threshold(i), far, frr}
}
