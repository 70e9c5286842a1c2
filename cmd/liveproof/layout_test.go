package main

import (
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/liveproof/liveproof/benchmark"
)

func TestLayoutRefuses(t *testing.T) {
	for says, args := range map[string][]string{
		"--dataset: ":                        {},
		"--out: a folder is needed":          {"--dataset", "msu"},
		`--subjects: "1/2"`:                  {"--dataset", "msu", "--out", "x", "--subjects", "1/2"},
		"--subjects: nobody is left to film": {"--dataset", "msu", "--out", "x", "--subjects", "0/1/0"},
		"--every: 0 is out of range [1, ∞)\n--scale: 0 is out of range (0, 1]": {"--dataset", "msu", "--out", "x", "--scale", "0", "--every", "0"},
	} {
		_, errText, code := command(t, append([]string{"layout"}, args...)...)
		require.Equal(t, exitUsage, code, "%v", args)
		require.Contains(t, errText, says, "%v", args)
	}
}

func TestLayoutWritesWhatIsToBeFilmed(t *testing.T) {
	root := filepath.Join(t.TempDir(), "new")
	text, errText, code := command(t, "layout", "--dataset", "msu", "--out", root, "--subjects", "1/0/1", "--scale", "0.25")
	require.Equal(t, exitOK, code, errText)
	plan := filepath.Join(root, benchmark.PlanName)
	require.Equal(t, "16 videos to film: "+plan+"\n", text)
	require.Len(t, rows(t, plan), 16)
	require.DirExists(t, filepath.Join(root, "scene01", "attack"))
	require.FileExists(t, filepath.Join(root, "train_sub_list.txt"))
	_, errText, code = command(t, "layout", "--dataset", "casia", "--out", root)
	require.Equal(t, exitFailure, code)
	require.Contains(t, errText, "another dataset")
}
