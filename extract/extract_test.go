package extract

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"image"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/liveproof/liveproof/benchmark"
	"github.com/liveproof/liveproof/engine"
	"github.com/liveproof/liveproof/internal/datasettest"
	"github.com/liveproof/liveproof/media"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// fixture is a dataset and the face detector.
type fixture struct {
	datasettest.Tree
	faces *engine.Faces
}

func newFixture(t testing.TB, name string, o benchmark.LayoutOptions) fixture {
	t.Helper()
	return fixture{datasettest.New(t, name, o), datasettest.Faces(t, engine.DefaultConfig())}
}

func (f fixture) discover(t testing.TB) *benchmark.Tree {
	t.Helper()
	tree, err := f.Dataset.Discover(f.Root)
	require.NoError(t, err)
	return tree
}

// run extracts into out, two videos at once.
func (f fixture) run(t testing.TB, out string, frames int, shard Shard) (Summary, error) {
	t.Helper()
	return Run(t.Context(), f.discover(t), Options{Out: out, Frames: frames, Jobs: 2, Shard: shard}, f.faces)
}

// extract does all videos and returns the report.
func (f fixture) extract(t testing.TB, out string, frames int) benchmark.Report {
	t.Helper()
	summary, err := f.run(t, out, frames, Shard{})
	require.NoError(t, err)
	require.Zero(t, summary.Missing)
	var written benchmark.Report
	require.NoError(t, json.Unmarshal([]byte(readFile(t, out, benchmark.ReportName)), &written))
	require.Equal(t, written, *summary.Report)
	return written
}

func readFile(t testing.TB, parts ...string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(parts...))
	require.NoError(t, err)
	return string(data)
}

// manifest reads the table by column names.
func manifest(t testing.TB, dir string) (list []map[string]string) {
	t.Helper()
	all, err := csv.NewReader(strings.NewReader(readFile(t, dir, benchmark.ManifestName))).ReadAll()
	require.NoError(t, err)
	for _, row := range all[1:] {
		named := map[string]string{}
		for i, name := range all[0] {
			named[name] = row[i]
		}
		list = append(list, named)
	}
	return list
}

func record(t testing.TB, dir, id string) benchmark.Record {
	t.Helper()
	r, err := benchmark.ReadRecord(dir, id)
	require.NoError(t, err)
	return r
}

func loadPNG(t testing.TB, path string) *image.RGBA {
	t.Helper()
	m, err := png.Decode(strings.NewReader(readFile(t, path)))
	require.NoError(t, err)
	rgba, ok := m.(*image.RGBA)
	require.True(t, ok, "8-bit RGB without alpha")
	return rgba
}

// The tree has a clip for every way in which a clip can be bad.
func TestBadClipsAreReportedAndStopNothing(t *testing.T) {
	f, out := newFixture(t, "msu", benchmark.LayoutOptions{Subjects: datasettest.Subjects(1, 0, 1)}), t.TempDir() // 002, 001
	attack := func(rest string) string { return "scene01/attack/attack_client" + rest + "_scene01" }
	f.Put(t, attack("001_laptop_SD_ipad_video")+".mov", []byte(strings.Repeat("not a film ", 1000)))
	f.Put(t, attack("001_laptop_SD_iphone_video")+".mov", nil)
	f.Put(t, attack("001_laptop_SD_printed_photo")+".mov", datasettest.Clip{Suffix: ".mov", Frames: 16, Nobody: true}.Encode(t))
	f.Put(t, attack("001_android_SD_ipad_video")+".mp4", datasettest.Clip{Suffix: ".mp4", Frames: 5}.Encode(t))
	whole := datasettest.Clip{Suffix: ".avi", Frames: 16}.Encode(t)
	f.Put(t, attack("001_android_SD_iphone_video")+".avi", whole[:len(whole)*2/3])
	require.NoError(t, os.Remove(filepath.Join(f.Root, attack("001_android_SD_iphone_video")+".mp4")))
	f.Put(t, attack("001_android_SD_printed_photo")+".MP4", datasettest.Clip{Suffix: ".mp4", Frames: 16}.Encode(t))
	require.NoError(t, os.Remove(filepath.Join(f.Root, attack("001_android_SD_printed_photo")+".mp4")))

	report := f.extract(t, out, 6)
	require.Equal(t, map[benchmark.Status]int{"ok": 13, "unreadable": 1, "zero_frames": 1, "no_face": 1}, report.Videos)
	why := map[string]benchmark.Status{}
	for _, n := range report.Nothing {
		why[n.ID] = n.Status
		require.Equal(t, n.Status == benchmark.StatusNoFace, n.Error == "")
	}
	require.Equal(t, map[string]benchmark.Status{
		attack("001_laptop_SD_ipad_video"): "unreadable", attack("001_laptop_SD_iphone_video"): "zero_frames", attack("001_laptop_SD_printed_photo"): "no_face",
	}, why)
	r := record(t, out, attack("001_android_SD_ipad_video"))
	require.Len(t, r.Crops, 5, "all of them, none twice")
	require.Equal(t, []string{"has 5 frames only"}, r.Notes)
	r = record(t, out, attack("001_android_SD_iphone_video"))
	require.Greater(t, r.Frames, 5)
	require.Less(t, r.Frames, 16)
	require.Equal(t, (r.Sampled-1)*r.Frames/r.Sampled, r.Crops[len(r.Crops)-1].Frame, "spaced over what the decoder gave, not what the header promised")

	var frames, times []string
	for _, row := range manifest(t, out) {
		if row["video"] == "scene01/real/real_client001_laptop_SD_scene01" {
			frames, times = append(frames, row["frame"]), append(times, row["time"])
		}
	}
	require.Equal(t, []string{"0", "2", "5", "8", "10", "13"}, frames, "16 frames, 25 a second")
	require.Equal(t, []string{"0.000000", "0.080000", "0.200000", "0.320000", "0.400000", "0.520000"}, times)

	f.verify(t, out, [6]int{16, 16, 0, 1, 1, 1})
	f.verify(t, "", [6]int{16, 16, 0, 1, 1, 0}) // without records no faces are searched
}

