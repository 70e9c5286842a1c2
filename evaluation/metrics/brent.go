package metrics

import (
	"errors"
	"math"
)

// ErrNoRoot says that Brent's method did not converge.
var ErrNoRoot = errors.New("no root in 100 steps")

// The tolerances and the most steps of scipy.optimize.brentq.
const (
	brentX        = 2e-12
	brentRelative = 4 * 0x1p-52
	brentSteps    = 100
)

// bracket is the state of Brent's method: now is the best root so far, before
// the one before it, other the end of the bracket across the root.
type bracket struct {
	before, now, other    float64
	fBefore, fNow, fOther float64
	last, step            float64
}

// brent returns a root of f between two points of opposite sign, step for step
// as scipy.optimize.brentq (R. P. Brent, Algorithms for Minimization Without
// Derivatives, 1973, chapter 4).
func brent(f func(float64) float64, from, to float64) (float64, error) {
	b := bracket{before: from, now: to, fBefore: f(from), fNow: f(to)}
	if b.fBefore == 0 {
		return from, nil
	}
	for range brentSteps {
		b.order()
		delta, half := (brentX+float64(brentRelative*math.Abs(b.now)))/2, (b.other-b.now)/2
		if b.fNow == 0 || math.Abs(half) < delta {
			return b.now, nil
		}
		b.choose(delta, half)
		b.before, b.fBefore = b.now, b.fNow
		if math.Abs(b.step) > delta {
			b.now += b.step
		} else {
			b.now += math.Copysign(delta, half)
		}
		b.fNow = f(b.now)
	}
	return 0, ErrNoRoot
}

// order makes other the end across the root from now, and now the better end.
func (b *bracket) order() {
	if b.fBefore != 0 && b.fNow != 0 && (b.fBefore < 0) != (b.fNow < 0) {
		b.other, b.fOther = b.before, b.fBefore
		b.step = b.now - b.before
		b.last = b.step
	}
	if math.Abs(b.fOther) < math.Abs(b.fNow) {
		b.before, b.now, b.other = b.now, b.other, b.now
		b.fBefore, b.fNow, b.fOther = b.fNow, b.fOther, b.fNow
	}
}

// choose sets the next step: secant or inverse quadratic where it shrinks fast enough, else bisection.
func (b *bracket) choose(delta, half float64) {
	if math.Abs(b.last) <= delta || math.Abs(b.fNow) >= math.Abs(b.fBefore) {
		b.last, b.step = half, half
		return
	}
	trial := b.trial()
	if 2*math.Abs(trial) < min(math.Abs(b.last), float64(3*math.Abs(half))-delta) {
		b.last, b.step = b.step, trial
		return
	}
	b.last, b.step = half, half
}

func (b *bracket) trial() float64 {
	if b.before == b.other {
		return -b.fNow * (b.now - b.before) / (b.fNow - b.fBefore)
	}
	dBefore, dOther := (b.fBefore-b.fNow)/(b.before-b.now), (b.fOther-b.fNow)/(b.other-b.now)
	return -b.fNow * (float64(b.fOther*dOther) - float64(b.fBefore*dBefore)) / (dOther * dBefore * (b.fOther - b.fBefore))
}
