// Package datasettest lays out benchmark datasets for tests: a tree with the
// exact layout, filled with tiny clips of a generated face, the same few files
// under all the names. Tests are skipped, by name, where ffmpeg or ONNX Runtime
// is not installed.
package datasettest

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/liveproof/liveproof/benchmark"
)

// Tree is a part of a dataset on disk.
type Tree struct {
	Dataset *benchmark.Dataset
	Root    string
	Plans   []benchmark.Plan
}

// New lays a part of a dataset out and fills it with clips of 16 frames.
func New(t testing.TB, name string, o benchmark.LayoutOptions) Tree {
	t.Helper()
	dataset, err := benchmark.Known().Open(name)
	require.NoError(t, err)
	o.Every, o.Scale = max(o.Every, 1), 1
	plans, err := dataset.Layout(o)
	require.NoError(t, err)
	tree := Tree{dataset, t.TempDir(), plans}
	require.NoError(t, dataset.WriteLayout(tree.Root, plans))
	for _, p := range plans {
		tree.Put(t, p.Path, Clip{Suffix: filepath.Ext(p.Path), Frames: 16, UpsideDown: p.Turned() == 180}.Encode(t))
	}
	return tree
}

// Put gives a file of the tree the content.
func (f Tree) Put(t testing.TB, path string, data []byte) {
	t.Helper()
	require.NoError(t, os.WriteFile(filepath.Join(f.Root, filepath.FromSlash(path)), data, 0o600))
}

// Subjects counts those of each split.
func Subjects(train, dev, test int) map[benchmark.Split]int {
	return map[benchmark.Split]int{benchmark.Train: train, benchmark.Dev: dev, benchmark.Test: test}
}
