package benchmark

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestCASIA(t *testing.T) {
	facts{
		counts:   map[Split][2]int{Train: {180, 60}, Test: {270, 90}},
		subjects: 50, perSubject: 12,
		names: []Video{ // train/5 and test/5 are different people
			{ID: "train_release/5/HR_3", Split: Train, Subject: "5", Session: "1", Camera: "HR", PAI: Cut, Instrument: "cut"},
			{ID: "test_release/5/HR_1", Split: Test, Subject: "25", Session: "1", Camera: "HR", PAI: BonaFide},
			{ID: "test_release/30/8", Split: Test, Subject: "50", Session: "1", Camera: "B", PAI: Replay, Instrument: "tablet"},
		},
		strangers:  []string{"train_release/21/1", "train_release/01/1"},
		annotation: "0 10 20 100 120",
		half:       map[string][2]int{"A": {320, 240}, "B": {240, 320}, "HR": {368, 640}},
		rate:       25,
	}.check(t, open(t, "casia"))
}

func TestOuterFolders(t *testing.T) {
	d, root := open(t, "casia"), t.TempDir()
	plant(t, d, filepath.Join(root, "a", "CASIA_faceAntisp", "b"), LayoutOptions{Subjects: map[Split]int{Train: 1, Test: 1}})
	require.Len(t, discover(t, d, root).Files, 24)
	require.NoError(t, os.Rename(filepath.Join(root, "a"), filepath.Join(root, "A")))
	deep := filepath.Join(root, "0")
	require.NoError(t, os.Mkdir(deep, 0o755))
	require.NoError(t, os.Rename(filepath.Join(root, "A"), filepath.Join(deep, "A")))
	_, err := d.Discover(root)
	require.ErrorContains(t, err, "no CASIA-FASD here", "four folders are too many")
}

// An archive unpacked into a folder of its own name.
func TestFoldersNamedAsTheirArchives(t *testing.T) {
	d, root := open(t, "casia"), t.TempDir()
	for _, g := range []string{"train_release", "test_release"} {
		plant(t, d, filepath.Join(root, g), LayoutOptions{Subjects: map[Split]int{Train: 1, Test: 1}})
		other := map[string]string{"train_release": "test_release", "test_release": "train_release"}[g]
		require.NoError(t, os.RemoveAll(filepath.Join(root, g, other)))
	}
	tree := discover(t, d, root)
	require.Len(t, tree.Files, 24)
	require.Empty(t, tree.Extra)
}
