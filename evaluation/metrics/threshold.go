package metrics

import "math"

// EERPoint is where |FAR - FRR| is least over all distinct scores and +∞ as
// thresholds; of equals the one with the smaller HTER, of those the lowest. It
// compares whole numbers, so that no rounding decides between thresholds. The
// threshold is always a score: +∞ and the lowest score are equally far from
// balance, and the lowest comes first.
func (s *Set) EERPoint() Point {
	best, bestDistance, bestSum := 0, math.MaxInt, math.MaxInt
	for i := range s.accepted {
		far, frr := s.accepted[i]*s.BonaFide(), s.rejected[i]*s.Attacks() // over the common denominator
		distance, sum := max(far-frr, frr-far), far+frr
		if distance < bestDistance || distance == bestDistance && sum < bestSum {
			best, bestDistance, bestSum = i, distance, sum
		}
	}
	return s.point(best)
}

// aboveAll is by how much the last candidate of EqualError lies above all scores.
const aboveAll = 1e-6

// EqualError returns the threshold and the rate (FAR + FRR) / 2 where FAR and
// FRR are closest, of equals the lowest. Candidates are the lowest score, the
// middles between neighbouring scores and the highest score + 1e-6.
//
// It is for the threshold that a model carries: between the scores it was
// chosen on, the middle favours neither class on new ones, whereas EERPoint, by
// which benchmarks compare, always lies on a score.
func (s *Set) EqualError() (threshold, rate float64) {
	least := math.Inf(1)
	for i := range s.accepted {
		edge := s.edge(i)
		p := s.At(edge) // by search: where two scores are neighbours as floats the middle is one of the two
		if distance := math.Abs(p.FAR - p.FRR); distance < least {
			least, threshold, rate = distance, edge, p.HTER()
		}
	}
	return threshold, rate
}

func (s *Set) edge(i int) float64 {
	switch i {
	case 0:
		return s.values[0]
	case len(s.values):
		return s.values[i-1] + aboveAll
	}
	return (s.values[i] + s.values[i-1]) / 2
}
