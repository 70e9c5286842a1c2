package cpu

import (
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestReadCountsThisProcess(t *testing.T) {
	before, err := Read()
	require.NoError(t, err)
	require.Greater(t, before.Cores, 0.)
	require.LessOrEqual(t, before.Cores, float64(runtime.GOMAXPROCS(0)))
	for now := before; now.Used <= before.Used; { // ends as soon as this loop's own work is counted
		now, err = Read()
		require.NoError(t, err)
		require.False(t, now.Idle < before.Idle-1, "idle time does not go back by a second")
	}
}

func TestQuotaFiles(t *testing.T) {
	for own, want := range map[string][]string{
		"0::/\n":          {groups + "/cpu.max"},
		"0::/a/b\n":       {groups + "/a/b/cpu.max", groups + "/a/cpu.max", groups + "/cpu.max"},
		"0::/../up\n":     {groups + "/up/cpu.max", groups + "/cpu.max"},
		"1:cpu:/v1\n":     nil,
		"":                nil,
		"1:cpu:/\n0::/\n": {groups + "/cpu.max"},
	} {
		require.Equal(t, want, quotaFiles(own), own)
	}
}
