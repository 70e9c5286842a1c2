package admission

import (
	"math"
	"time"
)

const (
	turnoverOver = time.Minute // time constant of the rate at which places become free
	soonest      = time.Second
	latest       = 30 * time.Second
)

// Turnover measures how often places become free. The zero value has seen none.
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

// Wait is the mean time until the next place becomes free, in whole seconds, 1…30 s.
func (t *Turnover) Wait(now time.Time) time.Duration {
	seconds := math.Ceil(1 / max(t.rate(now), 1e-9))
	return min(max(time.Duration(min(seconds, 1e6))*time.Second, soonest), latest)
}