// verify counts expected, found, missing, unreadable, empty and faceless videos.
func (f fixture) verify(t *testing.T, out string, want [6]int) {
	t.Helper()
	var told []Progress
	o := Options{Out: out, Jobs: 2, Progress: func(p Progress) { told = append(told, p) }}
	c, err := Verify(t.Context(), f.discover(t), o, media.DefaultConfig())
	require.NoError(t, err)
	require.Equal(t, want, [6]int{c.Expected, c.Found, len(c.Missing), len(c.Unreadable), len(c.ZeroFrames), len(c.NoFace)})
	require.Len(t, told, want[1]+1)
	require.Equal(t, Progress{Total: want[1], Done: want[1], Skipped: want[1]}, told[want[1]])
}

// The crops of an upside-down clip are always upright: when it is stored upside
// down, when it also has a tag by which the decoder turns it, and when a copy
// stores it upright.
func TestUpsideDownClipsAreTurnedOnce(t *testing.T) {
	id := "scene01/real/real_client003_android_SD_scene01"
	for name, c := range map[string]struct {
		clip           datasettest.Clip
		rotation, turn int
	}{
		"stored upside down":        {datasettest.Clip{Suffix: ".mp4", Frames: 16, UpsideDown: true}, 0, 180},
		"with the container's tag":  {datasettest.Clip{Suffix: ".mp4", Frames: 16, UpsideDown: true, Rotate: "180"}, 180, 0},
		"already turned by someone": {datasettest.Clip{Suffix: ".mp4", Frames: 16}, 0, 0},
	} {
		t.Run(name, func(t *testing.T) {
			f, out := newFixture(t, "msu", benchmark.LayoutOptions{Subjects: datasettest.Subjects(2, 0, 0)}), t.TempDir()
			require.NoError(t, os.RemoveAll(filepath.Join(f.Root, "scene01", "attack"))) // not needed
			f.Put(t, id+".mp4", c.clip.Encode(t))
			f.extract(t, out, 1)
			r := record(t, out, id)
			require.Equal(t, benchmark.StatusOK, r.Status)
			require.Equal(t, [2]int{c.rotation, c.turn}, [2]int{r.Rotation, r.Turn}, "%v", r.Notes)
			require.Contains(t, r.Notes[0], "orientation by")
			other := record(t, out, "scene01/real/real_client002_android_SD_scene01")
			require.Zero(t, other.Turn)
			require.Less(t, difference(loadPNG(t, filepath.Join(out, r.Crops[0].File)), loadPNG(t, filepath.Join(out, other.Crops[0].File))), 3.0,
				"the same crop as of the clip that was never turned")
		})
	}
}

// difference is the mean over all values, in levels.
func difference(a, b *image.RGBA) (mean float64) {
	for i, v := range a.Pix {
		mean += max(float64(v), float64(b.Pix[i])) - min(float64(v), float64(b.Pix[i]))
	}
	return mean / float64(len(a.Pix))
}

func TestSpacedFrames(t *testing.T) {
	require.Equal(t, []int{0, 15, 30, 45, 60, 75, 90, 105, 120, 135}, spaced(150, 10))
	require.Equal(t, []int{0, 1, 3, 4, 6, 7, 9, 10, 12, 13}, spaced(15, 10))
	require.Equal(t, []int{0, 1, 2, 3, 4}, spaced(5, 10))
	require.Empty(t, spaced(0, 10))
}

func TestTurnOver(t *testing.T) {
	m := datasettest.Pack(loadPNG(t, "../models/golden/none_0.png"))
	before := bytes.Clone(m.Pix)
	m.TurnOver()
	require.Equal(t, before[:3], m.Pix[len(m.Pix)-3:])
	require.NotEqual(t, before, m.Pix)
	m.TurnOver()
	require.Equal(t, before, m.Pix)
}
