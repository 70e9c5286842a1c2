package benchmark

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// With --every every subject keeps something, whole groups are kept, and all combinations occur.
func TestLayoutThinsOut(t *testing.T) {
	for _, d := range Known().Datasets() {
		all := d.combinations()
		for _, every := range []int{1, 2, 3, 6, 100} {
			subjects, combinations, groups := map[string]bool{}, map[string]bool{}, map[string]map[PAI]bool{}
			for _, p := range layout(t, d, LayoutOptions{Every: every, Scale: 1}) {
				subjects[p.Subject], combinations[p.combination()] = true, true
				key := p.Subject + p.combination()
				if groups[key] == nil {
					groups[key] = map[PAI]bool{}
				}
				groups[key][p.PAI] = true
			}
			require.Len(t, subjects, d.listed().Subjects, "%s every %d", d.Name, every)
			require.Len(t, combinations, len(all), "%s every %d", d.Name, every)
			for key, pais := range groups {
				require.True(t, pais[BonaFide] && len(pais) >= 3, "%s %s", d.Name, key)
			}
		}
	}
}

func TestLayoutSubjects(t *testing.T) {
	counts := map[Split]map[string]bool{}
	for _, p := range layout(t, open(t, "oulu"), LayoutOptions{Every: 18, Scale: 1, Subjects: map[Split]int{Train: 3, Dev: 1, Test: 2}}) {
		if counts[p.Split] == nil {
			counts[p.Split] = map[string]bool{}
		}
		counts[p.Split][p.Subject] = true
	}
	require.Equal(t, [3]int{3, 1, 2}, [3]int{len(counts[Train]), len(counts[Dev]), len(counts[Test])})
	_, err := open(t, "msu").Layout(LayoutOptions{Every: 1, Scale: 1, Subjects: map[Split]int{Train: 0, Test: 0}})
	require.ErrorContains(t, err, "subjects:")
	for _, o := range []LayoutOptions{{Every: 0, Scale: 1}, {Every: 1}, {Every: 1, Scale: 2}, {Every: 1, Scale: 1, Rate: -1}} {
		require.Error(t, o.Validate(), "%+v", o)
	}
}

func TestPlan(t *testing.T) {
	var text strings.Builder
	require.NoError(t, WritePlan(&text, layout(t, open(t, "msu"), LayoutOptions{Every: 1, Scale: 0.5, Rate: 15})))
	require.Contains(t, text.String(), "\nscene01/real/real_client003_android_SD_scene01.mp4,scene01/real/real_client003_android_SD_scene01,"+
		"msu,train,003,1,android,none,,1,368,240,15,180,,1,0,234\n")
	require.Equal(t, 281, strings.Count(text.String(), "\n"))
}

func TestFolders(t *testing.T) {
	d := open(t, "replay")
	plans := layout(t, d, LayoutOptions{Every: 1, Scale: 1, Subjects: map[Split]int{Train: 1, Dev: 0, Test: 0}})
	require.Equal(t, []string{"train/real", "face-locations/train/real", "train/attack/fixed", "face-locations/train/attack/fixed",
		"train/attack/hand", "face-locations/train/attack/hand"}, d.folders(plans))
}

func TestLayoutSparesWhatIsThere(t *testing.T) {
	d, root := open(t, "msu"), filepath.Join(t.TempDir(), "new")
	require.NoError(t, d.mayLayOut(root))
	touch(t, filepath.Join(root, "train_sub_list.txt"), "all of them\n")
	require.ErrorContains(t, d.mayLayOut(root), "take another folder", "the true dataset's lists")
	for content, may := range map[string]bool{
		"dataset,video\nmsu,x\n": true, "dataset,video\ncasia,x\n": false, "dataset,video\n": false, "x\n": false, "": false,
	} {
		require.NoError(t, os.WriteFile(filepath.Join(root, PlanName), []byte(content), 0o600))
		require.Equal(t, may, d.mayLayOut(root) == nil, "%q", content)
	}
}
