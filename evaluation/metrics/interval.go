package metrics

import (
	"fmt"

	"gonum.org/v1/gonum/mathext"
)

// Interval is a confidence interval.
type Interval struct {
	Low  float64 `json:"low"`
	High float64 `json:"high"`
	// Level is the confidence, such as 0.95.
	Level float64 `json:"level"`
}

// ClopperPearson returns the exact two-sided interval of a proportion (Clopper
// and Pearson, Biometrika 1934): each side is missed with a probability of at
// most (1 - level) / 2. It holds for independent trials; for several videos of
// one person see [Bootstrap]. It fails with [ErrEmpty] for a proportion of
// nothing and [ErrOutOfRange] for a level outside (0,1) or a count outside
// [0,Of].
func (p Proportion) ClopperPearson(level float64) (Interval, error) {
	if err := p.check(level); err != nil {
		return Interval{}, err
	}
	tail := (1 - level) / 2
	return Interval{p.lower(tail), p.upper(tail), level}, nil
}

// UpperBound returns the one-sided upper confidence bound of a proportion, as
// laboratories state it: 0 errors of 149 at level 0.95 are at most 2 %. It fails
// as ClopperPearson does.
func (p Proportion) UpperBound(level float64) (float64, error) {
	if err := p.check(level); err != nil {
		return 0, err
	}
	return p.upper(1 - level), nil
}

func (p Proportion) check(level float64) error {
	if p.Of == 0 {
		return fmt.Errorf("interval of a proportion: %w", ErrEmpty)
	}
	if p.Of < 0 || p.Count < 0 || p.Count > p.Of {
		return fmt.Errorf("interval of %d of %d: %w", p.Count, p.Of, ErrOutOfRange)
	}
	return checkLevel(level)
}

// lower and upper are quantiles of beta distributions: the rates at which so many errors or more, or so few or fewer,
// have this probability.
func (p Proportion) lower(tail float64) float64 {
	if p.Count == 0 {
		return 0
	}
	return mathext.InvRegIncBeta(float64(p.Count), float64(p.Of-p.Count+1), tail)
}

func (p Proportion) upper(tail float64) float64 {
	if p.Count == p.Of {
		return 1
	}
	return mathext.InvRegIncBeta(float64(p.Count+1), float64(p.Of-p.Count), 1-tail)
}

// checkLevel refuses a level outside (0,1), and NaN.
func checkLevel(level float64) error {
	if !(level > 0 && level < 1) {
		return fmt.Errorf("confidence level %v is not between 0 and 1: %w", level, ErrOutOfRange)
	}
	return nil
}

// inRange refuses a value outside [low,high], and NaN.
func inRange(name string, value, low, high float64) error {
	if !(value >= low && value <= high) {
		return fmt.Errorf("%s %v is not in [%v,%v]: %w", name, value, low, high, ErrOutOfRange)
	}
	return nil
}
