// Package verdict folds the samples of one session into a verdict. It is pure:
// no clock, no I/O, no goroutine. The same policy, mode and samples always give
// the same verdict, so a stored timeline can be judged again years later.
//
// # Score
//
// Samples i = 1…n since the last restart of evidence come at stream times tᵢ
// with score ρᵢ ∈ [0,1] (Kwak et al., Eq. 4) and weight wᵢ ∈ (0,1]. The smoothed
// score is a weighted mean with an exponential kernel of time constant τ:
//
//	s(tₙ) = Σ wᵢ ρᵢ e^{-(tₙ-tᵢ)/τ} / Σ wᵢ e^{-(tₙ-tᵢ)/τ}
//
// which is kept as two running sums. It is a convex combination of the ρᵢ, so it
// stays in [0,1], does not depend on the sampling rate, and never falls when any
// ρᵢ rises. The same mean with time constant MinSpan is taken of the indicator
// ρᵢ ≥ θ (agreement) and of "this sample is doubtful" (doubt).
//
// # Decision
//
// With threshold θ and margin m (m is cut to half the distance to 0 or 1), a
// session is `live` at a scored sample when all of this holds:
//
//   - n ≥ MinSamples and tₙ-t₁ ≥ MinSpan (minimum evidence)
//   - s > θ+m at every scored sample of the last Hold, these being no
//     further apart than MaxGap (silence is not agreement)
//   - agreement ≥ 1-MaxDissent (a mix of bona fide and attack pictures does not
//     pass on its mean)
//   - ρₙ > θ: the smoothed score lags, nobody passes while scores are falling
//   - doubt ≤ ½
//
// and `spoof` when the mirror image holds: s < θ-m, agreement ≤ MaxDissent, ρₙ < θ.
// A sample that was scored in spite of low_bitrate (it comes from a small copy of pictures that the sender has in a larger size) counts
// for live and not for spoof: where the conditions of spoof hold and more than half of the evidence, as a mean with time constant
// MinSpan, are such samples, a one-shot session ends as inconclusive at once, and a call is not live.
//
// Every condition is monotone in every ρᵢ: raising scores can never turn live
// into spoof.
//
// One-shot (onboarding): the first such decision is final; without one the
// session is `inconclusive` at Deadline. Call mode is never final while the call
// lasts: live stands until s < θ-Hysteresis (then pending), a restart of
// evidence (pending), or the conditions of spoof.
//
// # Required evidence
//
// live also needs every kind of evidence in Require, each given by a sample since the last restart (Sample.Evidence). A kind that is
// missing keeps a session pending, and never makes it spoof. passive is the rule above. A sample with the reason challenge_failed or
// challenge_unanswered ends a one-shot session as inconclusive: no further challenge is asked.
//
// # Unsettled samples
//
// A sample that was judged before identity had its answer, or of which identity cannot say whether the person is still the same
// (Sample.Unsettled), counts as evidence, and no decision rests on it: at such a sample a session becomes neither live nor spoof. A call
// that stands at live stays so, until the evidence restarts or s < θ-Hysteresis.
//
// # Restart of evidence
//
// Whatever puts identity in doubt throws the evidence away and carries its
// reason: another track, another face or scene (face_changed, scene_cut), several faces, a jump of the stream's time, MaxDoubt doubtful samples in a row
// (frozen or looping picture, time running backward, impossible timing), or no
// scored sample for RestartGap.
//
// # Reasons of an end without a decision
//
// The first reason says why the session ended (deadline, disconnected, …), unless it ended for lack of evidence itself. The next one says
// what prevented a decision:
//
//   - motion_missing, challenge_unanswered: the conditions of live hold, and required evidence was not given
//   - score_near_threshold: there is enough evidence, and more than half of it, as a mean with time constant MinSpan, has ρ in [θ-m, θ+m]
//   - score_undecided: there is enough evidence, most of it is not near the threshold, and its scores do not agree on a side
//   - insufficient_evidence: too few samples, over too short a time, in doubt, or with gaps. Before it stands the reason for which most samples did not
//     count (unscored, or from before a restart), if it concerns at least a tenth of all samples
//
// # Failing closed
//
// A score or weight that is NaN, infinite or out of range counts as
// scorer_failed. A sample whose time does not advance counts as
// timestamps_backward. Neither is evidence. Missing evidence is never spoof, and
// only a scored sample can bring live.
package verdict
