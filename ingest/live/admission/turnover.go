package admission

import (
	"math"
	"time"
)

const (
	turnoverOver = time.Minute // the time constant of the rate at which places become free
	soonest      = time.Second
	latest       = 30 * time.Second
)

// Turnover is how fast places become free. The zero value has seen none.
type Turnover struct {
	perSecond float64
	at        time.Time
}

// Freed counts a place that has become free.
func (t *Turnover) Freed(now time.Time) {
	t.perSecond = t.rate(now) + 1/turnoverOver.Seconds()
	t.at = now
}

func (t *Turnover) rate(now time.Time) float64 {
	return t.perSecond * math.Exp(-max(now.Sub(t.at).Seconds(), 0)/turnoverOver.Seconds())
}

// Wait is how long it takes, in the mean, until the next place becomes free: whole seconds from 1 to
// 30.
func (t *Turnover) Wait(now time.Time) time.Duration {
	seconds := math.Ceil(1 / max(t.rate(now), 1e-9))
	return min(max(time.Duration(min(seconds, 1e6))*time.Second, soonest), latest)
}
