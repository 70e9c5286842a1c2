package injection

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// clockOf feeds a cadence with the times, in ticks.
func clockOf(at func(i int) int) rhythm {
	var c cadence
	start := time.Unix(0, 0)
	for i := range 100 {
		pts := time.Duration(at(i)) * time.Second / ticksPerSecond
		c.observe(pts, start.Add(pts), false)
	}
	return c.measure()
}

func TestCadence(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	walk := 0
	for name, test := range map[string]struct {
		at   func(i int) int
		want func(r rhythm) bool
	}{
		"a file is an exact grid": {
			func(i int) int { return 3000 * i },
			func(r rhythm) bool { return r.grid > 0.999 && r.millis == 0 && r.jitter == 0 && r.corr == 0 },
		},
		"29.97 pictures a second too": {
			func(i int) int { return 3003 * i },
			func(r rhythm) bool { return r.grid > 0.999 && r.millis == 0 },
		},
		"a browser counts milliseconds": {
			func(i int) int { return i * 100 / 3 * millisecond },
			func(r rhythm) bool { return r.millis > 0.999 && r.grid < 0.8 && r.corr < -0.3 },
		},
		"a clock that is read with an error": {
			func(i int) int { return 3000*i + random.IntN(400) },
			func(r rhythm) bool { return r.grid < 0.1 && r.jitter > 1 && r.corr < -0.3 },
		},
		"a timer whose errors add up": {
			func(int) int { walk += 2800 + random.IntN(400); return walk },
			func(r rhythm) bool { return r.grid < 0.1 && r.jitter > 1 && r.corr > -0.25 },
		},
	} {
		t.Run(name, func(t *testing.T) {
			r := clockOf(test.at)
			require.True(t, r.known)
			require.True(t, test.want(r), "%+v", r)
		})
	}
}

func TestCadenceNeedsPictures(t *testing.T) {
	var c cadence
	for i := range 100 {
		c.observe(time.Duration(i)*time.Second/30, time.Unix(0, 0), true)
	}
	require.False(t, c.measure().known, "steps across lost pictures are no steps")
}
