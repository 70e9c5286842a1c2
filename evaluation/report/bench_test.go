package report

import (
	"fmt"
	"io"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/liveproof/liveproof/evaluation"
)

// many is as large as a whole benchmark: 5000 presentations.
func many() *fabricator {
	f := fabricate(5, "Everything")
	var fold evaluation.Fold
	for k := range 10 {
		set := fmt.Sprintf("set%d", k)
		fold.Eval = append(fold.Eval, f.add(set, "", 100, 0.8)...)
		fold.Eval = append(fold.Eval, f.add(set, "print", 200, 0.3)...)
		fold.Eval = append(fold.Eval, f.add(set, "replay", 200, 0.4)...)
	}
	f.plan.Folds = []evaluation.Fold{fold}
	return f
}

func BenchmarkBuild(b *testing.B) {
	f := many()
	for b.Loop() {
		_, err := Build(f.plan, f.results, f.about())
		require.NoError(b, err)
	}
}

func BenchmarkHTML(b *testing.B) {
	f := many()
	r, err := Build(f.plan, f.results, f.about())
	require.NoError(b, err)
	for b.Loop() {
		require.NoError(b, r.HTML(io.Discard))
	}
}
