package media

import (
	"math"
	"time"

	"github.com/asticode/go-astiav"
)

// clock turns a container's timestamps into times from the first picture that
// always grow: a missing or backward timestamp is replaced by the last time
// plus one step.
type clock struct {
	step    time.Duration
	started bool
	offset  float64 // seconds, the first picture's timestamp
	last    time.Duration
}

func (c *clock) at(ts int64, tick float64) time.Duration {
	seconds := float64(ts) * tick
	known := ts != astiav.NoPtsValue && tick > 0 && math.Abs(seconds) < 1e9
	if !c.started {
		c.started = true
		c.offset = 0
		if known {
			c.offset = seconds
		}
		return 0
	}
	at := time.Duration((seconds - c.offset) * float64(time.Second))
	if !known || at <= c.last {
		if known && c.last-at > time.Second { // the container's clock was restarted
			c.offset = seconds - (c.last + c.step).Seconds()
		}
		at = c.last + c.step
	}
	c.last = at
	return at
}
