package liveproof

// Reason is a stable code that says why a sample did not count, why a verdict
// is what it is, or what the person before the camera should change. Codes are
// part of the API: they are added to, never renamed.
type Reason string

// Why a sample was not scored; each is also a hint to the person.
const (
	ReasonNoFace        Reason = "no_face"
	ReasonMultipleFaces Reason = "multiple_faces"
	ReasonFaceTooSmall  Reason = "face_too_small"
	ReasonFaceCutOff    Reason = "face_cut_off" // the box leaves the picture
	ReasonFaceTurned    Reason = "face_turned"
	ReasonTooDark       Reason = "too_dark"
	ReasonOverexposed   Reason = "overexposed"
	ReasonBlurred       Reason = "blurred"
)

// What puts the evidence or the stream in doubt.
const (
	// ReasonFaceChanged: the track broke; evidence restarted.
	ReasonFaceChanged Reason = "face_changed"
	// ReasonFrozenPicture: the same picture again (also a loop); it is counted once.
	ReasonFrozenPicture Reason = "frozen_picture"
	// ReasonTimestampsBackward: media time ran backward or stood still.
	ReasonTimestampsBackward Reason = "timestamps_backward"
	// ReasonPacketLoss: pictures were lost or incomplete.
	ReasonPacketLoss Reason = "packet_loss"
	// ReasonInjectionTiming: frame timing or sensor noise is not a camera's.
	ReasonInjectionTiming Reason = "injection_timing"
	// ReasonSettingsMismatch: the delivered picture is not what the camera was
	// asked for. Reserved: no verdict carries it yet; what clients report is only
	// counted (liveproof_settings_mismatch_total).
	ReasonSettingsMismatch Reason = "settings_mismatch"
	// ReasonScorerFailed: the model failed on this sample (error, NaN, ρ out of range).
	ReasonScorerFailed Reason = "scorer_failed"
	// ReasonOverload: the server dropped this sample.
	ReasonOverload Reason = "overload"
)

// Why a verdict is what it is.
const (
	ReasonScoreAbove           Reason = "score_above_threshold"
	ReasonScoreBelow           Reason = "score_below_threshold"
	ReasonScoreUndecided       Reason = "score_near_threshold"
	ReasonInsufficientEvidence Reason = "insufficient_evidence"
	ReasonDeadline             Reason = "deadline"
	ReasonDisconnected         Reason = "disconnected"
	ReasonNoMedia              Reason = "no_media"
	ReasonUnsupportedMedia     Reason = "unsupported_media"
	ReasonServerShutdown       Reason = "server_shutdown"
	ReasonInternalError        Reason = "internal_error"
)

// EndState is the terminal state of a session that ends without a decision for
// this reason: failed when something broke, expired when the client did not
// stay for a judgement, else decided.
func (r Reason) EndState() State {
	switch r {
	case ReasonInternalError, ReasonUnsupportedMedia:
		return StateFailed
	case ReasonNoMedia, ReasonDisconnected, ReasonServerShutdown:
		return StateExpired
	}
	return StateDecided
}
