package liveproof

import "time"

// SessionID names one session: a ULID, 26 characters of Crockford base32.
type SessionID string

// Mode says when a session ends.
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

// DefaultTenant owns the sessions of a configuration whose API key has no name.
const DefaultTenant = "default"

// Session is the record that the store keeps. The API, the store and the signalling each
// have their own encoding of it.
type Session struct {
	ID SessionID
	// Tenant owns the session: the name of the API key that created it.
	Tenant     string
	Mode       Mode
	ExternalID string // the integrator's own name for it; may be empty
	// Calibration is the name of the calibration that the session's creator asked for; empty leaves the choice to the server.
	Calibration string
	// Require is the evidence without which the session does not become live, in the order of Evidences. It begins with passive.
	Require   []Evidence
	State     State
	Verdict   Verdict
	Frames    FrameCounts
	Model     ModelInfo
	Threshold Threshold     // what judges ρ; zero before streaming
	Detector  string        // its name, such as "retinaface" or "retinaface on openvino bf16"; empty before streaming
	Deadline  time.Duration // one-shot: longest streaming time before inconclusive
	CreatedAt time.Time
	ExpiresAt time.Time // when the record is forgotten
	DecidedAt time.Time // zero until terminal
	// ChangedAt is when the state or the verdict's outcome last changed, by the store's clock; zero before the first change.
	ChangedAt time.Time

	// Trace is the W3C traceparent of the span that created the session, with whose trace all go on; empty where nothing is traced.
	Trace string

	// Node is the URL at which clients reach the server that created the session and runs it; empty where servers are not told apart.
	Node string
	// Lease is the claim on the session. While the state is created, it says until
	// when a client may connect. Afterwards the server that owns the connection
	// renews it.
	Lease Lease
}

// Lease is a claim on a session that runs out unless its owner renews it.
type Lease struct {
	// Owner is the server process that runs the session; empty while nobody has connected.
	Owner string
	// Until is when the lease runs out.
	Until time.Time
}

// Lapsed reports whether the session has not ended although its lease has run out
// at now.
func (s Session) Lapsed(now time.Time) bool {
	return !s.State.Terminal() && !now.Before(s.Lease.Until)
}

// Current is the verdict that is valid at now. A session whose lease has run
// out is pending, whatever verdict its record holds.
func (s Session) Current(now time.Time) Verdict {
	if s.Lapsed(now) {
		return Pending()
	}
	return s.Verdict
}

// FrameCounts follows a session's frames through the stages.
type FrameCounts struct {
	Received int64 `json:"received"` // pictures that arrived by RTP, incomplete ones included, or packets of a file
	Decoded  int64 `json:"decoded"`
	Sampled  int64 `json:"sampled"`
	Scored   int64 `json:"scored"`
	Dropped  int64 `json:"dropped"` // at any stage, for any reason
}

// ModelInfo identifies the scorer's model in every session it judged, and what ran it.
type ModelInfo struct {
	Name      string  `json:"name"`
	SHA256    string  `json:"sha256"`
	Threshold float64 `json:"threshold"` // the model's own, from its metadata; Session.Threshold says what judged
	Demo      bool    `json:"demo"`      // trained on rendered attacks, not on licensed benchmark data
	// Provider and Precision are the execution provider and the arithmetic that ran the
	// model, such as openvino and bf16; empty in records of version 0.1.
	Provider  string `json:"provider,omitempty"`
	Precision string `json:"precision,omitempty"`
}

// Ending is how a session ended: all that closes its record.
type Ending struct {
	State   State // terminal
	Verdict Verdict
	// Frames are the counts at the end. All zero keeps the counts that the record holds.
	Frames FrameCounts
	// Samples are the last samples of the timeline, which the store does not hold
	// yet.
	Samples []Sample
}

// Unjudged ends a session that could not be judged, for the reason given.
func Unjudged(why Reason) Ending {
	return Ending{State: why.EndState(), Verdict: Inconclusive(why)}
}

// Judged ends a session with a final verdict. An inconclusive verdict ends it
// in the state that belongs to its first reason.
func Judged(v Verdict, frames FrameCounts) Ending {
	end := Ending{State: StateDecided, Verdict: v, Frames: frames}
	if v.Outcome == OutcomeInconclusive && len(v.Reasons) > 0 {
		end.State = v.Reasons[0].EndState()
	}
	return end
}

// Valid reports whether the ending may be written: a final judgement with a
// score in [0,1], in a terminal state, live and spoof only as decided.
func (e Ending) Valid() bool {
	decision := e.Verdict.Outcome != OutcomeInconclusive
	return e.Verdict.valid() && e.State.Terminal() && (!decision || e.State == StateDecided)
}
