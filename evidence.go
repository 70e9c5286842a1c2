package liveproof

import (
	"slices"
	"time"
)

// Evidence is a kind of evidence that a verdict can require. No kind makes a verdict live by itself: each that is required and
// not given keeps it from becoming live.
type Evidence string

// The kinds of evidence.
const (
	// EvidencePassive is ρ over time: what the scorer sees in the face.
	EvidencePassive Evidence = "passive"
	// EvidenceMotion is motion of the face that a plane does not have: eyes, mouth, or the depth of the head.
	EvidenceMotion Evidence = "motion"
	// EvidenceFlash is the face's colour that follows a secret sequence of colours on the client's screen.
	EvidenceFlash Evidence = "flash"
	// EvidenceTurn is movements of the head in an order that the server has drawn.
	EvidenceTurn Evidence = "turn"
)

// Evidences returns the kinds in the order of the documentation.
func Evidences() []Evidence {
	return []Evidence{EvidencePassive, EvidenceMotion, EvidenceFlash, EvidenceTurn}
}

// Known reports whether e is one of the kinds.
func (e Evidence) Known() bool { return slices.Contains(Evidences(), e) }

// Challenge reports whether the person is asked to do something for this kind of evidence.
func (e Evidence) Challenge() bool { return e == EvidenceFlash || e == EvidenceTurn }

// Lack is the reason of a session that lacks this kind of evidence and no other.
func (e Evidence) Lack() Reason {
	switch e {
	case EvidenceMotion:
		return ReasonMotionMissing
	case EvidenceFlash, EvidenceTurn:
		return ReasonChallengeUnanswered
	}
	return ReasonInsufficientEvidence
}

// View is one sampled picture in which exactly one person was found, as an examiner of evidence sees it. The images are
// borrowed: they are valid until the call returns.
type View struct {
	// Seq is the sample's number. Where one is left out, no person, several, or nothing at all was seen in between.
	Seq int64
	// T is the sample's stream time.
	T time.Duration
	// Image is the whole picture, 8-bit RGB.
	Image *Image
	// Face is the followed face in Image, with landmarks where the detector gives them.
	Face Face
	// Pose is how the head is turned; nil where the detector gives no landmarks.
	Pose *Pose
	// Track is the followed identity, from 1.
	Track int
	// Cut says whether another scene may have begun since the last view.
	Cut Cut
	// Restarts counts how often the verdict's evidence had started again when the view was shown. What was gathered before counts no
	// more. The count may be some samples late.
	Restarts int
	// Reasons say why the sample will not be scored; empty if it will.
	Reasons []Reason
}

// Cut is how surely another scene begins between two neighbouring pictures of a stream.
type Cut int

// The degrees.
const (
	CutNone   Cut = iota
	CutLikely     // a cut, or a large motion such as an arm raised before the camera
	CutSure
)

// Finding is what an examiner of evidence concludes from a view and those before it.
type Finding struct {
	// Given are the kinds of evidence that are complete with this view.
	Given []Evidence
	// Reasons withhold or restart: Reason.Info says what each does.
	Reasons []Reason
	// Doubt asks for more samples: a call that is sampled rarely is sampled at the full rate again.
	Doubt bool
	// Unsettled: whether the person is still the same cannot be said of this view. No decision rests on it, nor on those after it until the
	// finding of a later one is settled. The watcher of identity sets it; examiners of evidence leave it false.
	Unsettled bool
	// Signals are measured values by name, for the timeline.
	Signals map[string]float64
	// Ask is a challenge that the client is to be told now; nil asks nothing.
	Ask *Challenge
	// Later is the rest of the finding, which is not known yet; nil: this is all. No decision rests on the view before it is told.
	Later *Later
}

// Later is a finding that comes after its view has gone on: its reasons are those of the next sample that is judged. It is safe for
// concurrent use.
type Later struct {
	told    chan struct{}
	finding Finding
}

// NewLater is a finding that is not told yet.
func NewLater() *Later { return &Later{told: make(chan struct{})} }

// Tell gives the finding, once.
func (l *Later) Tell(f Finding) {
	l.finding = f
	close(l.told)
}

// Told is closed by Tell.
func (l *Later) Told() <-chan struct{} { return l.told }

// Finding is what was told; false before that.
func (l *Later) Finding() (f Finding, told bool) {
	select {
	case <-l.told:
		return l.finding, true
	default:
		return f, false
	}
}
