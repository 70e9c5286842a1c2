package liveproof

import "time"

// Change is one change of a session's state or verdict, as the store tells it. Each is told at least once.
type Change struct {
	// ID is the store's name for this telling of it. The same change told twice may have two.
	ID      string
	Session SessionID
	// Number counts the changes of the session, from 1 with its creation. The same change has the same number, however often it is
	// told; 0 in events of a version that counted none.
	Number int64
	// Event is the state that was reached, or ChangeVerdict for a new verdict of a session that goes on.
	Event   string
	Verdict Outcome   // empty without one
	At      time.Time // when the state or the verdict changed, also where that is told later
}

// ChangeVerdict is the event of a new verdict. All other events are states, or "deleted".
const ChangeVerdict = "verdict"

// Delivery is a message on its way to a receiver outside, kept until it was delivered.
type Delivery struct {
	// Key names it: the same key is kept once.
	Key string
	// Tenant has the queue that it waits in.
	Tenant string
	// Body is the keeper's alone to read.
	Body []byte
}
