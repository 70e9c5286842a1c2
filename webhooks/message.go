package webhooks

import (
	"encoding/json"
	"strconv"
	"strings"
	"time"

	"github.com/liveproof/liveproof"
)

// Type is what a message tells.
type Type string

// The types.
const (
	SessionDecided Type = "session.decided" // the session ended with a verdict
	SessionExpired Type = "session.expired" // it ended because nobody connected, no media came or its server was lost
	SessionFailed  Type = "session.failed"  // it ended because of an error
	CallChanged    Type = "call.changed"    // a running call has another verdict
	CallLost       Type = "call.lost"       // a call ended because its server was lost
)

// payload is the body of a message (Standard Webhooks: type, timestamp, data).
type payload struct {
	Type      Type      `json:"type"`
	Timestamp time.Time `json:"timestamp"`
	Data      data      `json:"data"`
}

// data tells of a session what its signed result tells: never ρ or θ.
type data struct {
	ID         liveproof.SessionID `json:"id"`
	Tenant     string              `json:"tenant"`
	ExternalID string              `json:"external_id"`
	Mode       liveproof.Mode      `json:"mode"`
	State      liveproof.State     `json:"state"`
	Verdict    liveproof.Outcome   `json:"verdict"`
	Result     liveproof.Result    `json:"result"`
	Reasons    []liveproof.Reason  `json:"reasons"`
	// Evidence is what the result of an ended session rests on.
	Evidence []liveproof.Evidence `json:"evidence,omitempty"`
	// DecidedAt is when the session ended; nil while it runs.
	DecidedAt *time.Time `json:"decided_at"`
	// Model and Threshold are absent where no picture came.
	Model     *liveproof.JudgingModel     `json:"model,omitempty"`
	Threshold *liveproof.JudgingThreshold `json:"threshold,omitempty"`
	// Number counts the changes of the session, and so tells their order; absent for those of a version that counted none.
	Number int64 `json:"number,omitempty"`
}

// letter is a delivery's body: a message, its receiver and how often it was sent.
type letter struct {
	ID       string          `json:"id"` // header webhook-id
	Tenant   string          `json:"tenant"`
	Type     Type            `json:"type"`
	Session  string          `json:"session"`
	Payload  json.RawMessage `json:"payload"`
	Trace    string          `json:"trace,omitempty"` // traceparent of the session
	Attempts int             `json:"attempts"`
	Error    string          `json:"error,omitempty"` // of the last attempt
	Sent     time.Time       `json:"sent,omitzero"`   // the last attempt
}

// typeOf is the type of the message about a change; false when nobody is told of it.
func typeOf(change liveproof.Change, s liveproof.Session) (Type, bool) {
	call := s.Mode == liveproof.ModeCall
	switch change.Event {
	case string(liveproof.StateDecided):
		return SessionDecided, true
	case string(liveproof.StateFailed):
		return SessionFailed, true
	case string(liveproof.StateExpired):
		for _, reason := range s.Verdict.Reasons {
			if call && reason == liveproof.ReasonServerLost {
				return CallLost, true
			}
		}
		return SessionExpired, true
	case liveproof.ChangeVerdict:
		return CallChanged, call
	}
	return "", false
}

// letterOf makes the message about a change. The same change has the same id, however often it is told: that of an end is made of the
// session's id and the type, and that of a call's change of its number too.
func letterOf(kind Type, change liveproof.Change, s liveproof.Session) (letter, error) {
	d := data{
		ID: s.ID, Tenant: s.Tenant, ExternalID: s.ExternalID, Mode: s.Mode, State: s.State,
		Verdict: s.Verdict.Outcome, Result: s.Verdict.Outcome.Result(), Reasons: append([]liveproof.Reason{}, s.Verdict.Reasons...),
		Evidence: s.Verdict.Evidence, Number: change.Number,
	}
	d.Model, d.Threshold = s.JudgedBy()
	if at := s.DecidedAt.UTC(); !s.DecidedAt.IsZero() {
		d.DecidedAt = &at
	}
	id := idOf(kind, change)
	if kind == CallChanged { // the record may have changed since
		d.State, d.Verdict, d.Result, d.Reasons = liveproof.StateStreaming, change.Verdict, change.Verdict.Result(), []liveproof.Reason{}
		d.DecidedAt, d.Evidence = nil, nil
	}
	body, err := json.Marshal(payload{kind, change.At.UTC(), d})
	return letter{ID: id, Tenant: s.Tenant, Type: kind, Session: string(s.ID), Payload: body, Trace: s.Trace}, err
}

// idOf is a message's id. It has no full stop, because what is signed is id.timestamp.body (Standard Webhooks, "Signature scheme").
func idOf(kind Type, change liveproof.Change) string {
	id := string(change.Session) + "-" + strings.ReplaceAll(string(kind), ".", "-")
	switch {
	case kind != CallChanged:
		return id
	case change.Number > 0:
		return id + "-" + strconv.FormatInt(change.Number, 10)
	}
	return id + "-" + change.ID // of a version that did not count changes
}
