package main

import "sync"

// The decisions of this business. The page is told nothing else.
const (
	accept = "accept"
	reject = "reject"
	retry  = "retry"
	wait   = "wait" // nothing has come yet
)

// decisionOf accepts only a pass.
func decisionOf(result string) string {
	switch result {
	case "pass":
		return accept
	case "fail":
		return reject
	}
	return retry
}

// checks remembers whose checks run, what was decided, and which messages were handled. It stands in for your
// database: it forgets all when the program ends, and nothing before.
type checks struct {
	mu      sync.Mutex
	checks  map[string]check // by the session's id
	handled map[string]bool  // ids of webhooks
}

type check struct{ visitor, decision string }

func newChecks() *checks {
	return &checks{checks: map[string]check{}, handled: map[string]bool{}}
}

func (c *checks) begin(session, visitor string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.checks[session] = check{visitor, wait}
}

// decide turns the result into a decision; the first one stays. False: the visitor has no such check.
func (c *checks) decide(session, visitor, result string) (decision string, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	known, ok := c.checks[session]
	if !ok || known.visitor != visitor {
		return "", false
	}
	if known.decision == wait {
		known.decision = decisionOf(result)
		c.checks[session] = known
	}
	return known.decision, true
}

// decision that was made; false: the visitor has no such check.
func (c *checks) decision(session, visitor string) (string, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	known, ok := c.checks[session]
	return known.decision, ok && known.visitor == visitor
}

// first tells whether this message has not been handled before.
func (c *checks) first(message string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.handled[message] {
		return false
	}
	c.handled[message] = true
	return true
}
