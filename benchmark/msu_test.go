package benchmark

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/liveproof/liveproof"
)

func TestMSU(t *testing.T) {
	facts{
		counts:   map[Split][2]int{Train: {90, 30}, Test: {120, 40}},
		subjects: 35, perSubject: 8,
		names: []Video{
			{ID: "scene01/attack/attack_client055_laptop_SD_printed_photo_scene01", Split: Train, Subject: "055", Session: "1",
				Camera: "laptop", PAI: Print, Instrument: "printed_photo"},
		},
		strangers:  []string{"scene01/real/real_client003_android_SD_scene02"},
		annotation: "0,10,20,110,140,30,50,80,50\r\n",
		half:       map[string][2]int{"android": {368, 240}, "laptop": {320, 240}},
		rate:       30,
	}.check(t, open(t, "msu"))
}

func TestUpsideDown(t *testing.T) {
	var turned []string
	for _, v := range open(t, "msu").Videos {
		if v.Turned() == 180 {
			turned = append(turned, v.ID)
		}
	}
	var want []string
	for _, client := range []int{3, 5, 6, 7, 8, 9} {
		want = append(want, fmt.Sprintf("scene01/real/real_client%03d_android_SD_scene01", client))
	}
	require.Equal(t, want, turned)
}

func TestMSUFaces(t *testing.T) {
	rows, err := parseMSUFaces(strings.NewReader("0,100.5,50,180,140,120,80,160,81"))
	require.NoError(t, err)
	require.Equal(t, []Annotation{{
		Box:  liveproof.Box{X1: 100.5, Y1: 50, X2: 180, Y2: 140},
		Eyes: &[2]liveproof.Point{{X: 120, Y: 80}, {X: 160, Y: 81}},
	}}, rows, "corners, not a size")
}

func TestMSULists(t *testing.T) {
	d, root := open(t, "msu"), t.TempDir()
	plant(t, d, root, LayoutOptions{})
	list := filepath.Join(root, "train_sub_list.txt")
	raw, err := os.ReadFile(list)
	require.NoError(t, err)
	require.Equal(t, "02\r\n03\r\n05\r\n06\r\n07\r\n08\r\n09\r\n11\r\n12\r\n21\r\n22\r\n34\r\n53\r\n54\r\n55", string(raw))

	touch(t, list, strings.Replace(string(raw), "02\r\n", "", 1)) // client 002 is in neither
	tree := discover(t, d, root)
	require.Equal(t, []string{"subject 002 is in neither list; it stays in train"}, tree.Warnings)
	touch(t, filepath.Join(root, "test_sub_list.txt"), "2\r\n01")
	tree = discover(t, d, root)
	for _, f := range tree.Files {
		require.Equal(t, f.Subject == "002" || splitCounts([]Video{f.Video})[Test] != [2]int{}, f.Split == Test, "numbers compare, not digits")
	}
	require.Contains(t, tree.Warnings, "subject 002 is in test by the list file, in train as published; the file counts")
	require.NoError(t, os.Remove(list))
	require.Contains(t, discover(t, d, root).Warnings[0], "the published split is used")
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

// Crops of a dataset lie in folders of the same names; they are not the dataset.
func TestExtractionBesideTheData(t *testing.T) {
	d, root := open(t, "msu"), t.TempDir()
	plant(t, d, filepath.Join(root, "MSU-MFSD"), LayoutOptions{Subjects: map[Split]int{Train: 1, Test: 1}})
	touch(t, filepath.Join(root, "crops", SettingsName), "{}")
	touch(t, filepath.Join(root, "crops", "crops", "scene01", "real", "x", "1.png"), "")
	require.Len(t, discover(t, d, root).Files, 16)
}
