package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/csv"
	"encoding/hex"
	"encoding/json"
	"image"
	"image/png"
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
)

func readFile(t testing.TB, parts ...string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(parts...))
	require.NoError(t, err)
	return string(data)
}

// rows reads a table by column names.
func rows(t testing.TB, path string) (list []map[string]string) {
	t.Helper()
	all, err := csv.NewReader(strings.NewReader(readFile(t, path))).ReadAll()
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

func readReport(t testing.TB, dir string) (r benchmark.Report) {
	t.Helper()
	require.NoError(t, json.Unmarshal([]byte(readFile(t, dir, benchmark.ReportName)), &r))
	return r
}

func some(train, dev, test int) map[benchmark.Split]int {
	return map[benchmark.Split]int{benchmark.Train: train, benchmark.Dev: dev, benchmark.Test: test}
}

func loadPNG(t testing.TB, path string) *image.RGBA {
	t.Helper()
	m, err := png.Decode(strings.NewReader(readFile(t, path)))
	require.NoError(t, err)
	rgba, ok := m.(*image.RGBA)
	require.True(t, ok, "8-bit RGB without alpha")
	return rgba
}

// The thin path of all four datasets: layout → clips → extract → manifest → protocol.
func TestExtractAllFour(t *testing.T) {
	var extracted []string
	for name, o := range map[string]benchmark.LayoutOptions{
		"oulu":  {Subjects: some(1, 1, 1), Every: 18},
		"casia": {Subjects: some(1, 0, 1), Every: 3}, "replay": {Subjects: some(1, 1, 1), Every: 2}, "msu": {Subjects: some(1, 0, 1), Every: 2},
	} {
		f, out := newFixture(t, name, o), t.TempDir()
		f.mustExtract(t, out, "--frames", "1")
		manifest := rows(t, filepath.Join(out, benchmark.ManifestName))
		require.Len(t, manifest, len(f.plans), name)
		for _, row := range manifest {
			v, ok := f.dataset.Lookup(row["video"])
			require.True(t, ok)
			require.Equal(t, []string{name, string(v.Split), v.Subject, v.Session, v.Camera, string(v.PAI), v.Instrument, name},
				[]string{row["dataset"], row["split"], row["subject"], row["session"], row["camera"], row["pai"], row["instrument"], row["domain"]})
			require.Equal(t, v.PAI == benchmark.BonaFide, row["label"] == "1")
		}
		crop := loadPNG(t, filepath.Join(out, manifest[0]["crop"]))
		require.Equal(t, image.Rect(0, 0, 256, 256), crop.Rect)
		sum := sha256.Sum256(packed(crop).Pix)
		require.Equal(t, hex.EncodeToString(sum[:]), manifest[0]["sha256"], "of the decoded pixels: lossless")
		text, errText, code := f.extract(t, out, "--verify")
		require.Equal(t, exitOK, code, text+errText)
		extracted = append(extracted, out)
	}
	out := filepath.Join(t.TempDir(), "OCI-M.csv")
	text, errText, code := command(t, "protocol", "--name", "OCI-M", "--extracted", strings.Join(extracted, ","), "--out", out)
	require.Equal(t, exitOK, code, errText)
	require.Contains(t, text, "BONA FIDE")
	roles := map[string]int{}
	for _, row := range rows(t, out) {
		roles[row["dataset"]+row["role"]+row["domain"]]++
	}
	require.Equal(t, map[string]int{
		"oulutrain0": 5, "oulu" + "dev0": 5, "casiatrain1": 4, "casiadev1": 4, "replaytrain2": 12, "replaydev2": 12, "msutest-1": 4,
	}, roles)
}

// Every way in which a clip can be bad, in one tree.
func TestExtractTraps(t *testing.T) {
	f, out := newFixture(t, "msu", benchmark.LayoutOptions{Subjects: some(1, 0, 1)}), t.TempDir() // 002, 001
	attack := func(rest string) string { return "scene01/attack/attack_client" + rest + "_scene01" }
	f.put(t, attack("001_laptop_SD_ipad_video")+".mov", []byte(strings.Repeat("not a film ", 1000)))
	f.put(t, attack("001_laptop_SD_iphone_video")+".mov", nil)
	f.put(t, attack("001_laptop_SD_printed_photo")+".mov", clip(t, clipKind{suffix: ".mov", frames: 16, nobody: true}))
	f.put(t, attack("001_android_SD_ipad_video")+".mp4", clip(t, clipKind{suffix: ".mp4", frames: 5}))
	whole := clip(t, clipKind{suffix: ".avi", frames: 16})
	f.put(t, attack("001_android_SD_iphone_video")+".avi", whole[:len(whole)*2/3])
	require.NoError(t, os.Remove(filepath.Join(f.root, attack("001_android_SD_iphone_video")+".mp4")))
	f.put(t, attack("001_android_SD_printed_photo")+".MP4", clip(t, clipKind{suffix: ".mp4", frames: 16}))
	require.NoError(t, os.Remove(filepath.Join(f.root, attack("001_android_SD_printed_photo")+".mp4")))

	f.mustExtract(t, out, "--frames", "6")
	report := readReport(t, out)
	require.Equal(t, map[benchmark.Status]int{"ok": 13, "unreadable": 1, "zero_frames": 1, "no_face": 1}, report.Videos)
	why := map[string]benchmark.Status{}
	for _, n := range report.Nothing {
		why[n.ID] = n.Status
		require.Equal(t, n.Status == benchmark.StatusNoFace, n.Error == "")
	}
	require.Equal(t, map[string]benchmark.Status{
		attack("001_laptop_SD_ipad_video"): "unreadable", attack("001_laptop_SD_iphone_video"): "zero_frames", attack("001_laptop_SD_printed_photo"): "no_face",
	}, why)
	r, err := benchmark.ReadRecord(out, attack("001_android_SD_ipad_video"))
	require.NoError(t, err)
	require.Len(t, r.Crops, 5, "all of them, none twice")
	require.Equal(t, []string{"has 5 frames only"}, r.Notes)
	r, err = benchmark.ReadRecord(out, attack("001_android_SD_iphone_video"))
	require.NoError(t, err)
	require.Greater(t, r.Frames, 5)
	require.Less(t, r.Frames, 16)
	require.Equal(t, (r.Sampled-1)*r.Frames/r.Sampled, r.Crops[len(r.Crops)-1].Frame, "spaced over what the decoder gave, not what the header promised")

	var frames, times []string
	for _, row := range rows(t, filepath.Join(out, benchmark.ManifestName)) {
		if row["video"] == "scene01/real/real_client001_laptop_SD_scene01" {
			frames, times = append(frames, row["frame"]), append(times, row["time"])
		}
	}
	require.Equal(t, []string{"0", "2", "5", "8", "10", "13"}, frames, "16 frames, 25 a second")
	require.Equal(t, []string{"0.000000", "0.080000", "0.200000", "0.320000", "0.400000", "0.520000"}, times)

	text, _, code := f.extract(t, out, "--verify", "--json")
	require.Equal(t, exitPartial, code)
	var c benchmark.Completeness
	require.NoError(t, json.Unmarshal([]byte(text), &c))
	require.Equal(t, [6]int{16, 16, 0, 1, 1, 1}, [6]int{c.Expected, c.Found, len(c.Missing), len(c.Unreadable), len(c.ZeroFrames), len(c.NoFace)})
	text, _, code = command(t, "extract", "--dataset", "msu", "--root", f.root, "--verify")
	require.Equal(t, exitPartial, code)
	require.Contains(t, text, "unreadable 1, zero frames 1, no face 0", "without --out nobody looks for faces")

	// A video without a crop is in the protocol all the same.
	protocol := filepath.Join(t.TempDir(), "p.csv")
	others := []string{}
	for _, name := range []string{"oulu", "casia", "replay"} {
		others = append(others, name+"="+newFixture(t, name, benchmark.LayoutOptions{Subjects: some(1, 1, 1), Every: 18}).root)
	}
	_, errText, code := command(t, "protocol", "--name", "OCI-M", "--extracted", out, "--root", strings.Join(others, ","), "--out", protocol)
	require.Equal(t, exitOK, code, errText)
	tests := 0
	for _, row := range rows(t, protocol) {
		if row["role"] == "test" {
			tests++
		}
	}
	require.Equal(t, 8, tests)
}

// However an upside-down clip comes, its crops are upright: stored so, stored so
// with a tag by which the decoder turns it, or already turned by whoever copied it.
func TestUpsideDownClipsAreTurnedOnce(t *testing.T) {
	id := "scene01/real/real_client003_android_SD_scene01"
	for name, c := range map[string]struct {
		clip           clipKind
		rotation, turn int
	}{
		"stored upside down":        {clipKind{suffix: ".mp4", frames: 16, over: true}, 0, 180},
		"with the container's tag":  {clipKind{suffix: ".mp4", frames: 16, over: true, rotate: "180"}, 180, 0},
		"already turned by someone": {clipKind{suffix: ".mp4", frames: 16}, 0, 0},
	} {
		t.Run(name, func(t *testing.T) {
			f, out := newFixture(t, "msu", benchmark.LayoutOptions{Subjects: some(2, 0, 0)}), t.TempDir()
			require.NoError(t, os.RemoveAll(filepath.Join(f.root, "scene01", "attack"))) // nothing to see there
			f.put(t, id+".mp4", clip(t, c.clip))
			f.mustExtract(t, out, "--frames", "1")
			r, err := benchmark.ReadRecord(out, id)
			require.NoError(t, err)
			require.Equal(t, benchmark.StatusOK, r.Status)
			require.Equal(t, [2]int{c.rotation, c.turn}, [2]int{r.Rotation, r.Turn}, "%v", r.Notes)
			require.Contains(t, r.Notes[0], "orientation by")
			other, err := benchmark.ReadRecord(out, "scene01/real/real_client002_android_SD_scene01")
			require.NoError(t, err)
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

func TestShardsMerge(t *testing.T) {
	f, whole, merged := newFixture(t, "casia", benchmark.LayoutOptions{Subjects: some(1, 0, 1)}), t.TempDir(), t.TempDir()
	f.mustExtract(t, whole, "--frames", "1")
	for _, part := range []string{"1/3", "2/3", "3/3"} {
		out := t.TempDir()
		text, errText, code := f.extract(t, out, "--frames", "1", "--shard", part)
		require.Equal(t, exitOK, code, errText)
		require.Contains(t, text, "16 of 24 videos of other shards")
		require.NoFileExists(t, filepath.Join(out, benchmark.ManifestName))
		require.NoError(t, exec.Command("cp", "-r", out+"/.", merged).Run())
	}
	f.mustExtract(t, merged, "--frames", "1")
	require.Equal(t, readFile(t, whole, benchmark.ManifestName), readFile(t, merged, benchmark.ManifestName))
	require.Equal(t, readFile(t, whole, benchmark.ReportName), readFile(t, merged, benchmark.ReportName))

	_, errText, code := f.extract(t, merged, "--frames", "2")
	require.NotEqual(t, exitOK, code)
	require.Contains(t, errText, "other settings", "crops of two kinds do not mix")
}

// TestExtractProcess is no test: it is the process that TestExtractSurvivesAKill kills.
func TestExtractProcess(t *testing.T) {
	args := os.Getenv("EXTRACT_PROCESS")
	if args == "" {
		t.Skip("only as a child of another test")
	}
	os.Exit(run(t.Context(), strings.Split(args, "\n")))
}

func TestExtractSurvivesAKill(t *testing.T) {
	needRuntime(t)
	f, whole, out := newFixture(t, "msu", benchmark.LayoutOptions{Subjects: some(1, 0, 1)}), t.TempDir(), t.TempDir()
	f.mustExtract(t, whole, "--frames", "3")
	child := exec.Command(os.Args[0], "-test.run=^TestExtractProcess$")
	child.Env = append(os.Environ(), "EXTRACT_PROCESS="+strings.Join(
		[]string{"extract", "--dataset", "msu", "--root", f.root, "--out", out, "--frames", "3", "--jobs", "1"}, "\n"))
	require.NoError(t, child.Start())
	done := func() int {
		list, _ := filepath.Glob(filepath.Join(out, "records", "scene01", "*", "*.json"))
		return len(list)
	}
	require.Eventually(t, func() bool { return done() >= 2 }, 5*time.Minute, time.Millisecond)
	require.NoError(t, child.Process.Signal(syscall.SIGKILL))
	require.Error(t, child.Wait())
	require.Less(t, done(), len(f.plans), "killed on the way")
	require.NoFileExists(t, filepath.Join(out, benchmark.ManifestName))

	// Besides what the kill left: a crop cut short, and crops of a video without a record.
	first, err := filepath.Glob(filepath.Join(out, "crops", "scene01", "*", "*", "*.png"))
	require.NoError(t, err)
	require.NoError(t, os.Truncate(first[0], 100))
	stray := filepath.Join(out, "crops", "scene01", "real", "real_client002_laptop_SD_scene01", "000999.png")
	require.NoError(t, os.MkdirAll(filepath.Dir(stray), 0o755))
	require.NoError(t, os.WriteFile(stray, nil, 0o600))

	f.mustExtract(t, out, "--frames", "3")
	require.Equal(t, readFile(t, whole, benchmark.ManifestName), readFile(t, out, benchmark.ManifestName))
	require.NoFileExists(t, stray)
	for _, row := range rows(t, filepath.Join(out, benchmark.ManifestName)) {
		require.Equal(t, readFile(t, whole, row["crop"]), readFile(t, out, row["crop"]))
	}
	before := modTimes(t, out)
	f.mustExtract(t, out, "--frames", "3")
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

// An interruption, at whatever picture, says nothing about the video.
func TestInterruptionIsNotTheVideosFault(t *testing.T) {
	f, out := newFixture(t, "msu", benchmark.LayoutOptions{Subjects: some(2, 0, 0)}), t.TempDir()
	tree, err := f.dataset.Discover(f.root)
	require.NoError(t, err)
	eyes := testEyes(t)
	defer func() { require.NoError(t, eyes.Close()) }()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for _, file := range tree.Files {
		_, err := extraction{eyes, 1, out}.video(ctx, file)
		require.ErrorIs(t, err, context.Canceled, file.ID)
	}
}

// What could not be read is tried again: by then the disk, the mount or the copy may be mended.
func TestUnreadableVideosAreTriedAgain(t *testing.T) {
	f, out := newFixture(t, "msu", benchmark.LayoutOptions{Subjects: some(1, 0, 0)}), t.TempDir()
	path := "scene01/attack/attack_client002_laptop_SD_ipad_video_scene01.mov"
	good := clip(t, clipKind{suffix: ".mov", frames: 16})
	f.put(t, path, bytes.Repeat([]byte{7}, len(good))) // still being copied
	f.mustExtract(t, out, "--frames", "1")
	require.Equal(t, 1, readReport(t, out).Videos[benchmark.StatusUnreadable])
	f.put(t, path, good)
	text, _, code := f.extract(t, out, "--verify")
	require.Equal(t, exitOK, code, text)
	f.mustExtract(t, out, "--frames", "1")
	require.Equal(t, 8, readReport(t, out).Videos[benchmark.StatusOK])
}

// Where a source was replaced, no manifest stands until its shard has done it again.
func TestReplacedSourcesTakeTheManifestAway(t *testing.T) {
	f, out := newFixture(t, "casia", benchmark.LayoutOptions{Subjects: some(1, 0, 0), Every: 3}), t.TempDir()
	f.mustExtract(t, out, "--frames", "1")
	f.put(t, f.plans[0].Path, clip(t, clipKind{suffix: ".avi", frames: 18}))
	tree, err := f.dataset.Discover(f.root)
	require.NoError(t, err)
	at := slices.IndexFunc(tree.Files, func(file benchmark.File) bool { return file.ID == f.plans[0].ID })
	text, errText, code := f.extract(t, out, "--frames", "1", "--shard", []string{"2/2", "1/2"}[at%2]) // the shard that has it not
	require.Equal(t, exitOK, code, errText)
	require.Contains(t, text, "1 of 4 videos of other shards")
	require.NoFileExists(t, filepath.Join(out, benchmark.ManifestName))
	f.mustExtract(t, out, "--frames", "1")
	require.FileExists(t, filepath.Join(out, benchmark.ManifestName))
}

func TestOtherDetectorSettingsDoNotMix(t *testing.T) {
	f, out := newFixture(t, "casia", benchmark.LayoutOptions{Subjects: some(1, 0, 0), Every: 3}), t.TempDir()
	f.mustExtract(t, out, "--frames", "1")
	t.Setenv("LIVEPROOF_DETECTOR_CONFIDENCE", "0.31")
	_, errText, code := f.extract(t, out, "--frames", "1")
	require.NotEqual(t, exitOK, code)
	require.Contains(t, errText, "other settings")

	require.NoError(t, os.Remove(filepath.Join(out, benchmark.ReportName)))
	_, err := benchmark.ExtractedVideos(out)
	require.ErrorContains(t, err, "would be lost")
}

func TestExtractRefuses(t *testing.T) {
	needRuntime(t)
	f := newFixture(t, "casia", benchmark.LayoutOptions{Subjects: some(1, 0, 0), Every: 3})
	file := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(file, []byte("x"), 0o600))
	_, errText, code := f.extract(t, filepath.Join(file, "below"))
	require.Equal(t, exitFailure, code)
	require.Contains(t, errText, "--out")
	_, errText, code = command(t, "extract", "--dataset", "oulu", "--root", f.root, "--out", t.TempDir())
	require.Equal(t, exitUsage, code)
	require.Contains(t, errText, "no OULU-NPU here")
	for _, tt := range []struct {
		args []string
		says string
	}{
		{[]string{"--dataset", "siw"}, "--dataset"},
		{[]string{"--shard", "0/4"}, "--shard"},
		{[]string{"--shard", "5/4"}, "--shard"},
		{[]string{"--shard", "x"}, "--shard"},
		{[]string{"--frames", "0"}, "--frames"},
		{[]string{"--jobs", "0"}, "--jobs"},
		{[]string{"--out", f.root}, "a folder of their own"},
		{[]string{"surplus"}, "surplus"},
	} {
		args := append([]string{"extract", "--dataset", "casia", "--root", f.root, "--out", t.TempDir()}, tt.args...)
		_, errText, code := command(t, args...)
		require.Equal(t, exitUsage, code, "%v", args)
		require.Contains(t, errText, tt.says, "%v", args)
	}

	out := t.TempDir()
	unlock, err := lockFolder(out, shard{0, 1})
	require.NoError(t, err)
	_, errText, code = f.extract(t, out)
	require.Equal(t, exitFailure, code)
	require.Contains(t, errText, "another extract is working")
	unlock()
	unlock, err = lockFolder(out, shard{0, 2})
	require.NoError(t, err)
	_, errText, _ = f.extract(t, out, "--shard", "1/3")
	require.Contains(t, errText, "of the same number", "shards of other counts would share videos")
	unlockOther, err := lockFolder(out, shard{1, 2})
	require.NoError(t, err)
	unlock()
	unlockOther()
	f.mustExtract(t, out, "--frames", "1")
}

func TestSpacedFrames(t *testing.T) {
	require.Equal(t, []int{0, 15, 30, 45, 60, 75, 90, 105, 120, 135}, spaced(150, 10))
	require.Equal(t, []int{0, 1, 3, 4, 6, 7, 9, 10, 12, 13}, spaced(15, 10))
	require.Equal(t, []int{0, 1, 2, 3, 4}, spaced(5, 10))
	require.Empty(t, spaced(0, 10))
}

func TestTurnOver(t *testing.T) {
	m := packed(padded(t, "../../models/golden/none_0.png"))
	before := bytes.Clone(m.Pix)
	turnOver(m)
	require.Equal(t, before[:3], m.Pix[len(m.Pix)-3:])
	require.NotEqual(t, before, m.Pix)
	turnOver(m)
	require.Equal(t, before, m.Pix)
}

func TestProgressLine(t *testing.T) {
	p := extractProgress{total: 100, done: 60, skipped: 50, crops: 100}
	require.Equal(t, "extracting: 60 of 100 videos, 10.0 crops/s, 40s left", p.line(10*time.Second), "what was done before tells no speed")
}
