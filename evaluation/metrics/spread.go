package metrics

import (
	"fmt"
	"math"
)

// Spread is the mean and the standard deviation over folds or seeds. The
// literature does not say which deviation it prints.
type Spread struct {
	N    int     `json:"n"`
	Mean float64 `json:"mean"`
	// Std0 divides by n, Std1 by n - 1; Std1 is 0 for a single value.
	Std0 float64 `json:"std0"`
	Std1 float64 `json:"std1"`
}

// SpreadOf summarises values. It fails with [ErrEmpty] or [ErrNotFinite].
func SpreadOf(values []float64) (Spread, error) {
	if len(values) == 0 {
		return Spread{}, fmt.Errorf("mean: %w", ErrEmpty)
	}
	if err := finite(values); err != nil {
		return Spread{}, fmt.Errorf("mean: %w", err)
	}
	n := float64(len(values))
	s := Spread{N: len(values), Mean: pairwise(values) / n}
	squares := make([]float64, len(values))
	for i, v := range values {
		squares[i] = (v - s.Mean) * (v - s.Mean)
	}
	sum := pairwise(squares)
	s.Std0 = math.Sqrt(sum / n)
	if len(values) > 1 {
		s.Std1 = math.Sqrt(sum / (n - 1))
	}
	return s, nil
}

// lanes is how many partial sums run side by side in pairwise, and block from which length on it halves.
const (
	lanes = 8
	block = 128
)

// pairwise sums in the order of numpy.sum, so that means agree with the trainer's to the bit.
func pairwise(values []float64) (sum float64) {
	n := len(values)
	if n > block {
		half := n/2 - n/2%lanes
		return pairwise(values[:half]) + pairwise(values[half:])
	}
	rest := values
	if n >= lanes {
		var r [lanes]float64
		for ; len(rest) >= lanes; rest = rest[lanes:] {
			for i := range r {
				r[i] += rest[i]
			}
		}
		sum = ((r[0] + r[1]) + (r[2] + r[3])) + ((r[4] + r[5]) + (r[6] + r[7]))
	}
	for _, v := range rest {
		sum += v
	}
	return sum
}
