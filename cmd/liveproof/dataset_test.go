package main

import (
	"bytes"
	"encoding/csv"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/liveproof/liveproof/benchmark"
	"github.com/liveproof/liveproof/internal/datasettest"
)

// fixture is a part of a dataset, filled with tiny clips.
type fixture struct{ datasettest.Tree }

func newFixture(t testing.TB, name string, o benchmark.LayoutOptions) fixture {
	t.Helper()
	return fixture{datasettest.New(t, name, o)}
}

func some(train, dev, test int) map[benchmark.Split]int {
	return datasettest.Subjects(train, dev, test)
}

// extract runs `liveproof extract` on the fixture.
func (f fixture) extract(t testing.TB, out string, args ...string) (text, errText string, code int) {
	t.Helper()
	needRuntime(t)
	return command(t, append([]string{"extract", "--dataset", f.Dataset.Name, "--root", f.Root, "--out", out}, args...)...)
}

func (f fixture) mustExtract(t testing.TB, out string, args ...string) (text string) {
	t.Helper()
	text, errText, code := f.extract(t, out, args...)
	require.Equal(t, exitOK, code, errText)
	return text
}

// command runs liveproof with these arguments.
func command(t testing.TB, args ...string) (out, errOut string, code int) {
	t.Helper()
	var o, e bytes.Buffer
	root := newRootCommand()
	root.SetArgs(args)
	root.SetOut(&o)
	root.SetErr(&e)
	err := root.ExecuteContext(t.Context())
	if err != nil {
		e.WriteString(err.Error())
	}
	return o.String(), e.String(), exitCode(err)
}

func readFile(t testing.TB, parts ...string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(parts...))
	require.NoError(t, err)
	return string(data)
}

// rows reads a table by column names.
func rows(t testing.TB, path string) (list []map[string]string) {
	t.Helper()
	all, err := csv.NewReader(strings.NewReader(readFile(t, path))).ReadAll()
	require.NoError(t, err)
	for _, row := range all[1:] {
		named := map[string]string{}
		for i, name := range all[0] {
			named[name] = row[i]
		}
		list = append(list, named)
	}
	return list
}
