// Package metrics computes the error rates of face presentation attack
// detection by ISO/IEC 30107-3, with intervals, from scores and from verdicts.
//
// # Conventions
//
// A score is the degree to which a presentation looks bona fide: higher means
// more bona fide. A score at the threshold or above it (s ≥ t) is accepted as
// bona fide. Every rate is in [0,1], never in percent.
//
//	APCER  attack presentation classification error rate: accepted attacks / attacks, of one species (PAI)
//	BPCER  bona fide presentation classification error rate: rejected bona fide / bona fide
//	ACER   (APCER + BPCER) / 2
//	APNRR  attack presentation non-response rate: attacks without a decision / attacks
//	BPNRR  bona fide presentation non-response rate: bona fide without a decision / bona fide
//
// In the words of the benchmark literature FAR is APCER over all attacks
// whatever their species, FRR is BPCER, and HTER is (FAR + FRR) / 2. TPR is
// 1 - FRR and FPR is FAR.
//
// # Agreement with the trainer
//
// The trainer has the same rates in Python (liveproof_training/metrics.py and
// evaluation/published.py). testdata/golden.json holds what that code gives,
// and the tests demand that this package agrees to the bit. To that end
// thresholds are compared in whole numbers where the trainer does so, and the
// order of floating-point operations is the trainer's elsewhere.
//
// # Equal-error thresholds
//
// [Set.EERPoint] is the rule of this project's tables: over every distinct
// score and +∞ as thresholds the least |FAR - FRR|, of equals the smaller HTER,
// of those the lowest threshold. [Set.EqualError] lies midway between
// neighbouring scores; a model carries such a threshold.
//
// Published code differs in what it takes for the equal-error threshold; a
// figure can be compared to the bit only by the same rule:
//
//   - SSDG and FLIP ([Set.Grid]): thresholds 0, 0.0001, … 1 and 1.1; the last minimum of |FRR - FAR|.
//   - SSAN ([Set.SSAN]): scikit-learn's roc_curve with drop_intermediate=True, from the highest threshold downwards; the
//     first minimum of |TPR + FPR - 1|.
//   - SA-FAS ([Set.SAFAS]): the same with drop_intermediate=False.
//   - IADG ([Set.IADG]): the root of 1 - x - TPR(x) on the linearly interpolated ROC curve by Brent's method, and the
//     threshold interpolated there; accepted only above the threshold (s > t).
//
// # Errors
//
// A rate that is not defined is an error, never NaN: [ErrSingleClass],
// [ErrNotFinite], [ErrEmpty], [ErrOutOfRange].
package metrics
