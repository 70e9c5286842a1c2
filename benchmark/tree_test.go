package benchmark

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

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
	for name, text := range d.ListFiles(plans) {
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

func TestCompleteTreesAreFoundWhole(t *testing.T) {
	for _, d := range All() {
		root := t.TempDir()
		plant(t, d, root, LayoutOptions{})
		tree := discover(t, d, root)
		c := verify(t, tree)
		require.True(t, c.Complete(), "%+v", c)
		require.Equal(t, "published", c.By)
		require.Len(t, tree.Files, len(d.Videos()))
		require.Empty(t, c.Extra)
		require.Empty(t, c.Lists)
		require.Empty(t, c.Warnings)
		for i, f := range tree.Files {
			v, _ := d.Lookup(f.ID)
			require.Equal(t, v, f.Video)
			require.True(t, i == 0 || tree.Files[i-1].ID < f.ID, "sorted, once each")
		}
	}
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

func TestExtractedCropsAreNoDataset(t *testing.T) {
	d, root := open(t, "casia"), t.TempDir()
	plant(t, d, root, LayoutOptions{Subjects: map[Split]int{Train: 1, Test: 1}})
	touch(t, filepath.Join(root, SettingsName), "{}")
	require.Len(t, discover(t, d, root).Files, 24, "a file of that name alone hides nothing")
	require.NoError(t, os.Mkdir(filepath.Join(root, "records"), 0o755))
	_, err := d.Discover(root)
	require.ErrorContains(t, err, "holds extracted crops")
}

func TestAPlanOfAnotherDatasetPlansNothing(t *testing.T) {
	d, root := open(t, "casia"), t.TempDir()
	plant(t, d, root, LayoutOptions{Subjects: map[Split]int{Train: 1, Test: 1}})
	touch(t, filepath.Join(root, PlanName), "dataset,video\nmsu,scene01/real/real_client001_laptop_SD_scene01\n")
	_, err := discover(t, d, root).Verify()
	require.ErrorContains(t, err, "plans no video of CASIA-FASD")
}

// Replay-Attack's archives each unpack into a folder of their own, and some copies say attk.
func TestReplayAttackVariants(t *testing.T) {
	d, root := open(t, "replay"), t.TempDir()
	plans := plant(t, d, root, LayoutOptions{Subjects: map[Split]int{Train: 1, Dev: 1, Test: 1}})
	for _, g := range []string{"train", "devel", "test"} {
		outer := filepath.Join(root, "replayattack-"+g)
		require.NoError(t, os.Mkdir(outer, 0o755))
		require.NoError(t, os.Rename(filepath.Join(root, g), filepath.Join(outer, g)))
	}
	devel := filepath.Join(root, "replayattack-devel", "devel")
	require.NoError(t, os.Rename(filepath.Join(devel, "attack"), filepath.Join(devel, "attk")))
	touch(t, filepath.Join(root, "face-locations", "train", "real", "client001_session01_webcam_authenticate_adverse_1.face"), "0 1 1 1 1")
	touch(t, filepath.Join(root, "enroll", "train", "real", "client001_session01_webcam_enroll_adverse_1.mov"), "")
	tree := discover(t, d, root)
	require.Len(t, tree.Files, len(plans))
	require.Empty(t, tree.Extra, "enrolment is none of this")
}

func TestTwoCopiesAreAmbiguous(t *testing.T) {
	d, root := open(t, "oulu"), t.TempDir()
	for _, copy := range []string{"old", "new"} {
		plant(t, d, filepath.Join(root, copy), LayoutOptions{Subjects: map[Split]int{Train: 1, Dev: 0, Test: 0}})
	}
	_, err := d.Discover(root)
	require.ErrorContains(t, err, "two folders Train_files")
}

func TestSuffixes(t *testing.T) {
	d, root := open(t, "oulu"), t.TempDir()
	for _, name := range []string{"1_1_01_1.AVI", "1_1_01_2.avi", "1_1_01_2.AVI", "1_1_01_3.mp4", "1_1_01_1.txt", "1_1_99_1.avi", "notes.mov"} {
		touch(t, filepath.Join(root, "Train_files", name), "")
	}
	tree := discover(t, d, root)
	require.Len(t, tree.Files, 3)
	require.Equal(t, "1_1_01_2.avi", filepath.Base(tree.Files[1].Path), "as distributed before others")
	require.Len(t, tree.Extra, 3, "%v", tree.Extra)
}

func TestVerifyTellsWhatIsMissing(t *testing.T) {
	d, root := open(t, "casia"), t.TempDir()
	plant(t, d, root, LayoutOptions{})
	require.NoError(t, os.Remove(filepath.Join(root, "test_release", "3", "HR_1.avi")))
	touch(t, filepath.Join(root, "test_release", "31", "1.avi"), "")
	c := verify(t, discover(t, d, root))
	require.False(t, c.Complete())
	require.Equal(t, []string{"test_release/3/HR_1"}, c.Missing)
	require.Equal(t, []ExpectedSubject{{Test, "23", 12, 11}}, c.Subjects)
	require.Equal(t, 600, c.Expected)
	require.Equal(t, 599, c.Found)
	require.Len(t, c.Extra, 1)
	require.Contains(t, c.Groups, ExpectedGroup{Test, 1, 90, 89})
	var text strings.Builder
	require.NoError(t, c.Text(&text))
	require.Contains(t, text.String(), "missing: test_release/3/HR_1")
	require.Contains(t, text.String(), "expected 600, found 599, missing 1, extra 1")
}

func TestVerifyByPlan(t *testing.T) {
	d, root := open(t, "msu"), t.TempDir()
	plans := plant(t, d, root, LayoutOptions{Subjects: map[Split]int{Train: 1, Test: 1}})
	var text strings.Builder
	require.NoError(t, WritePlan(&text, plans))
	touch(t, filepath.Join(root, PlanName), text.String())
	c := verify(t, discover(t, d, root))
	require.True(t, c.Complete(), "%+v", c)
	require.Equal(t, [3]any{PlanName, 16, 16}, [3]any{c.By, c.Expected, c.Found})
	require.NoError(t, os.Remove(filepath.Join(root, plans[0].Path)))
	require.False(t, verify(t, discover(t, d, root)).Complete())
	touch(t, filepath.Join(root, PlanName), "dataset,video\nmsu,nonsense\n")
	_, err := discover(t, d, root).Verify()
	require.ErrorContains(t, err, "no video of MSU-MFSD")
}

func TestMSULists(t *testing.T) {
	d, root := open(t, "msu"), t.TempDir()
	plant(t, d, root, LayoutOptions{})
	list := filepath.Join(root, msuTrainList)
	raw, err := os.ReadFile(list)
	require.NoError(t, err)
	require.Equal(t, "02\r\n03\r\n05\r\n06\r\n07\r\n08\r\n09\r\n11\r\n12\r\n21\r\n22\r\n34\r\n53\r\n54\r\n55", string(raw))

	touch(t, list, strings.Replace(string(raw), "02\r\n", "", 1)) // client 002 is in neither
	tree := discover(t, d, root)
	require.Equal(t, []string{"subject 002 is in neither list; it stays in train"}, tree.Warnings)
	touch(t, filepath.Join(root, msuTestList), "2\r\n01")
	tree = discover(t, d, root)
	for _, f := range tree.Files {
		require.Equal(t, f.Subject == "002" || tally([]Video{f.Video})[Test] != [2]int{}, f.Split == Test, "numbers compare, not digits")
	}
	require.Contains(t, tree.Warnings, "subject 002 is in test by the list file, in train as published; the file counts")
	require.NoError(t, os.Remove(list))
	require.Contains(t, discover(t, d, root).Warnings[0], "the published split is used")
}

// Crops of a dataset lie in folders of the same names; they are not the dataset.
func TestExtractionBesideTheData(t *testing.T) {
	d, root := open(t, "msu"), t.TempDir()
	plant(t, d, filepath.Join(root, "MSU-MFSD"), LayoutOptions{Subjects: map[Split]int{Train: 1, Test: 1}})
	touch(t, filepath.Join(root, "crops", SettingsName), "{}")
	touch(t, filepath.Join(root, "crops", "crops", "scene01", "real", "x", "1.png"), "")
	require.Len(t, discover(t, d, root).Files, 16)
}

func FuzzIdentity(f *testing.F) {
	f.Add("Train_files/1_1_01_1.AVI")
	f.Add("train_release/1/HR_1.avi.mov")
	casia := open(f, "casia")
	f.Fuzz(func(t *testing.T, path string) {
		id, ok := identity(path)
		if ok && (len(path)-len(id) != 4 || !strings.HasPrefix(path, id)) {
			t.Errorf("%q → %q", path, id)
		}
		if v, known := casia.Lookup(id); known && v.ID != id {
			t.Errorf("%q is looked up as %q", id, v.ID)
		}
	})
}
