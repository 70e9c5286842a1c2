package liveproof

import "time"

// SessionQuery asks for sessions of one tenant. A field that is empty or zero does not restrict.
type SessionQuery struct {
	Tenant     string // required
	ExternalID string
	State      State
	Verdict    Outcome // the one that is valid when the query runs (Session.Current)
	// From and Until bound the time of creation: From ≤ CreatedAt < Until.
	From, Until time.Time
	// After continues behind this session, which the previous page named.
	After SessionID
	// Limit is the most sessions of one page, at least 1.
	Limit int
}

// Matches reports whether the session is one that the query asks for, at now. It does not look at After.
func (q SessionQuery) Matches(s Session, now time.Time) bool {
	switch {
	case s.Tenant != q.Tenant,
		q.ExternalID != "" && s.ExternalID != q.ExternalID,
		q.State != "" && s.State != q.State,
		q.Verdict != "" && s.Current(now).Outcome != q.Verdict,
		!q.From.IsZero() && s.CreatedAt.Before(q.From),
		!q.Until.IsZero() && !s.CreatedAt.Before(q.Until):
		return false
	}
	return true
}

// SessionPage is an answer to a SessionQuery: sessions, newest first.
type SessionPage struct {
	Sessions []Session
	// Next is where the next page begins (SessionQuery.After); empty on the last page. A page may hold fewer sessions than the
	// query's limit, or none, and still have a next one.
	Next SessionID
	// Read is how many records were read for the page, which is what it costs.
	Read int
}
