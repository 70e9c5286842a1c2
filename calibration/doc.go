// Package calibration holds the rule by which a threshold is chosen for a session, and the files that such a threshold
// can come from.
//
// A [Calibration] is a small JSON file that `liveproof calibrate` writes: a threshold θ on ρ with its interval, the rule
// that chose it, and the evidence that it was chosen on. It holds for one model, whose SHA-256 it names.
//
// # The rule
//
// [Rules.For] takes the first of these that applies:
//
//  1. request: the calibration that the session's creator asked for, by a name of calibration.requests
//  2. tenant: the calibration of the session's tenant in calibration.tenants
//  3. configuration: calibration.default or verdict.threshold; only one of them may be set
//  4. model: the threshold of the model's metadata
//
// A request chooses among names and never gives a number, so that no request can set a threshold that the operator has
// not chosen.
//
// A calibration of another model is refused ([ErrOtherModel]): when the server starts, when the model is replaced, and
// once more for each session. Such a session ends without a verdict.
package calibration
