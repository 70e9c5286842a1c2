package cpu

import (
	"math"
	"os"
	"path/filepath"
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
		if !math.IsNaN(before.Idle) {
			require.GreaterOrEqual(t, now.Idle, before.Idle-1, "idle time does not go back by a second")
		}
	}
}

func TestControlGroups(t *testing.T) {
	for own, want := range map[string][]controlGroup{
		"0::/\n":                         {{groups, false}},
		"0::/a/b\n":                      {{groups + "/a/b", false}, {groups + "/a", false}, {groups, false}},
		"0::/../up\n":                    {{groups + "/up", false}, {groups, false}},
		"2:cpu,cpuacct:/a\n1:cpuset:/\n": {{groups + "/cpu/a", true}, {groups + "/cpu", true}},
		"1:memory:/a\n":                  nil,
		"":                               nil,
		"nonsense":                       nil,
	} {
		require.Equal(t, want, controlGroups(own), own)
	}
}

func TestLimitOfAControlGroup(t *testing.T) {
	for name, c := range map[string]struct {
		files map[string]string
		v1    bool
		want  float64
	}{
		"version 2":            {map[string]string{"cpu.max": "150000 100000\n"}, false, 1.5},
		"version 2, unlimited": {map[string]string{"cpu.max": "max 100000\n"}, false, math.Inf(1)},
		"version 1":            {map[string]string{"cpu.cfs_quota_us": "50000\n", "cpu.cfs_period_us": "100000\n"}, true, .5},
		"version 1, unlimited": {map[string]string{"cpu.cfs_quota_us": "-1\n", "cpu.cfs_period_us": "100000\n"}, true, math.Inf(1)},
	} {
		folder := t.TempDir()
		for file, text := range c.files {
			require.NoError(t, os.WriteFile(filepath.Join(folder, file), []byte(text), 0o600))
		}
		got, err := quota(controlGroup{folder, c.v1}.limit())
		require.NoError(t, err, name)
		require.Equal(t, c.want, got, name)
	}
	for _, v1 := range []bool{false, true} {
		_, err := quota(controlGroup{t.TempDir(), v1}.limit())
		require.Error(t, err, "a folder without the files has no limit")
	}
}
