package metrics

import (
	"fmt"
	"math"
	"sort"
)

// gridSteps is how many steps of the published grid lie between 0 and 1; one more threshold is gridEnd.
const (
	gridSteps = 10000
	gridEnd   = 1.1
)

// Grid is the equal-error point of SSDG and FLIP: over the thresholds 0,
// 0.0001, … 1 and 1.1 the last minimum of |FRR - FAR|.
func (s *Set) Grid() Point {
	least, best := math.Inf(1), Point{}
	for i := range gridSteps + 2 {
		threshold := gridEnd
		if i <= gridSteps {
			threshold = float64(i) / gridSteps
		}
		p := s.At(threshold)
		if distance := math.Abs(p.FRR - p.FAR); distance <= least {
			least, best = distance, p
		}
	}
	return best
}

// SSAN is the equal-error point of SSAN: on the ROC curve without the points
// that lie on a straight line between their neighbours, from the highest
// threshold downwards, the first minimum of |TPR + FPR - 1|.
func (s *Set) SSAN() Point { return s.rocCurve(true).balance() }

// SAFAS is the equal-error point of SA-FAS: as SSAN, on the whole ROC curve.
func (s *Set) SAFAS() Point { return s.rocCurve(false).balance() }

// IADG is the equal-error point of IADG: the root x of 1 - x - TPR(x), with TPR
// interpolated linearly over FPR, and the threshold interpolated at x. Only a
// score above the threshold is accepted, so the rates are not those of [Set.At].
// The root often lies on an upright piece of the curve, where the last bits of x
// decide between thresholds: the method and tolerances are SciPy's brentq. It
// fails with [ErrNotFinite] where the interpolated threshold overflows.
func (s *Set) IADG() (Point, error) {
	roc := s.rocCurve(true)
	x, err := brent(func(x float64) float64 { return 1 - x - interpolate(x, roc.fpr, roc.tpr) }, 0, 1)
	if err != nil {
		return Point{}, err
	}
	threshold := interpolate(x, roc.fpr, roc.thresholds)
	if err := finite([]float64{threshold}); err != nil {
		return Point{}, fmt.Errorf("scores too far apart to interpolate between: %w", err)
	}
	above := sort.Search(len(s.values), func(i int) bool { return s.values[i] > threshold })
	far, frr := s.rates(above)
	return Point{threshold, far, frr}, nil
}

// roc is a ROC curve by falling threshold, as scikit-learn's roc_curve gives it.
type roc struct{ fpr, tpr, thresholds []float64 }

// rocCurve begins where nothing is accepted, at the threshold of the largest
// score + 1: that is scikit-learn before version 1.3, which the published code
// used; later versions have +∞ there. With drop, points on a straight line
// between their neighbours are left out (drop_intermediate).
func (s *Set) rocCurve(drop bool) roc {
	last := len(s.values) - 1
	r := roc{[]float64{0}, []float64{0}, []float64{s.values[last] + 1}}
	for i := last; i >= 0; i-- {
		if drop && 0 < i && i < last && s.straight(i) {
			continue
		}
		r.fpr = append(r.fpr, float64(s.accepted[i])/float64(s.Attacks()))
		r.tpr = append(r.tpr, float64(s.BonaFide()-s.rejected[i])/float64(s.BonaFide()))
		r.thresholds = append(r.thresholds, s.values[i])
	}
	return r
}

// straight reports whether the ROC goes on at this threshold by the same step as it came.
func (s *Set) straight(i int) bool {
	return s.accepted[i-1]-s.accepted[i] == s.accepted[i]-s.accepted[i+1] &&
		s.rejected[i-1]-s.rejected[i] == s.rejected[i]-s.rejected[i+1]
}

// balance is the first minimum of |TPR + FPR - 1|.
func (r roc) balance() Point {
	least, best := math.Inf(1), 0
	for i := range r.fpr {
		if distance := math.Abs(r.tpr[i] + r.fpr[i] - 1); distance < least {
			least, best = distance, i
		}
	}
	return Point{r.thresholds[best], r.fpr[best], 1 - r.tpr[best]}
}

// interpolate is y at x by straight lines between the points whose abscissae xs
// do not fall; where several are equal to x, the last counts (numpy.interp). x
// lies between the first and the last.
func interpolate(x float64, xs, ys []float64) float64 {
	i := sort.Search(len(xs), func(i int) bool { return xs[i] > x }) - 1
	if xs[i] == x {
		return ys[i]
	}
	slope := (ys[i+1] - ys[i]) / (xs[i+1] - xs[i])
	return float64(slope*(x-xs[i])) + ys[i] // rounded twice on every processor: no fused multiply-add
}
