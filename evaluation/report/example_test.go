package report

import (
	"flag"
	"path/filepath"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

var examples = flag.String("examples", "", "folder in which TestExamples leaves fabricated reports to look at")

// fabricated are made-up reports, by name. Tests do not change them.
var fabricated = sync.OnceValue(func() map[string]*Report {
	reports := map[string]*Report{}
	for name, f := range map[string]*fabricator{"own": own(), "cross": cross(), "folds": folded(), "living": living()} {
		r, err := Build(f.plan, f.results, f.about())
		if err != nil {
			panic(err)
		}
		reports[name] = r
	}
	return reports
})

// TestExamples leaves reports to look at: go test ./evaluation/report -run TestExamples -examples DIR.
func TestExamples(t *testing.T) {
	dir := *examples
	if dir == "" {
		dir = t.TempDir()
	}
	for name, r := range fabricated() {
		require.NoError(t, r.Write(filepath.Join(dir, name)))
		require.NoError(t, r.Text(t.Output()))
	}
}
