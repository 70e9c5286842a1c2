package main

// What this business makes of a session. The page is told no more than that.
const (
	accept = "accept"
	reject = "reject"
	retry  = "retry"
	wait   = "wait" // the session has not ended
)

// decide lets nobody in but who was found live in a session that has been decided.
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
