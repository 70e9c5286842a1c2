package liveproof

import (
	"encoding/json"
	"math"
	"slices"
	"time"
)

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

// Result is an outcome in the words that clients are told.
type Result string

// The results. Whatever is no clear verdict is a retry.
const (
	ResultPass  Result = "pass"
	ResultRetry Result = "retry"
	ResultFail  Result = "fail"
)

// Result is what a client is told of the outcome.
func (o Outcome) Result() Result {
	switch o {
	case OutcomeLive:
		return ResultPass
	case OutcomeSpoof:
		return ResultFail
	}
	return ResultRetry
}

// Verdict is a judgement with its reasons.
type Verdict struct {
	Outcome Outcome
	// Score is the smoothed ρ in [0,1]; 0 before the first scored sample.
	Score float64
	// Reasons say why, most important first.
	Reasons []Reason
	// Evidence is what was given since the last restart of evidence, in the order of Evidences.
	Evidence []Evidence
	// Injection is the risk that the video does not come straight from a camera: the largest of a one-shot session, the newest of a call.
	Injection Injection
	// Scored counts the samples the verdict rests on since the last restart of evidence.
	Scored int
	// Final is true when no later sample can change the outcome.
	Final bool
	// At is the stream time at which the outcome was reached, from the first picture.
	At time.Duration
}

// Pending is the verdict of a session without enough evidence so far.
func Pending() Verdict { return Verdict{Outcome: OutcomePending, Reasons: []Reason{}} }

// Inconclusive is the final verdict of a session that could not be decided.
func Inconclusive(why ...Reason) Verdict {
	return Verdict{Outcome: OutcomeInconclusive, Reasons: append([]Reason{}, why...), Final: true}
}

// Withheld returns what a client may be told instead of a verdict that could
// not be recorded: the same evidence, inconclusive.
func (v Verdict) Withheld() Verdict {
	v.Outcome, v.Reasons, v.Final = OutcomeInconclusive, []Reason{ReasonInternalError}, true
	return v
}

// Equal reports whether two verdicts say the same in every field.
func (v Verdict) Equal(o Verdict) bool {
	return v.Outcome == o.Outcome && v.Score == o.Score && v.Scored == o.Scored && v.Final == o.Final &&
		v.At == o.At && v.Injection == o.Injection && slices.Equal(v.Reasons, o.Reasons) && slices.Equal(v.Evidence, o.Evidence)
}

func (v Verdict) valid() bool {
	known := v.Outcome == OutcomeLive || v.Outcome == OutcomeSpoof || v.Outcome == OutcomeInconclusive
	return known && v.Final && v.Score >= 0 && v.Score <= 1 // NaN is in no range
}

// verdictJSON is a verdict as it is stored, with its time in seconds.
type verdictJSON struct {
	Outcome  Outcome    `json:"verdict"`
	Score    float64    `json:"score"`
	Reasons  []Reason   `json:"reasons"`
	Evidence []Evidence `json:"evidence,omitempty"`
	Inject   Injection  `json:"injection,omitzero"`
	Scored   int        `json:"scored"`
	Final    bool       `json:"final"`
	At       float64    `json:"at"`
}

// MarshalJSON implements json.Marshaler. A score that JSON cannot carry is an error.
func (v Verdict) MarshalJSON() ([]byte, error) {
	return json.Marshal(verdictJSON{v.Outcome, v.Score, listed(v.Reasons), v.Evidence, v.Injection, v.Scored, v.Final, v.At.Seconds()})
}

// UnmarshalJSON implements json.Unmarshaler.
func (v *Verdict) UnmarshalJSON(b []byte) error {
	var j verdictJSON
	err := json.Unmarshal(b, &j)
	*v = Verdict{j.Outcome, j.Score, j.Reasons, j.Evidence, j.Inject, j.Scored, j.Final, fromSeconds(j.At)}
	return err
}

// listed turns nil into an empty list, which JSON writes as [].
func listed(reasons []Reason) []Reason {
	if reasons == nil {
		return []Reason{}
	}
	return reasons
}

// fromSeconds undoes time.Duration.Seconds, to the nanosecond for up to 100 days.
func fromSeconds(s float64) time.Duration { return time.Duration(math.Round(s * 1e9)) }
