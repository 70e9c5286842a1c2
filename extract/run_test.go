package extract

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/liveproof/liveproof/benchmark"
	"github.com/liveproof/liveproof/engine"
	"github.com/liveproof/liveproof/internal/datasettest"
	"github.com/liveproof/liveproof/media"
)

func TestShardsMerge(t *testing.T) {
	f, whole, merged := newFixture(t, "casia", benchmark.LayoutOptions{Subjects: datasettest.Subjects(1, 0, 1)}), t.TempDir(), t.TempDir()
	f.extract(t, whole, 1)
	for i := range 3 {
		out := t.TempDir()
		summary, err := f.run(t, out, 1, Shard{i, 3})
		require.NoError(t, err)
		require.Equal(t, Summary{Missing: 16}, summary)
		require.NoFileExists(t, filepath.Join(out, benchmark.ManifestName))
		require.NoError(t, exec.Command("cp", "-r", out+"/.", merged).Run())
	}
	f.extract(t, merged, 1)
	require.Equal(t, readFile(t, whole, benchmark.ManifestName), readFile(t, merged, benchmark.ManifestName))
	require.Equal(t, readFile(t, whole, benchmark.ReportName), readFile(t, merged, benchmark.ReportName))

	_, err := f.run(t, merged, 2, Shard{})
	require.ErrorIs(t, err, ErrOutput)
	require.ErrorContains(t, err, "other settings", "crops of two kinds do not mix")
}

// TestExtractProcess is not a test but the process that TestExtractSurvivesAKill kills.
func TestExtractProcess(t *testing.T) {
	root, out, ok := strings.Cut(os.Getenv("EXTRACT_PROCESS"), "\n")
	if !ok {
		t.Skip("only as a child of another test")
	}
	dataset, err := benchmark.Known().Open("msu")
	require.NoError(t, err)
	tree, err := dataset.Discover(root)
	require.NoError(t, err)
	_, err = Run(t.Context(), tree, Options{Out: out, Frames: 3, Jobs: 1}, datasettest.Faces(t, engine.DefaultConfig()))
	require.NoError(t, err)
}

func TestExtractSurvivesAKill(t *testing.T) {
	f, whole, out := newFixture(t, "msu", benchmark.LayoutOptions{Subjects: datasettest.Subjects(1, 0, 1)}), t.TempDir(), t.TempDir()
	f.extract(t, whole, 3)
	child := exec.Command(os.Args[0], "-test.run=^TestExtractProcess$")
	child.Env = append(os.Environ(), "EXTRACT_PROCESS="+f.Root+"\n"+out)
	require.NoError(t, child.Start())
	done := func() int {
		list, _ := filepath.Glob(filepath.Join(out, "records", "scene01", "*", "*.json"))
		return len(list)
	}
	require.Eventually(t, func() bool { return done() >= 2 }, 5*time.Minute, time.Millisecond)
	require.NoError(t, child.Process.Signal(syscall.SIGKILL))
	require.Error(t, child.Wait())
	require.Less(t, done(), len(f.Plans), "killed on the way")
	require.NoFileExists(t, filepath.Join(out, benchmark.ManifestName))

	// In addition to what the kill left: a truncated crop, and crops of a video without a
	// record.
	first, err := filepath.Glob(filepath.Join(out, "crops", "scene01", "*", "*", "*.png"))
	require.NoError(t, err)
	require.NoError(t, os.Truncate(first[0], 100))
	stray := filepath.Join(out, "crops", "scene01", "real", "real_client002_laptop_SD_scene01", "000999.png")
	require.NoError(t, os.MkdirAll(filepath.Dir(stray), 0o755))
	require.NoError(t, os.WriteFile(stray, nil, 0o600))

	f.extract(t, out, 3)
	require.Equal(t, readFile(t, whole, benchmark.ManifestName), readFile(t, out, benchmark.ManifestName))
	require.NoFileExists(t, stray)
	for _, row := range manifest(t, out) {
		require.Equal(t, readFile(t, whole, row["crop"]), readFile(t, out, row["crop"]))
	}
	before := modTimes(t, out)
	f.extract(t, out, 3)
	require.Equal(t, before, modTimes(t, out), "what is done is not done again")
}

func modTimes(t testing.TB, dir string) map[string]time.Time {
	t.Helper()
	times := map[string]time.Time{}
	list, err := filepath.Glob(filepath.Join(dir, "crops", "scene01", "*", "*", "*.png"))
	require.NoError(t, err)
	for _, path := range list {
		info, err := os.Stat(path)
		require.NoError(t, err)
		times[path] = info.ModTime()
	}
	return times
}

// An interruption at any picture is not recorded as the video's fault.
func TestInterruptionIsNotTheVideosFault(t *testing.T) {
	f, out := newFixture(t, "msu", benchmark.LayoutOptions{Subjects: datasettest.Subjects(2, 0, 0)}), t.TempDir()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for _, file := range f.discover(t).Files {
		_, err := extractor{f.faces, 1, out}.video(ctx, file)
		require.ErrorIs(t, err, context.Canceled, file.ID)
	}
}

