package metrics

import "gonum.org/v1/gonum/stat/distuv"

// Curve returns the points of the ROC curve: one for every distinct score and
// one for +∞, by rising threshold, so that FAR falls and FRR rises.
func (s *Set) Curve() []Point {
	points := make([]Point, len(s.accepted))
	for i := range points {
		points[i] = s.point(i)
	}
	return points
}

// TPRAtFPR returns the point with the largest TPR of those whose FPR is at most
// the limit, of equals the one with the highest threshold. Nothing is
// interpolated: with fewer than 1 / limit attacks none may be accepted. The
// limit is in [0,1], else [ErrOutOfRange].
func (s *Set) TPRAtFPR(limit float64) (Point, error) {
	if err := inRange("limit of the FPR", limit, 0, 1); err != nil {
		return Point{}, err
	}
	best := len(s.values) // +∞ accepts nothing: its FPR of 0 is within every limit
	for i := best - 1; i >= 0; i-- {
		if far, _ := s.rates(i); far > limit {
			break
		}
		if s.rejected[i] < s.rejected[best] {
			best = i
		}
	}
	return s.point(best), nil
}

// DETPoint is a point of the detection error tradeoff curve (ISO/IEC 19795-1),
// with both rates as normal deviates for the axes.
type DETPoint struct {
	Point
	// X is the deviate of FAR and Y that of FRR, by [Probit].
	X, Y float64
}

// DET returns a point for every distinct score and +∞, by rising threshold.
func (s *Set) DET() []DETPoint {
	points := make([]DETPoint, len(s.accepted))
	for i, p := range s.Curve() {
		points[i] = DETPoint{p, Probit(p.FAR, s.Attacks()), Probit(p.FRR, s.BonaFide())}
	}
	return points
}

// Probit is the normal deviate of a rate that was observed in n trials, n > 0:
// the quantile of the standard normal distribution. The deviates of 0 and 1 are
// infinite. A rate below half an error, 1/(2n), is drawn there, and a rate above
// 1 - 1/(2n) likewise.
func Probit(rate float64, n int) float64 {
	half := 1 / (2 * float64(n))
	return distuv.UnitNormal.Quantile(min(max(rate, half), 1-half))
}
