package cpu

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"
)

const stat = `cpu  1000 300 200 900 30 0 10 50 0 0
cpu0 500 100 100 400 20 0 5 20 0 0
cpu1 500 200 100 500 10 0 5 30 0 0
intr 12345 0 9
ctxt 99
`

func all(int) bool { return true }

func TestIdleSeconds(t *testing.T) {
	for name, c := range map[string]struct {
		stat    string
		allowed func(int) bool
		want    float64
	}{
		"all cores: niced, idle, waiting for the disk": {stat, all, 12.3},
		"the process may use one core":                 {stat, func(core int) bool { return core == 1 }, 7.1},
		"a core above the others":                      {"cpu128 1 0 1 70 0 0 0 0 0 0\n", all, .7},
	} {
		got, err := idleSeconds([]byte(c.stat), c.allowed)
		require.NoError(t, err, name)
		require.InDelta(t, c.want, got, 1e-9, name)
	}
	for name, text := range map[string]string{
		"zeros only": "cpu  0 0 0 0 0 0\ncpu0 0 0 0 0 0 0\n", "no cores": "cpu  1 2 3 4 5 6\n", "nothing": "",
	} {
		got, err := idleSeconds([]byte(text), all)
		require.NoError(t, err, name)
		require.True(t, math.IsNaN(got), name)
	}
	_, err := idleSeconds([]byte("cpu0 1 x 3 4 5\n"), all)
	require.ErrorContains(t, err, "/proc/stat")
}

func TestQuota(t *testing.T) {
	for text, want := range map[string]float64{
		"max 100000\n": math.Inf(1), "50000 100000\n": .5, "250000 100000": 2.5,
	} {
		got, err := quota(text)
		require.NoError(t, err, text)
		require.Equal(t, want, got, text)
	}
	for _, text := range []string{"", "max", "x 100000", "1 x", "100000 0", "-1 100000", "NaN 100000"} {
		_, err := quota(text)
		require.ErrorContains(t, err, "cpu.max", text)
	}
}

func FuzzIdleSeconds(f *testing.F) {
	f.Add([]byte(stat))
	f.Fuzz(func(t *testing.T, text []byte) {
		idle, err := idleSeconds(text, all)
		require.False(t, err == nil && idle < 0)
	})
}

func FuzzQuota(f *testing.F) {
	f.Add("50000 100000\n")
	f.Fuzz(func(t *testing.T, text string) {
		cores, err := quota(text)
		require.True(t, err != nil || cores > 0, "%v", cores)
	})
}
