// Package calibrate chooses a threshold on ρ from the scores of a development set, with its interval.
//
// A score is the mean of ρ over a video. A presentation is accepted as bona fide at a score of θ or more. With the error
// rates of ISO/IEC 30107-3 (package metrics) the rules are:
//
//   - bpcer X: the highest θ with BPCER(θ) ≤ X. It is the score of a bona fide presentation: any higher θ rejects that
//     presentation and all others of the same score.
//   - apcer X: the lowest of the scores, of whatever presentation, as θ with APCER(θ) ≤ X for the worst attack
//     instrument species.
//   - eer: where BPCER and the APCER over all attacks, whatever their species, are closest, midway between two scores
//     ([metrics.Set.EqualError], the rule by which a model's own threshold is chosen).
//
// Intervals are percentile intervals of a bootstrap that draws whole subjects, because the videos of one person are
// alike. That of θ chooses θ anew in each resample. Those of BPCER and APCER keep θ; where no error, or nothing
// but errors, was counted the bootstrap has no width, and the interval is that of Clopper and Pearson with the number of
// subjects as the number of trials.
package calibrate
