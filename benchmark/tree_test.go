package benchmark

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

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
