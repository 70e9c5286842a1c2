package liveproof

import "slices"

// Reason is a stable code that says why a sample did not count, why a verdict
// is what it is, or what the person in front of the camera should change. Codes are
// part of the API: they are added to, never renamed.
type Reason string

// The codes. ReasonTable says what each one means.
const (
	ReasonNoFace        Reason = "no_face"
	ReasonMultipleFaces Reason = "multiple_faces"
	ReasonFaceTooSmall  Reason = "face_too_small"
	ReasonFaceCutOff    Reason = "face_cut_off"
	ReasonFaceTurned    Reason = "face_turned"
	ReasonTooDark       Reason = "too_dark"
	ReasonOverexposed   Reason = "overexposed"
	ReasonHazy          Reason = "hazy"
	ReasonBlurred       Reason = "blurred"
	ReasonLowContrast   Reason = "low_contrast"
	ReasonLowBitrate    Reason = "low_bitrate"

	ReasonMotionMissing       Reason = "motion_missing"
	ReasonRigidMotion         Reason = "rigid_motion"
	ReasonChallengeUnanswered Reason = "challenge_unanswered"
	ReasonChallengeFailed     Reason = "challenge_failed"

	ReasonFaceChanged        Reason = "face_changed"
	ReasonSceneCut           Reason = "scene_cut"
	ReasonStreamChanged      Reason = "stream_changed"
	ReasonFrozenPicture      Reason = "frozen_picture"
	ReasonTimestampsBackward Reason = "timestamps_backward"
	ReasonTimestampsJumped   Reason = "timestamps_jumped"
	ReasonPacketLoss         Reason = "packet_loss"
	ReasonLowFrameRate       Reason = "low_frame_rate"
	ReasonInjectionTiming    Reason = "injection_timing"
	ReasonInjectionSuspected Reason = "injection_suspected"
	ReasonSettingsMismatch   Reason = "settings_mismatch"
	ReasonScorerFailed       Reason = "scorer_failed"
	ReasonOverload           Reason = "overload"

	ReasonScoreAbove           Reason = "score_above_threshold"
	ReasonScoreBelow           Reason = "score_below_threshold"
	ReasonScoreNear            Reason = "score_near_threshold"
	ReasonScoreUndecided       Reason = "score_undecided"
	ReasonInsufficientEvidence Reason = "insufficient_evidence"
	ReasonDeadline             Reason = "deadline"
	ReasonDisconnected         Reason = "disconnected"
	ReasonNoMedia              Reason = "no_media"
	ReasonUnsupportedMedia     Reason = "unsupported_media"
	ReasonServerShutdown       Reason = "server_shutdown"
	ReasonServerLost           Reason = "server_lost"
	ReasonInternalError        Reason = "internal_error"
)

// ReasonKind is what a reason is about.
type ReasonKind string

// The kinds.
const (
	KindView    ReasonKind = "view"    // how the face is seen; the person can change it
	KindStream  ReasonKind = "stream"  // the stream, or what the service did with it
	KindVerdict ReasonKind = "verdict" // why a verdict is what it is
)

// Fault is who can change what a reason describes.
type Fault string

// The parties.
const (
	FaultNobody     Fault = "nobody"     // it is a finding, not a fault
	FaultPerson     Fault = "person"     // the person in front of the camera
	FaultIntegrator Fault = "integrator" // the page, app or publisher that sends the video
	FaultNetwork    Fault = "network"    // the connection between client and server
	FaultServer     Fault = "server"     // this service
)

// ReasonInfo is everything that is fixed about one reason. The API's schema,
// the web component, the metrics and docs/reasons.md are made from it.
type ReasonInfo struct {
	Code Reason
	Kind ReasonKind
	// Hint: the person is told while the session runs, because they can do something about it.
	Hint bool
	// Doubt: the stream may not come straight from a camera. A few such samples in a
	// row restart the evidence.
	Doubt bool
	// End is the terminal state of a session that ends inconclusive for this reason.
	End   State
	Fault Fault
	// Meaning is one sentence for the integrator.
	Meaning string
	// Advice is one or two sentences for the person in front of the camera.
	Advice string
}

