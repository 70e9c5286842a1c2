package main

import (
	"crypto/rand"
	"errors"
	"sync"
	"time"
)

// The decisions of this business. The page is told nothing else.
const (
	accept = "accept"
	reject = "reject"
	retry  = "retry"
	wait   = "wait" // nothing has come yet
)

const (
	maxAge     = 10 * time.Minute // since a session's end: later its result says nothing about who is there now
	checksHour = 10               // checks that a visitor may begin in an hour
)

// outcome is what Liveproof says of a session, in a signed result and in a webhook.
type outcome struct {
	Result    string    // pass, retry or fail
	Model     *model    // nil: no picture came
	DecidedAt time.Time // the session's end
}

type model struct {
	Demo bool `json:"demo"`
}

// objection says why an outcome must not count; nil: it may. A demo model proves nothing.
func (o outcome) objection(allowDemo bool) error {
	switch age := time.Since(o.DecidedAt); {
	case age > maxAge || age < -time.Minute:
		return errors.New("the session did not end just now")
	case o.Model == nil && o.Result != "retry":
		return errors.New("no model is named")
	case o.Model != nil && o.Model.Demo && !allowDemo:
		return errors.New("a demo model judged: set LIVEPROOF_ALLOW_DEMO_MODEL=true to try it out, never in production")
	}
	return nil
}

// decision accepts only a pass.
func (o outcome) decision() string {
	switch o.Result {
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
	checks  map[string]check       // by the session's id
	begun   map[string][]time.Time // by visitor, of the last hour
	handled map[string]bool        // ids of webhooks
}

// check is one check of a visitor. external is its name at Liveproof, which must not be a credential: it is in logs and messages there.
type check struct{ visitor, external, decision string }

func newChecks() *checks {
	return &checks{checks: map[string]check{}, begun: map[string][]time.Time{}, handled: map[string]bool{}}
}

// admit counts a new check of the visitor and gives it a name; false: the visitor has begun too many.
func (c *checks) admit(visitor string) (external string, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	recent := []time.Time{}
	for _, at := range c.begun[visitor] {
		if time.Since(at) < time.Hour {
			recent = append(recent, at)
		}
	}
	if len(recent) >= checksHour {
		return "", false
	}
	c.begun[visitor] = append(recent, time.Now())
	return rand.Text(), true
}

func (c *checks) begin(session, visitor, external string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.checks[session] = check{visitor, external, wait}
}

// knows tells whether the visitor has begun a check.
func (c *checks) knows(visitor string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.begun[visitor]) > 0
}

// decide keeps a decision for the check that Liveproof names so; the first one stays. False: this visitor has no such check.
func (c *checks) decide(session, external, visitor, decision string) (string, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.checks[session].visitor != visitor {
		return "", false
	}
	return c.keep(session, external, decision)
}

// handle is decide for a message, whose sender is Liveproof and not a visitor. The message counts as handled from the moment at which
// its decision is kept, and not before; one that comes again changes nothing.
func (c *checks) handle(message, session, external, decision string) (string, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.handled[message] {
		return "", false
	}
	kept, ok := c.keep(session, external, decision)
	c.handled[message] = true // in a database: in the transaction that keeps the decision
	return kept, ok
}

func (c *checks) keep(session, external, decision string) (string, bool) {
	known, ok := c.checks[session]
	if !ok || known.external != external {
		return "", false
	}
	if known.decision == wait {
		known.decision = decision
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
