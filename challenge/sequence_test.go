package challenge

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/liveproof/liveproof"
)

func generator(seed uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, 1)) }

func TestSequenceIsAFunctionOfItsSeed(t *testing.T) {
	first, again := draw(generator(7), 9), draw(generator(7), 9)
	require.Equal(t, first, again)
	require.NotEqual(t, draw(generator(7), 9), draw(generator(8), 9))
}

// TestSequencesAreDrawnEvenly holds the frequency of each colour and of each pair of neighbours against the even one.
func TestSequencesAreDrawnEvenly(t *testing.T) {
	const trials = 60_000
	r := generator(1)
	var first [len(palette)]int
	pairs := map[[2]uint8]int{}
	s := make(sequence, 6)
	for range trials {
		s.redraw(r)
		first[s[0]]++
		pairs[[2]uint8{s[4], s[5]}]++
		for i := 1; i < len(s); i++ {
			require.NotEqual(t, s[i-1], s[i])
		}
	}
	for _, n := range first {
		require.InEpsilon(t, trials/len(palette), n, 0.05)
	}
	require.Len(t, pairs, len(palette)*(len(palette)-1))
	for _, n := range pairs {
		require.InEpsilon(t, trials/len(pairs), n, 0.12)
	}
}

// shown is the light of the screen's channels at time t, as an animation of CSS gives it.
func shown(frames []liveproof.ColourAt, t time.Duration) [3]float64 {
	light := func(a, b uint8, share float64) float64 {
		v := (float64(a) + share*(float64(b)-float64(a))) / 255
		if v <= 0.04045 {
			return v / 12.92
		}
		return math.Pow((v+0.055)/1.055, 2.4)
	}
	last := frames[0]
	for _, next := range frames {
		if next.At > t {
			share := float64(t-last.At) / float64(next.At-last.At)
			return [3]float64{light(last.R, next.R, share), light(last.G, next.G, share), light(last.B, next.B, share)}
		}
		last = next
	}
	return [3]float64{linear[last.R], linear[last.G], linear[last.B]}
}

// TestSequencesAreSafeToLookAt checks every change between two colours of the palette against the thresholds of WCAG 2.2, 2.3.1. A general
// flash needs a change of relative luminance of a tenth, a red flash a saturated red.
func TestSequencesAreSafeToLookAt(t *testing.T) {
	cfg := DefaultConfig()
	darkest, brightest := 1.0, 0.0
	r := generator(3)
	for range 400 {
		frames := draw(r, cfg.Colours).keyframes(cfg.Period)
		for at := time.Duration(0); at <= cfg.duration(); at += 5 * time.Millisecond {
			c := shown(frames, at)
			luminance := 0.2126*c[0] + 0.7152*c[1] + 0.0722*c[2]
			darkest, brightest = min(darkest, luminance), max(brightest, luminance)
			require.Less(t, c[0]/(c[0]+c[1]+c[2]), 0.8, "a saturated red at %v of %v", at, frames)
		}
	}
	require.Less(t, brightest-darkest, 0.1, "from %.3f to %.3f", darkest, brightest)
	require.Less(t, brightest, 0.8)
}

// TestChangesAreAtMostThreeASecond counts the ramps that begin in any second, of the shortest period that the configuration allows.
func TestChangesAreAtMostThreeASecond(t *testing.T) {
	cfg := DefaultConfig()
	cfg.Period, cfg.Colours = minPeriod, maxColours
	require.NoError(t, cfg.Validate())
	var begins []time.Duration
	frames := draw(generator(5), cfg.Colours).keyframes(cfg.Period)
	for i := 1; i < len(frames); i++ {
		a, b := frames[i-1], frames[i]
		if changed := a.R != b.R || a.G != b.G || a.B != b.B; changed && b.At-a.At == ramp/2 && (i < 2 || frames[i-2].At != a.At-ramp/2) {
			begins = append(begins, a.At)
		}
	}
	require.Len(t, begins, cfg.Colours+1)
	for i := range begins {
		n := 0
		for _, b := range begins[i:] {
			if b < begins[i]+time.Second {
				n++
			}
		}
		require.LessOrEqual(t, n, 3)
	}
}
