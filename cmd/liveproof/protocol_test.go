package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/liveproof/liveproof/benchmark"
)

func TestADatasetNamedTwiceIsRefused(t *testing.T) {
	f, out := newFixture(t, "oulu", benchmark.LayoutOptions{Subjects: some(1, 1, 1), Every: 18}), filepath.Join(t.TempDir(), "p.csv")
	root := "oulu=" + f.Root
	_, errText, code := command(t, "protocol", "--name", "oulu-2", "--root", root, "--root", root, "--out", out)
	require.Equal(t, exitUsage, code)
	require.Contains(t, errText, "comes twice")
	text, errText, code := command(t, "protocol", "--name", "oulu-2", "--root", root, "--out", out)
	require.Equal(t, exitOK, code, errText)
	require.Regexp(t, `warning: oulu train: \d of the 1080 published videos`, errText)
	require.Regexp(t, `train +oulu +\d+ +\d+\n`, text)
}

func TestProtocolRefuses(t *testing.T) {
	for says, args := range map[string][]string{
		"known are oulu-1":        {},
		`"OCI-X" is no protocol`:  {"--name", "OCI-X"},
		"--out and --extracted":   {"--name", "oulu-2"},
		`"some" is no population`: {"--name", "OCI-M", "--population", "some", "--out", "x", "--root", "oulu=."},
		"is not DATASET=DIR":      {"--name", "oulu-2", "--out", "x", "--root", "oulu"},
		"only with --list":        {"--name", "oulu-2", "--json"},
	} {
		_, errText, code := command(t, append([]string{"protocol"}, args...)...)
		require.Equal(t, exitUsage, code, "%v", args)
		require.Contains(t, errText, says, "%v", args)
	}
	_, errText, code := command(t, "protocol", "--name", "oulu-2", "--extracted", t.TempDir(), "--out", "x")
	require.Equal(t, exitFailure, code)
	require.Contains(t, errText, "is the extraction done?")
}

func TestAProtocolNeedsVideosOfEachDataset(t *testing.T) {
	f := newFixture(t, "casia", benchmark.LayoutOptions{Subjects: some(1, 0, 0), Every: 3})
	_, errText, code := command(t, "protocol", "--name", "OMI-C", "--root", "casia="+f.Root, "--out", filepath.Join(t.TempDir(), "p.csv"))
	require.Equal(t, exitFailure, code)
	require.Contains(t, errText, "no video of oulu")
}

// Both lists show what the code declares.
func TestProtocolList(t *testing.T) {
	text, _, code := command(t, "protocol", "--list", "--json")
	require.Equal(t, exitOK, code)
	want, err := json.Marshal(benchmark.Known().List())
	require.NoError(t, err)
	require.JSONEq(t, string(want), text)
	requireTrainersList(t, text)
	text, _, code = command(t, "protocol", "--list")
	require.Equal(t, exitOK, code)
	for _, d := range benchmark.Known().Datasets() {
		require.Regexp(t, "(?m)^"+d.Name+" +"+d.Letter+" +"+d.Title, text)
	}
	for _, p := range benchmark.Known().Protocols(benchmark.PopulationSplit) {
		require.Contains(t, text, p.Name)
	}
}

// requireTrainersList holds the list that the trainer's tests read against the program's.
func requireTrainersList(t *testing.T, text string) {
	t.Helper()
	const path = "../../training/tests/protocols.json"
	if *update {
		require.NoError(t, os.WriteFile(path, []byte(text), 0o644))
	}
	kept, err := os.ReadFile(path)
	require.NoError(t, err)
	require.JSONEq(t, string(kept), text, "run: go test ./cmd/liveproof -run TestProtocolList -update")
}
