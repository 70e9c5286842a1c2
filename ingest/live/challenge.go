package live

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/liveproof/liveproof"
)

// mostAwaiting bounds the callers that wait for one session's challenge at a time.
const mostAwaiting = 4

// Errors of challenges; test with errors.Is.
var (
	// ErrAwaited: as many callers as may wait for the session's challenge at a time wait already.
	ErrAwaited = errors.New("too many requests wait for the challenge")
	// ErrNoChallenge: the session was not asked this challenge.
	ErrNoChallenge = errors.New("no such challenge")
)

// asked is the newest challenge of a connection.
type asked struct {
	mu       sync.Mutex
	newest   liveproof.Challenge // its ID is empty before the first
	at       time.Time           // when it was asked
	changed  chan struct{}       // closed when newest changes, and replaced
	declined string              // id of the newest challenge that the client has declined
	awaiting int
}

func (a *asked) set(c liveproof.Challenge, now time.Time) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.newest, a.at = c, now
	if a.changed != nil {
		close(a.changed)
		a.changed = nil
	}
}

// get returns the newest challenge as it is to be told now, if it still runs and is not the one after. Else changed is closed
// when there is another one.
func (a *asked) get(after string, now time.Time) (c liveproof.Challenge, ok bool, changed <-chan struct{}) {
	a.mu.Lock()
	defer a.mu.Unlock()
	c = a.newest.Delayed(now.Sub(a.at))
	if c.ID != "" && c.ID != after && c.Begin+c.Duration > 0 {
		return c, true, nil
	}
	if a.changed == nil {
		a.changed = make(chan struct{})
	}
	return liveproof.Challenge{}, false, a.changed
}

// enter counts a caller that waits; leave must follow unless it is refused.
func (a *asked) enter() error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.awaiting >= mostAwaiting {
		return ErrAwaited
	}
	a.awaiting++
	return nil
}

func (a *asked) leave() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.awaiting--
}

// Challenge waits for the challenge that the session is asked, other than the one whose id is after, and returns it as it is to be told
// now. false: ctx ended first. The error is ErrAwaited, or liveproof.ErrDisconnected when the connection has ended.
func (c *Connection) Challenge(ctx context.Context, after string) (liveproof.Challenge, bool, error) {
	if err := c.asked.enter(); err != nil {
		return liveproof.Challenge{}, false, err
	}
	defer c.asked.leave()
	for {
		found, ok, changed := c.asked.get(after, time.Now())
		if ok {
			return found, true, nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return liveproof.Challenge{}, false, nil
		case <-c.ctx.Done():
			return liveproof.Challenge{}, false, liveproof.ErrDisconnected
		}
	}
}

// Decline says that the person does not want to do the challenge with this id. Where it has an alternative, the analyzer asks for that. Else a
// one-shot session ends, and a call goes on without it.
func (c *Connection) Decline(id string) error {
	c.asked.mu.Lock()
	newest := c.asked.newest
	if id != "" && id == newest.ID {
		c.asked.declined = id
	}
	c.asked.mu.Unlock()
	if id == "" || id != newest.ID {
		return ErrNoChallenge
	}
	if newest.Alternative == "" && c.session.Mode == liveproof.ModeOnboarding {
		c.Abort(liveproof.ReasonChallengeUnanswered)
	}
	return nil
}

// hasDeclined reports whether the client has declined the challenge with this id.
func (a *asked) hasDeclined(id string) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return id != "" && id == a.declined
}
