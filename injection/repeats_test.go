package injection

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/liveproof/liveproof"
)

// scene is a moving bright disc with some noise at a time in seconds.
func scene(at float64, noise *rand.Rand) *liveproof.Thumbnail {
	var t liveproof.Thumbnail
	cx, cy := 32+14*math.Sin(1.7*at), 32+9*math.Cos(1.1*at)
	for i := range t {
		x, y := float64(i%liveproof.ThumbnailSide), float64(i/liveproof.ThumbnailSide)
		level := 90.0 + 80*math.Exp(-((x-cx)*(x-cx)+(y-cy)*(y-cy))/160)
		if noise != nil {
			level += noise.NormFloat64() * 0.4
		}
		t[i] = uint8(level + 0.5)
	}
	return &t
}

// watched shows n pictures at 30 a second; shown is the scene's time of each.
func watched(n int, noise *rand.Rand, shown func(i int) float64) pattern {
	var c changes
	last, cells := math.NaN(), (*liveproof.Thumbnail)(nil)
	for i := range n {
		if at := shown(i); at != last {
			last, cells = at, scene(at, noise)
		}
		c.observe(time.Duration(i)*time.Second/30, cells)
	}
	return c.measure()
}

// converted is the scene's time of picture i at 30 pictures a second of a source with fewer.
func converted(rate float64) func(int) float64 {
	return func(i int) float64 { return math.Floor(float64(i)*rate/30+1e-9) / rate }
}

func TestConvertedFrameRatesRepeat(t *testing.T) {
	for rate, period := range map[float64]int{15: 2, 20: 3, 24: 5, 25: 6} {
		p := watched(90, rand.New(rand.NewPCG(1, 1)), converted(rate))
		require.True(t, p.known)
		require.InDelta(t, 1, p.repeats, 0.01, "%v", rate)
		require.Equal(t, period, p.period, "%v", rate)
	}
}

func TestHonestPicturesDoNotRepeat(t *testing.T) {
	noise := rand.New(rand.NewPCG(3, 1))
	for name, shown := range map[string]func(int) float64{
		"30 pictures a second": func(i int) float64 { return float64(i) / 30 },
		"a repeated picture now and then": func(i int) float64 {
			return math.Floor(float64(i)-indicator(i%23 == 11)) / 30
		},
		"a camera that repeats at random, for lack of time": func(i int) float64 {
			return float64(i-rand.New(rand.NewPCG(uint64(i), 5)).IntN(2)) / 30
		},
	} {
		t.Run(name, func(t *testing.T) {
			p := watched(90, noise, shown)
			require.True(t, p.known)
			require.Less(t, p.repeats, 0.5)
		})
	}
}

func TestAStillSceneSaysNothing(t *testing.T) {
	p := watched(90, nil, func(int) float64 { return 1 })
	require.False(t, p.known)
}

// TestLossesKeepThePhase: pictures that are missing do not hide where the others repeat.
func TestLossesKeepThePhase(t *testing.T) {
	var c changes
	shown := converted(24)
	for i := range 120 {
		if i%17 != 3 {
			c.observe(time.Duration(i)*time.Second/30, scene(shown(i), nil))
		}
	}
	p := c.measure()
	require.Equal(t, 5, p.period)
	require.Greater(t, p.repeats, 0.8)
}

func TestAJumpOfTimeBeginsAnew(t *testing.T) {
	var c changes
	for i := range 60 {
		c.observe(time.Duration(i)*time.Second/30, scene(float64(i)/30, nil))
	}
	c.observe(time.Hour, scene(0, nil))
	require.False(t, c.measure().known)
	c.observe(time.Hour-time.Second, scene(0, nil))
	require.False(t, c.measure().known)
}
