package webhooks

import (
	"encoding/json"
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

// data tells of a session what its record tells, without ρ: whoever needs more reads the record.
type data struct {
	ID         liveproof.SessionID `json:"id"`
	Tenant     string              `json:"tenant"`
	ExternalID string              `json:"external_id"`
	Mode       liveproof.Mode      `json:"mode"`
	State      liveproof.State     `json:"state"`
	Verdict    liveproof.Outcome   `json:"verdict"`
	Result     liveproof.Result    `json:"result"`
	Reasons    []liveproof.Reason  `json:"reasons"`
}

// letter is a delivery's body: a message, its receiver and how often it was sent.
type letter struct {
	ID       string          `json:"id"` // header webhook-id
	Tenant   string          `json:"tenant"`
	Type     Type            `json:"type"`
	Session  string          `json:"session"`
	Payload  json.RawMessage `json:"payload"`
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

// letterOf makes the message about a change. The end of a session has one id, however often it is told.
func letterOf(kind Type, change liveproof.Change, s liveproof.Session) (letter, error) {
	d := data{
		ID: s.ID, Tenant: s.Tenant, ExternalID: s.ExternalID, Mode: s.Mode, State: s.State,
		Verdict: s.Verdict.Outcome, Result: s.Verdict.Outcome.Result(), Reasons: append([]liveproof.Reason{}, s.Verdict.Reasons...),
	}
	id := string(s.ID) + "." + string(kind)
	if kind == CallChanged { // the record may have changed since
		d.State, d.Verdict, d.Result, d.Reasons = liveproof.StateStreaming, change.Verdict, change.Verdict.Result(), []liveproof.Reason{}
		id += "." + change.ID
	}
	body, err := json.Marshal(payload{kind, change.At.UTC(), d})
	return letter{ID: id, Tenant: s.Tenant, Type: kind, Session: string(s.ID), Payload: body}, err
}
