package report

import (
	"flag"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

var examples = flag.String("examples", "", "folder in which TestExamples leaves fabricated reports to look at")

func fabricators() map[string]*fabricator {
	return map[string]*fabricator{"own": own(), "cross": cross(), "folds": folded(), "living": living()}
}

func TestExamples(t *testing.T) {
	dir := *examples
	if dir == "" {
		dir = t.TempDir()
	}
	for name, f := range fabricators() {
		r, err := Build(f.plan, f.results, f.about())
		require.NoError(t, err, name)
		require.NoError(t, r.Write(filepath.Join(dir, name)))
		require.NoError(t, r.Text(t.Output()))
	}
}
