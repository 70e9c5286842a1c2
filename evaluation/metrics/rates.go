package metrics

// Point is the error rates at one threshold.
type Point struct {
	// Threshold is +∞ where nothing is accepted, which JSON cannot carry: only [Set.Curve] and [Set.TPRAtFPR] give it.
	Threshold float64 `json:"threshold"`
	// FAR is the share of attacks that are accepted.
	FAR float64 `json:"far"`
	// FRR is the share of bona fide that are rejected.
	FRR float64 `json:"frr"`
}

// HTER is the half total error rate, (FAR + FRR) / 2.
func (p Point) HTER() float64 { return (p.FAR + p.FRR) / 2 }

// TPR is the share of bona fide that are accepted, 1 - FRR.
func (p Point) TPR() float64 { return 1 - p.FRR }

// At returns the error rates at a threshold. NaN accepts nothing.
func (s *Set) At(threshold float64) Point {
	far, frr := s.rates(s.index(threshold))
	return Point{threshold, far, frr}
}

// Errors returns what At divides: the accepted attacks and the rejected bona fide.
func (s *Set) Errors(threshold float64) (accepted, rejected Proportion) {
	i := s.index(threshold)
	return Proportion{s.accepted[i], s.Attacks()}, Proportion{s.rejected[i], s.BonaFide()}
}

// AUC is the area under the ROC curve: the probability that a bona fide scores
// above an attack, where a tie counts half (the Mann–Whitney statistic).
func (s *Set) AUC() float64 {
	twice := 0
	for i := range s.values {
		below, upTo := s.Attacks()-s.accepted[i], s.Attacks()-s.accepted[i+1]
		twice += (s.rejected[i+1] - s.rejected[i]) * (below + upTo)
	}
	return float64(twice) / float64(2*s.BonaFide()*s.Attacks())
}

// Proportion is a count out of a number of trials.
type Proportion struct {
	Count int `json:"count"`
	Of    int `json:"of"`
}

// Rate is Count / Of. Of must be above 0, as in every proportion that this package returns without an error.
func (p Proportion) Rate() float64 { return float64(p.Count) / float64(p.Of) }

// plus is the proportion after n more trials, which all count or all do not.
func (p Proportion) plus(counts bool, n int) Proportion {
	if counts {
		p.Count += n
	}
	return Proportion{p.Count, p.Of + n}
}
