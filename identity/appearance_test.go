package identity

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestDirectionIsTheAngle(t *testing.T) {
	for i := range 720 {
		a := (float64(i) + 0.25) * math.Pi / 360
		for _, length := range []float64{1e-3, 1, 300} {
			got := float64(direction(float32(length*math.Cos(a)), float32(length*math.Sin(a))))
			require.InDelta(t, a/(2*math.Pi)*bins, got, 1e-4, "%v°", a*180/math.Pi)
		}
	}
	require.Zero(t, direction(0, 0))
	for _, v := range [][2]float32{{1, 0}, {0, 1}, {-1, 0}, {0, -1}} {
		got := direction(v[0], v[1])
		require.True(t, got >= 0 && got <= bins, "%v: %v", v, got)
	}
}
