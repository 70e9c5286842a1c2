package liveproof

// Event is what a running session tells its observer (the browser's
// signalling channel, a progress bar). Exactly one of the fields is set.
type Event struct {
	// Hint is what the person should change now; it points to "" when nothing
	// needs to change.
	Hint *Reason
	// Progress is how much of the needed evidence has been collected.
	Progress *Progress
	// Sample is the newest sample with the smoothed score after it; for dev mode only.
	Sample *SampleEvent
	// Challenge is what the client is to ask of the person now.
	Challenge *Challenge
	// Probe is what the client is to change in what it sends; the person does not notice it.
	Probe *Probe
	// Verdict is a call's new verdict. It is never final.
	Verdict *Verdict
	// Ended is how the session ended. It comes exactly once, as the last event.
	// The caller that runs the session writes it to the store, and only then tells
	// the client.
	Ended *Ending
}

// Progress counts the evidence.
type Progress struct {
	Scored   int     // samples that count since the last restart
	Needed   int     // samples needed at least
	Fraction float64 // [0,1], also considers the time needed
}

// SampleEvent is a sample with the smoothed score after it.
type SampleEvent struct {
	Sample    Sample
	Smoothed  float64 // EWMA of ρ, [0,1]
	Threshold float64 // θ that judges the session, (0,1)
}
