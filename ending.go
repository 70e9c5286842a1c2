package liveproof

import "fmt"

// Ending is how a session ended: all that a store is given to close its record with.
type Ending struct {
	State   State // terminal
	Verdict Verdict
	Counts  FrameCounts
}

// UnrecordedError: a session was judged, but the store did not take the
// judgement in time. Whoever can wait longer writes exactly Ending; until that
// is done nobody is told of it. errors.Is sees through to Err.
type UnrecordedError struct {
	Ending Ending
	Err    error
}

// Error implements error.
func (e *UnrecordedError) Error() string {
	return fmt.Sprintf("judgement %s is not recorded: %v", e.Ending.State, e.Err)
}

// Unwrap gives why the store did not take it.
func (e *UnrecordedError) Unwrap() error { return e.Err }
