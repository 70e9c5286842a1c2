package main

// The decisions of this business. The page is told nothing else.
const (
	accept = "accept"
	reject = "reject"
	retry  = "retry"
	wait   = "wait" // the session has not ended
)

// decide accepts only a session that was decided as live.
func decide(s session) string {
	switch s.State {
	case "created", "connecting", "streaming":
		return wait
	case "decided":
		switch s.Verdict {
		case "live":
			return accept
		case "spoof":
			return reject
		}
	}
	return retry // inconclusive, expired, failed
}