// ReasonTable returns every reason, in the order of the documentation.
func ReasonTable() []ReasonInfo { return slices.Clone(reasons) }

// Info returns what is fixed about the reason. A code that is not in the table
// comes from a newer version's record and counts as a finding about the
// verdict.
func (r Reason) Info() ReasonInfo {
	if i := slices.IndexFunc(reasons, func(x ReasonInfo) bool { return x.Code == r }); i >= 0 {
		return reasons[i]
	}
	return ReasonInfo{Code: r, Kind: KindVerdict, End: StateDecided, Fault: FaultNobody}
}

// EndState is the terminal state of a session that ends inconclusive for this reason.
func (r Reason) EndState() State { return r.Info().End }

// Doubtful reports whether the reason casts doubt on the stream.
func (r Reason) Doubtful() bool { return r.Info().Doubt }

// Hint reports whether the person in front of the camera is told of the reason.
func (r Reason) Hint() bool { return r.Info().Hint }

var reasons = []ReasonInfo{
	{
		Code: ReasonNoFace, Kind: KindView, Hint: true, End: StateDecided, Fault: FaultPerson,
		Meaning: "No face was found in the picture.",
		Advice:  "Move your face into the oval.",
	},
	{
		Code: ReasonMultipleFaces, Kind: KindView, Hint: true, End: StateDecided, Fault: FaultPerson,
		Meaning: "More than one face was in the picture, so the evidence started again.",
		Advice:  "Make sure you are alone in the picture.",
	},
	{
		Code: ReasonFaceTooSmall, Kind: KindView, Hint: true, End: StateDecided, Fault: FaultPerson,
		Meaning: "The face is smaller than detector.quality.min_size pixels.",
		Advice:  "Come a little closer.",
	},
	{
		Code: ReasonFaceCutOff, Kind: KindView, Hint: true, End: StateDecided, Fault: FaultPerson,
		Meaning: "Part of the face lies outside the picture.",
		Advice:  "Your whole face should be in the picture.",
	},
	{
		Code: ReasonFaceTurned, Kind: KindView, Hint: true, End: StateDecided, Fault: FaultPerson,
		Meaning: "The face is turned away from the camera.",
		Advice:  "Look straight into the camera.",
	},
	{
		Code: ReasonTooDark, Kind: KindView, Hint: true, End: StateDecided, Fault: FaultPerson,
		Meaning: "The face is too dark to be judged.",
		Advice:  "It’s too dark. Turn towards a light.",
	},
	{
		Code: ReasonOverexposed, Kind: KindView, Hint: true, End: StateDecided, Fault: FaultPerson,
		Meaning: "The face is overexposed.",
		Advice:  "Too much light. Turn away from the lamp or window.",
	},
	{
		Code: ReasonHazy, Kind: KindView, Hint: true, End: StateDecided, Fault: FaultPerson,
		Meaning: "A veil of light lies over the face: haze, a dirty lens, or a lamp or window that shines into it.",
		Advice:  "The picture is misty. Wipe the camera lens, and keep lamps and windows out of the picture.",
	},
	{
		Code: ReasonBlurred, Kind: KindView, Hint: true, End: StateDecided, Fault: FaultPerson,
		Meaning: "The face is not sharp enough to be judged.",
		Advice:  "Hold still, or wipe the camera lens.",
	},
	{
		Code: ReasonLowContrast, Kind: KindView, Hint: true, End: StateDecided, Fault: FaultPerson,
		Meaning: "The face has too little contrast to be judged: its detail, motion and sharpness cannot be told from the encoder's noise.",
		Advice:  "The picture is pale. Turn towards a light, or wipe the camera lens.",
	},
	{
		Code: ReasonLowBitrate, Kind: KindView, Hint: true, End: StateDecided, Fault: FaultNetwork,
		Meaning: "The face was encoded too coarsely to be judged: the sender has too little bandwidth, or uses too little. On a scored sample: a small simulcast layer came, and not the sender's largest; such samples prove no attack.",
		Advice:  "The connection is too slow. Move closer to your router, or try another network.",
	},
	{
		Code: ReasonMotionMissing, Kind: KindView, Hint: true, End: StateDecided, Fault: FaultPerson,
		Meaning: "Only the evidence of motion was missing: the face has shown no motion that a photograph does not have.",
		Advice:  "Move your head a little, and blink.",
	},
	{
		Code: ReasonRigidMotion, Kind: KindView, Hint: true, End: StateDecided, Fault: FaultPerson,
		Meaning: "Only the evidence of motion was missing: the face moved as a flat or bent photograph does, and in no other way.",
		Advice:  "Blink, and turn your head a little to both sides.",
	},
	{
		Code: ReasonChallengeUnanswered, Kind: KindView, End: StateDecided, Fault: FaultPerson,
		Meaning: "Only the answer to the challenge was missing: the light of the screen, or the movement, was not seen on the face.",
		Advice:  "Follow the instructions on the screen.",
	},
	{
		Code: ReasonChallengeFailed, Kind: KindView, End: StateDecided, Fault: FaultPerson,
		Meaning: "The challenge was not passed. By light: the colour of the face did not follow the colours that were shown, or too faintly to be seen. By movement: the head made another movement than the one asked for, or at another time. Bright surroundings, a dark screen or a recording can cause it.",
		Advice:  "The answer was not recognised. Do what the screen asks, and avoid bright light.",
	},
	{
		Code: ReasonFaceChanged, Kind: KindStream, End: StateDecided, Fault: FaultPerson,
		Meaning: "The followed face was lost or replaced, so the evidence started again.",
		Advice:  "Stay in the picture until the check is done.",
	},
	{
		Code: ReasonSceneCut, Kind: KindStream, End: StateDecided, Fault: FaultPerson,
		Meaning: "The picture changed to another scene, at once or by a fade, and nothing proved that the same person is in it. So the evidence started again.",
		Advice:  "The picture jumped. Hold the camera still until the check is done.",
	},
	{
		Code: ReasonStreamChanged, Kind: KindStream, End: StateDecided, Fault: FaultNobody,
		Meaning: "The video came from another of the sender’s streams: another simulcast layer, or a new stream after a restart. So the evidence started again.",
		Advice:  "The picture was interrupted. One moment.",
	},
	{
		Code: ReasonFrozenPicture, Kind: KindStream, Hint: true, Doubt: true, End: StateDecided, Fault: FaultPerson,
		Meaning: "The same picture came again, or the stream is a loop.",
		Advice:  "The picture stands still. Move a little.",
	},
	{
		Code: ReasonTimestampsBackward, Kind: KindStream, Doubt: true, End: StateDecided, Fault: FaultIntegrator,
		Meaning: "The stream's timestamps ran backward or stood still.",
		Advice:  "The video stutters. Close other apps that use the camera.",
	},
	{
		Code: ReasonTimestampsJumped, Kind: KindStream, Doubt: true, End: StateDecided, Fault: FaultIntegrator,
		Meaning: "The stream's timestamps jumped to another time, so the evidence started again. Another camera or a sender that resumed can cause it.",
		Advice:  "The video was interrupted. Stay with one camera until the check is done.",
	},
	{
		Code: ReasonPacketLoss, Kind: KindStream, Hint: true, End: StateDecided, Fault: FaultNetwork,
		Meaning: "Pictures were lost or arrived incomplete.",
		Advice:  "The connection is weak. Move closer to your router.",
	},
	{
		Code: ReasonLowFrameRate, Kind: KindStream, End: StateDecided, Fault: FaultIntegrator,
		Meaning: "Pictures came too rarely: they gave less than half of the samples that pipeline.sample_rate asks for. A slow device, a dark room or stalls can cause it.",
		Advice:  "Too few pictures came. Find more light, and close other apps.",
	},
	{
		Code: ReasonInjectionTiming, Kind: KindStream, Doubt: true, End: StateDecided, Fault: FaultIntegrator,
		Meaning: "The stream ran ahead of the server's clock: pictures came faster than a camera delivers them, and not because the sender was catching up.",
		Advice:  "Use this device’s own camera, without camera software.",
	},
	{
		Code: ReasonInjectionSuspected, Kind: KindStream, End: StateDecided, Fault: FaultIntegrator,
		Meaning: "The video looks as if it did not come straight from a camera (injection_risk), or the client's required attestation was not verified. So live was withheld.",
		Advice:  "Use this device’s own camera, without camera software.",
	},
	{
		Code: ReasonSettingsMismatch, Kind: KindStream, End: StateDecided, Fault: FaultIntegrator,
		Meaning: "The camera delivers other settings than it was asked for. Reserved: it is counted in liveproof_settings_mismatch_total, and no verdict carries it yet.",
		Advice:  "Use this device’s own camera, without camera software.",
	},
	{
		Code: ReasonScorerFailed, Kind: KindStream, End: StateDecided, Fault: FaultServer,
		Meaning: "The model failed on this picture: an error, NaN, or ρ outside [0,1].",
		Advice:  "One moment, we’re looking again.",
	},
	{
		Code: ReasonOverload, Kind: KindStream, End: StateDecided, Fault: FaultServer,
		Meaning: "The server had no capacity for this picture.",
		Advice:  "One moment, the service is busy.",
	},
	{
		Code: ReasonScoreAbove, Kind: KindVerdict, End: StateDecided, Fault: FaultNobody,
		Meaning: "The smoothed score stayed above the threshold: live.",
		Advice:  "A person was in front of the camera.",
	},
	{
		Code: ReasonScoreBelow, Kind: KindVerdict, End: StateDecided, Fault: FaultNobody,
		Meaning: "The smoothed score stayed below the threshold: spoof.",
		Advice:  "The picture did not look like a person in front of the camera.",
	},
	{
		Code: ReasonScoreNear, Kind: KindVerdict, End: StateDecided, Fault: FaultPerson,
		Meaning: "Enough pictures were scored, but most of the scores lie within verdict.margin of the threshold.",
		Advice:  "We were not certain. Even light helps.",
	},
	{
		Code: ReasonScoreUndecided, Kind: KindVerdict, End: StateDecided, Fault: FaultPerson,
		Meaning: "Enough pictures were scored, but their scores do not agree: they were neither above nor below the threshold for long enough.",
		Advice:  "The pictures did not agree. Hold still in even light, without reflections.",
	},
	{
		Code: ReasonInsufficientEvidence, Kind: KindVerdict, End: StateDecided, Fault: FaultPerson,
		Meaning: "Too few pictures could be scored, or over too short a time. If another reason stands beside this one, it says why.",
		Advice:  "We saw too little of your face.",
	},
	{
		Code: ReasonDeadline, Kind: KindVerdict, End: StateDecided, Fault: FaultPerson,
		Meaning: "The session's deadline passed before a decision.",
		Advice:  "The time was up before we could decide.",
	},
	{
		Code: ReasonDisconnected, Kind: KindVerdict, End: StateExpired, Fault: FaultNetwork,
		Meaning: "The client left, or the connection was lost, before a decision.",
		Advice:  "The connection was lost.",
	},
	{
		Code: ReasonNoMedia, Kind: KindVerdict, End: StateExpired, Fault: FaultNetwork,
		Meaning: "Nobody connected, no video arrived, or it stopped arriving.",
		Advice:  "No video arrives. A firewall may block it; try another network.",
	},
	{
		Code: ReasonUnsupportedMedia, Kind: KindVerdict, End: StateFailed, Fault: FaultIntegrator,
		Meaning: "The offer or the video cannot be used: a codec or a picture size that is not supported.",
		Advice:  "Your browser’s video could not be read. Try another browser.",
	},
	{
		Code: ReasonServerShutdown, Kind: KindVerdict, End: StateExpired, Fault: FaultServer,
		Meaning: "The server was shut down before a decision.",
		Advice:  "The service is restarting. Try again in a minute.",
	},
	{
		Code: ReasonServerLost, Kind: KindVerdict, End: StateExpired, Fault: FaultServer,
		Meaning: "The server that ran the session stopped answering, so another one ended it.",
		Advice:  "The service was interrupted. Try again in a minute.",
	},
	{
		Code: ReasonInternalError, Kind: KindVerdict, End: StateFailed, Fault: FaultServer,
		Meaning: "The service failed; its log has the cause under the session's id.",
		Advice:  "Something went wrong on our side.",
	},
}
