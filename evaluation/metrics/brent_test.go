package metrics

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"
)

// Roots and numbers of calls are those of scipy.optimize.brentq, SciPy 1.15.3, between 0 and 1.
func TestBrentStepsAsSciPyDoes(t *testing.T) {
	sides := func(at, before, after float64) func(float64) float64 {
		return func(x float64) float64 {
			if x < at {
				return before
			}
			return after
		}
	}
	for name, c := range map[string]struct {
		f     func(float64) float64
		root  float64
		calls int
	}{
		"cubic":        {func(x float64) float64 { return .2 - float64(x*x*x) }, 0.5848035476425729, 10},
		"flat":         {func(x float64) float64 { return (.3 - x) * (.3 - x) * (.3 - x) }, 0.30000000000004357, 99},
		"jump":         {sides(1./3, 1, -1), 0.33333333333393966, 41},
		"uneven jump":  {sides(.7, 1e-3, -1), 0.6999999999990731, 58},
		"pole":         {func(x float64) float64 { return 1 / (.37 - x) }, 0.3699999999988359, 46},
		"line":         {func(x float64) float64 { return .25 - x }, .25, 3},
		"at the start": {func(x float64) float64 { return -x }, 0, 2},
		"at the end":   {func(x float64) float64 { return 1 - x }, 1, 2},
		"steps":        {func(x float64) float64 { return .51 - math.Trunc(x*7)/7 }, 0.5714285714290029, 40},
	} {
		calls := 0
		root, err := brent(func(x float64) float64 { calls++; return c.f(x) }, 0, 1)
		require.NoError(t, err, name)
		require.Equal(t, c.root, root, name)
		require.Equal(t, c.calls, calls, name)
	}
}

// SciPy gives up here after 100 steps too.
func TestBrentGivesUp(t *testing.T) {
	_, err := brent(func(x float64) float64 { return (.3 - x) * (.3 - x) * (.3 - x) * (.3 - x) * (.3 - x) }, 0, 1)
	require.ErrorIs(t, err, ErrNoRoot)
}
