// Package liveproof holds the domain types of the liveness service: what a
// face presentation is, how it is judged and how a session ends. It imports
// the standard library only; every other package may import it.
//
// Terms follow ISO/IEC 30107-3: a bona fide presentation is a living person
// before the camera, an attack presentation is a print, a screen, a cut-out or
// a mask. ρ ("rho") is the expected liveness score of Kwak et al., Eq. 4, in
// [0,1]: 0 is an attack presentation, 1 is bona fide.
package liveproof

import (
	"errors"
	"time"
)

// SessionID names one session: a ULID, 26 characters of Crockford base32.
type SessionID string

// Mode is how a session ends.
type Mode string

const (
	// ModeOnboarding is one-shot: the first verdict is final.
	ModeOnboarding Mode = "onboarding"
	// ModeCall is continuous: the verdict follows the evidence until the call ends.
	ModeCall Mode = "call"
)

// State is where a session is in its life. created → connecting → streaming →
// one of the terminal states decided, expired, failed.
type State string

// The session states, in the order in which a session passes them.
const (
	StateCreated    State = "created"
	StateConnecting State = "connecting"
	StateStreaming  State = "streaming"
	StateDecided    State = "decided"
	StateExpired    State = "expired"
	StateFailed     State = "failed"
)

// Terminal reports whether a session in this state never changes again.
func (s State) Terminal() bool {
	return s == StateDecided || s == StateExpired || s == StateFailed
}

// Outcome is the judgement itself.
type Outcome string

// The outcomes. Missing evidence is inconclusive, never spoof; an error is
// never live.
const (
	OutcomePending      Outcome = "pending"
	OutcomeLive         Outcome = "live"
	OutcomeSpoof        Outcome = "spoof"
	OutcomeInconclusive Outcome = "inconclusive"
)

// Verdict is a judgement with its grounds.
type Verdict struct {
	Outcome Outcome `json:"verdict"`
	// Score is the smoothed ρ in [0,1]; 0 before the first scored sample.
	Score float64 `json:"score"`
	// Reasons are the grounds, most important first; stable codes.
	Reasons []Reason `json:"reasons"`
	// Scored counts the samples the verdict rests on since the last restart of evidence.
	Scored int `json:"scored"`
	// Final is true when no later sample can change the outcome.
	Final bool `json:"final"`
	// At is the stream time at which the outcome was reached, from the first picture.
	At time.Duration `json:"at"`
}

// Sample is one sampled frame and what became of it: either scored (Scored is
// true, Rho and Weight count) or not, with the reason why. Samples in order
// are the session's timeline, from which the verdict can be recomputed.
type Sample struct {
	// Seq counts sampled frames of a session from 1.
	Seq int64 `json:"seq"`
	// T is the frame's presentation time from the first picture, ≥ 0.
	T time.Duration `json:"t"`
	// Scored tells whether Rho holds a score.
	Scored bool `json:"scored"`
	// Rho is the expected liveness score in [0,1].
	Rho float64 `json:"rho"`
	// Weight in (0,1] from face size, blur and exposure.
	Weight float64 `json:"weight"`
	// Track is the identity of the followed face, from 1; 0 without a face.
	// A change means that the evidence restarts.
	Track int `json:"track"`
	// Reasons say why a sample was not scored, or what lowers its trust.
	Reasons []Reason `json:"reasons,omitempty"`
}

// FrameCounts follows a session's frames through the stages.
type FrameCounts struct {
	Received int64 `json:"received"` // access units reassembled from RTP, or packets of a file
	Decoded  int64 `json:"decoded"`
	Sampled  int64 `json:"sampled"`
	Scored   int64 `json:"scored"`
	Dropped  int64 `json:"dropped"` // at any stage, for any reason
}

// ModelInfo identifies the scorer's model in every session it judged.
type ModelInfo struct {
	Name      string  `json:"name"`
	SHA256    string  `json:"sha256"`
	Threshold float64 `json:"threshold"` // decision threshold on ρ, from a dev set
	Demo      bool    `json:"demo"`      // trained on rendered attacks, not on licensed benchmark data
}

// Session is the record that the store keeps and the API returns.
type Session struct {
	ID         SessionID     `json:"id"`
	Mode       Mode          `json:"mode"`
	ExternalID string        `json:"external_id,omitempty"`
	State      State         `json:"state"`
	Verdict    Verdict       `json:"-"`
	Frames     FrameCounts   `json:"frames"`
	Model      ModelInfo     `json:"model"`
	Detector   string        `json:"detector"` // "retinaface" or "haar"
	Deadline   time.Duration `json:"-"`        // one-shot: longest streaming time before inconclusive
	CreatedAt  time.Time     `json:"created_at"`
	ExpiresAt  time.Time     `json:"expires_at"` // the record's end of life
	DecidedAt  time.Time     `json:"decided_at"` // zero until terminal
}

// Errors that cross package boundaries; test with errors.Is.
var (
	// ErrNotFound: no such session, or it expired.
	ErrNotFound = errors.New("session not found")
	// ErrConflict: the session is not in a state that allows this.
	ErrConflict = errors.New("session state conflict")
	// ErrTokenUsed: the client token has opened its one connection already.
	ErrTokenUsed = errors.New("client token already used")
	// ErrDecided: the verdict is written; it is written once.
	ErrDecided = errors.New("verdict already written")
	// ErrIdempotencyMismatch: the same Idempotency-Key came with another request.
	ErrIdempotencyMismatch = errors.New("idempotency key reused with a different request")
	// ErrUnavailable: a dependency (Redis, scorer) does not answer; try again later.
	ErrUnavailable = errors.New("dependency unavailable")
	// ErrOverloaded: no capacity for this work now.
	ErrOverloaded = errors.New("overloaded")
	// ErrScoreInvalid: the model returned NaN or ρ outside [0,1].
	ErrScoreInvalid = errors.New("score is not a number in [0,1]")
	// ErrPictureTooLarge: a picture is above the pixel cap.
	ErrPictureTooLarge = errors.New("picture exceeds the pixel cap")
	// ErrUnsupportedCodec: the stream's codec is not one of VP8, VP9, H.264, AV1.
	ErrUnsupportedCodec = errors.New("unsupported codec")
	// ErrIdle: the peer sent nothing for too long.
	ErrIdle = errors.New("no media received")
)
