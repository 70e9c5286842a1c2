package evaluation_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/liveproof/liveproof/benchmark"
	"github.com/liveproof/liveproof/evaluation"
)

// datasets lays out one subject of each split of all four datasets, with empty files, and finds them again.
func datasets(t *testing.T) (files []benchmark.File) {
	t.Helper()
	one := map[benchmark.Split]int{benchmark.Train: 1, benchmark.Dev: 1, benchmark.Test: 1}
	for _, d := range benchmark.Known().Datasets() {
		plans, err := d.Layout(benchmark.LayoutOptions{Every: 1, Scale: 1, Subjects: one})
		require.NoError(t, err)
		root := t.TempDir()
		require.NoError(t, d.WriteLayout(root, plans))
		for _, p := range plans {
			require.NoError(t, os.WriteFile(filepath.Join(root, p.Path), nil, 0o600))
		}
		found, err := benchmark.Known().RootFiles(d.Name + "=" + root)
		require.NoError(t, err)
		files = append(files, found...)
	}
	return files
}

func TestProtocol(t *testing.T) {
	files := datasets(t)
	for _, c := range []struct {
		name, population string
		want             string // protocol, as the catalogue writes it
		presentations    int
		folds            []string
		dev, eval        int // of each fold
	}{
		{"oulu-1", "", "oulu-1", 90, []string{""}, 60, 30},
		{"OULU-2", "", "oulu-2", 108, []string{""}, 54, 54},
		{"oulu-3", "", "oulu-3", 180, []string{"oulu-3.1", "oulu-3.2", "oulu-3.3", "oulu-3.4", "oulu-3.5", "oulu-3.6"}, 75, 15},
		{"oulu-4", "", "oulu-4", 54, []string{"oulu-4.1", "oulu-4.2", "oulu-4.3", "oulu-4.4", "oulu-4.5", "oulu-4.6"}, 30, 3},
		{"oulu-4.2", "", "oulu-4.2", 33, []string{""}, 30, 3},
		{"oci-m", "split", "OCI-M", 90 + 12 + 24 + 8, []string{""}, 90 + 12 + 24, 8},
		{"OMI-C", "", "OMI-C", 90 + 8 + 24 + 12, []string{""}, 90 + 8 + 24, 12},
		{"ocm-i", "", "OCM-I", 90 + 12 + 8 + 24, []string{""}, 90 + 12 + 8, 24},
		{"icm-o", "", "ICM-O", 24 + 12 + 8 + 90, []string{""}, 24 + 12 + 8, 90},
		{"icm-o", "all-nodev", "ICM-O", 24 + 180, []string{""}, 24, 180},
		{"icm-o", "everything", "ICM-O", 270, []string{""}, 0, 270},
	} {
		t.Run(c.name+" "+c.population, func(t *testing.T) {
			plan, err := evaluation.Protocol(benchmark.Known(), c.name, benchmark.Population(c.population), files)
			require.NoError(t, err)
			require.Equal(t, c.want, plan.Protocol)
			require.Len(t, plan.Presentations, c.presentations, "each video once")
			names := map[string]evaluation.Presentation{}
			for _, p := range plan.Presentations {
				require.NotContains(t, names, p.Name)
				names[p.Name] = p
			}
			require.Len(t, plan.Folds, len(c.folds))
			for i, fold := range plan.Folds {
				require.Equal(t, c.folds[i], fold.Name)
				require.Len(t, fold.Dev, c.dev, fold.Name)
				require.Len(t, fold.Eval, c.eval, fold.Name)
				for _, name := range append(fold.Dev, fold.Eval...) {
					require.Contains(t, names, name)
				}
			}
			require.NotEmpty(t, plan.Warnings, "a subject a split is less than what is published")
			said := map[string]bool{}
			for _, warning := range plan.Warnings {
				_, text, _ := strings.Cut(warning, ": ")
				require.False(t, said[text], "said once for all folds: %s", warning)
				said[text] = true
			}
		})
	}
}

func TestProtocolOfTruth(t *testing.T) {
	plan, err := evaluation.Protocol(benchmark.Known(), "oci-m", "", datasets(t))
	require.NoError(t, err)
	require.Equal(t, "OCI-M: oulu, casia, replay to msu", plan.Title)
	require.Equal(t, "split", plan.Population)
	seen := map[string]evaluation.Presentation{}
	for _, p := range plan.Presentations {
		seen[p.Name] = p
		require.FileExists(t, p.Path)
		require.NotEqual(t, "train", p.Meta["split"], "what was trained on is not judged")
	}
	attack := seen["msu/scene01/attack/attack_client001_laptop_SD_ipad_video_scene01"]
	require.Equal(t, [4]string{"msu/001", "replay", "ipad_video", "laptop"}, [4]string{attack.Subject, attack.AttackType, attack.Instrument, attack.Meta["camera"]})
	bonaFide := seen["msu/scene01/real/real_client001_laptop_SD_scene01"]
	require.True(t, bonaFide.BonaFide())
	require.Empty(t, bonaFide.Instrument)
	require.Equal(t, []string{"camera", "dataset", "session", "split"}, plan.MetaNames())
}

func TestProtocolWithoutAllDatasets(t *testing.T) {
	byDataset := map[string][]benchmark.File{}
	for _, f := range datasets(t) {
		byDataset[f.Dataset] = append(byDataset[f.Dataset], f)
	}
	target, err := evaluation.Protocol(benchmark.Known(), "oci-m", "", byDataset["msu"])
	require.NoError(t, err, "the sources only give development videos")
	require.Empty(t, target.Folds[0].Dev)
	require.Equal(t, []string{
		"OCI-M: no development videos: the threshold is the model's own",
		"OCI-M: msu test: 8 of the 160 published videos; extract --verify names those that are missing",
	}, target.Warnings)
	some, err := evaluation.Protocol(benchmark.Known(), "oci-m", "", append(byDataset["msu"], byDataset["replay"]...))
	require.NoError(t, err)
	require.Len(t, some.Folds[0].Dev, 24)
	require.Contains(t, some.Warnings, "OCI-M: no development videos of oulu, casia")

	_, err = evaluation.Protocol(benchmark.Known(), "oci-m", "", byDataset["oulu"])
	require.ErrorContains(t, err, "OCI-M: no test video: name the folder of msu")
	_, err = evaluation.Protocol(benchmark.Known(), "oci-m", "", append(byDataset["msu"], byDataset["msu"]...))
	require.ErrorContains(t, err, "name each dataset once")
	_, err = evaluation.Protocol(benchmark.Known(), "siw-1", "", byDataset["msu"])
	require.ErrorContains(t, err, `"siw-1" is no protocol; known are oulu-1`)
	_, err = evaluation.Protocol(benchmark.Known(), "oci-m", "half", byDataset["msu"])
	require.ErrorContains(t, err, `"half" is no population`)
}