// Interrupted after its first video, a run ends with ctx's error; the same call does the rest.
func TestInterruptedRunGoesOn(t *testing.T) {
	f, out := newFixture(t, "casia", benchmark.LayoutOptions{Subjects: datasettest.Subjects(1, 0, 0), Every: 3}), t.TempDir()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	stop := func(p Progress) {
		if p.Done == 1 {
			cancel()
		}
	}
	_, err := Run(ctx, f.discover(t), Options{Out: out, Frames: 1, Jobs: 1, Progress: stop}, f.faces)
	require.ErrorIs(t, err, context.Canceled)
	require.NoFileExists(t, filepath.Join(out, benchmark.ManifestName))

	var last Progress
	o := Options{Out: out, Frames: 1, Jobs: 1, Progress: func(p Progress) { last = p }}
	summary, err := Run(t.Context(), f.discover(t), o, f.faces)
	require.NoError(t, err)
	require.Equal(t, 4, summary.Report.Videos[benchmark.StatusOK])
	require.Equal(t, Progress{Total: 4, Done: 4, Skipped: 1, Crops: 3}, last)
}

// A video that could not be read is tried again, because the disk, the mount or the copy may
// work by then.
func TestUnreadableVideosAreTriedAgain(t *testing.T) {
	f, out := newFixture(t, "msu", benchmark.LayoutOptions{Subjects: datasettest.Subjects(1, 0, 0)}), t.TempDir()
	path := "scene01/attack/attack_client002_laptop_SD_ipad_video_scene01.mov"
	good := datasettest.Clip{Suffix: ".mov", Frames: 16}.Encode(t)
	f.Put(t, path, bytes.Repeat([]byte{7}, len(good))) // still being copied
	require.Equal(t, 1, f.extract(t, out, 1).Videos[benchmark.StatusUnreadable])
	f.Put(t, path, good)
	f.verify(t, out, [6]int{8, 8, 0, 0, 0, 0})
	require.Equal(t, 8, f.extract(t, out, 1).Videos[benchmark.StatusOK])
}

// When a source file was replaced, the manifest is deleted until the file's shard
// has extracted it again.
func TestReplacedSourcesTakeTheManifestAway(t *testing.T) {
	f, out := newFixture(t, "casia", benchmark.LayoutOptions{Subjects: datasettest.Subjects(1, 0, 0), Every: 3}), t.TempDir()
	f.extract(t, out, 1)
	f.Put(t, f.Plans[0].Path, datasettest.Clip{Suffix: ".avi", Frames: 18}.Encode(t))
	at := slices.IndexFunc(f.discover(t).Files, func(file benchmark.File) bool { return file.ID == f.Plans[0].ID })
	summary, err := f.run(t, out, 1, Shard{(at + 1) % 2, 2}) // the shard that does not have it
	require.NoError(t, err)
	require.Equal(t, Summary{Missing: 1}, summary)
	require.NoFileExists(t, filepath.Join(out, benchmark.ManifestName))
	f.extract(t, out, 1)
	require.FileExists(t, filepath.Join(out, benchmark.ManifestName))
}

func TestOtherDetectorSettingsDoNotMix(t *testing.T) {
	f, out := newFixture(t, "casia", benchmark.LayoutOptions{Subjects: datasettest.Subjects(1, 0, 0), Every: 3}), t.TempDir()
	f.extract(t, out, 1)
	cfg := engine.DefaultConfig()
	cfg.Detector.Confidence = .31
	_, err := fixture{f.Tree, datasettest.Faces(t, cfg)}.run(t, out, 1, Shard{})
	require.ErrorIs(t, err, ErrOutput)
	require.ErrorContains(t, err, "other settings")

	require.NoError(t, os.Remove(filepath.Join(out, benchmark.ReportName)))
	_, err = benchmark.ExtractedVideos(out)
	require.ErrorContains(t, err, "would be lost")
}

func TestRunsShareAFolderOnlyAsShards(t *testing.T) {
	f, out := newFixture(t, "casia", benchmark.LayoutOptions{Subjects: datasettest.Subjects(1, 0, 0), Every: 3}), t.TempDir()
	unlock, err := lockFolder(out, Shard{})
	require.NoError(t, err)
	_, err = f.run(t, out, 1, Shard{0, 1})
	require.ErrorIs(t, err, ErrOutput)
	require.ErrorContains(t, err, "another extract is working")
	unlock()
	unlock, err = lockFolder(out, Shard{0, 2})
	require.NoError(t, err)
	_, err = f.run(t, out, 1, Shard{0, 3})
	require.ErrorContains(t, err, "with the same n", "shards of other counts would share videos")
	unlockOther, err := lockFolder(out, Shard{1, 2})
	require.NoError(t, err)
	unlock()
	unlockOther()
	f.extract(t, out, 1)
}

func TestOptionsAreRefused(t *testing.T) {
	err := Options{Jobs: -1, Shard: Shard{3, 3}}.Validate()
	for _, says := range []string{"frames: 0", "jobs: -1", "shard: index 3 of 3"} {
		require.ErrorContains(t, err, says)
	}
	_, err = Run(t.Context(), nil, Options{Frames: 1}, nil)
	require.ErrorContains(t, err, "jobs: 0")
	_, err = Verify(t.Context(), nil, Options{}, media.DefaultConfig())
	require.ErrorContains(t, err, "jobs: 0")
}

func TestParseShard(t *testing.T) {
	s, err := ParseShard("3/16")
	require.NoError(t, err)
	require.Equal(t, Shard{2, 16}, s)
	require.Equal(t, "3/16", s.String())
	require.Equal(t, "1/1", Shard{}.String())
	for _, text := range []string{"", "3", "0/4", "5/4", "x/4", "1/x"} {
		_, err := ParseShard(text)
		require.ErrorContains(t, err, "is not i/n", text)
	}
}
