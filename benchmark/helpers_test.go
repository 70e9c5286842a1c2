package benchmark

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

func open(t testing.TB, name string) *Dataset {
	t.Helper()
	d, err := Known().Open(name)
	require.NoError(t, err)
	return d
}

// splitCounts counts attacks and bona fide videos of each split.
func splitCounts(videos []Video) map[Split][2]int {
	counts := map[Split][2]int{}
	for _, v := range videos {
		c := counts[v.Split]
		c[v.Label()]++
		counts[v.Split] = c
	}
	return counts
}

func layout(t testing.TB, d *Dataset, o LayoutOptions) []Plan {
	t.Helper()
	plans, err := d.Layout(o)
	require.NoError(t, err)
	return plans
}

// plant lays out a dataset with empty files; discovery looks at names only.
func plant(t testing.TB, d *Dataset, root string, o LayoutOptions) []Plan {
	t.Helper()
	if o.Every == 0 {
		o.Every = 1
	}
	o.Scale = 1
	plans, err := d.Layout(o)
	require.NoError(t, err)
	for _, p := range plans {
		touch(t, filepath.Join(root, p.Path), "")
	}
	for name, text := range d.listFiles(plans) {
		touch(t, filepath.Join(root, name), text)
	}
	return plans
}

func touch(t testing.TB, path, text string) {
	t.Helper()
	require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
}

func discover(t testing.TB, d *Dataset, root string) *Tree {
	t.Helper()
	tree, err := d.Discover(root)
	require.NoError(t, err)
	return tree
}

func verify(t testing.TB, tree *Tree) Completeness {
	t.Helper()
	c, err := tree.Verify()
	require.NoError(t, err)
	return c
}
