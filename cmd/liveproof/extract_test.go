package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"image"
	"image/png"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/liveproof/liveproof/benchmark"
	"github.com/liveproof/liveproof/extract"
	"github.com/liveproof/liveproof/internal/datasettest"
)

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
		require.Len(t, manifest, len(f.Plans), name)
		for _, row := range manifest {
			v, ok := f.Dataset.Lookup(row["video"])
			require.True(t, ok)
			require.Equal(t, []string{name, string(v.Split), v.Subject, v.Session, v.Camera, string(v.PAI), v.Instrument, name},
				[]string{row["dataset"], row["split"], row["subject"], row["session"], row["camera"], row["pai"], row["instrument"], row["domain"]})
			require.Equal(t, v.PAI == benchmark.BonaFide, row["label"] == "1")
		}
		m, err := png.Decode(strings.NewReader(readFile(t, out, manifest[0]["crop"])))
		require.NoError(t, err)
		require.IsType(t, &image.RGBA{}, m, "8-bit RGB without alpha")
		require.Equal(t, image.Rect(0, 0, 256, 256), m.Bounds())
		sum := sha256.Sum256(datasettest.Pack(m.(*image.RGBA)).Pix)
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

// A video without a crop makes the dataset incomplete, and stays in the protocol.
func TestVideosWithoutACropAreReported(t *testing.T) {
	f, out := newFixture(t, "msu", benchmark.LayoutOptions{Subjects: some(1, 0, 1)}), t.TempDir()
	attack := "scene01/attack/attack_client001_laptop_SD_"
	f.Put(t, attack+"ipad_video_scene01.mov", []byte(strings.Repeat("not a film ", 1000)))
	f.Put(t, attack+"printed_photo_scene01.mov", datasettest.Clip{Suffix: ".mov", Frames: 16, Nobody: true}.Encode(t))
	var report benchmark.Report
	require.NoError(t, json.Unmarshal([]byte(f.mustExtract(t, out, "--frames", "1", "--json")), &report))
	require.Equal(t, map[benchmark.Status]int{"ok": 14, "unreadable": 1, "zero_frames": 0, "no_face": 1}, report.Videos)

	text, _, code := f.extract(t, out, "--verify", "--json")
	require.Equal(t, exitPartial, code)
	var c benchmark.Completeness
	require.NoError(t, json.Unmarshal([]byte(text), &c))
	require.Equal(t, [4]int{16, 16, 1, 1}, [4]int{c.Expected, c.Found, len(c.Unreadable), len(c.NoFace)})
	text, errText, code := command(t, "extract", "--dataset", "msu", "--root", f.Root, "--verify")
	require.Equal(t, exitPartial, code)
	require.Contains(t, text, "unreadable 1, zero frames 0, no face 0", "without --out nobody looks for faces")
	require.Contains(t, errText, "is incomplete")

	protocol := filepath.Join(t.TempDir(), "p.csv")
	others := []string{}
	for _, name := range []string{"oulu", "casia", "replay"} {
		others = append(others, name+"="+newFixture(t, name, benchmark.LayoutOptions{Subjects: some(1, 1, 1), Every: 18}).Root)
	}
	_, errText, code = command(t, "protocol", "--name", "OCI-M", "--extracted", out, "--root", strings.Join(others, ","), "--out", protocol)
	require.Equal(t, exitOK, code, errText)
	tests := 0
	for _, row := range rows(t, protocol) {
		if row["role"] == "test" {
			tests++
		}
	}
	require.Equal(t, 8, tests)
}

func TestShardsAreToldFromTheWhole(t *testing.T) {
	f, out := newFixture(t, "casia", benchmark.LayoutOptions{Subjects: some(1, 0, 0), Every: 3}), t.TempDir()
	require.Equal(t, "shard 1/2 is done; 2 of 4 videos of other shards are not: the last one writes the manifest\n",
		f.mustExtract(t, out, "--frames", "1", "--shard", "1/2"))
	require.Contains(t, f.mustExtract(t, out, "--frames", "1", "--shard", "2/2"), "4 crops")
	require.FileExists(t, filepath.Join(out, benchmark.ManifestName))

	t.Setenv("LIVEPROOF_DETECTOR_CONFIDENCE", "0.31")
	_, errText, code := f.extract(t, out, "--frames", "1")
	require.Equal(t, exitFailure, code)
	require.Contains(t, errText, "other settings")
}

func TestInterruptedExtractSaysHowToContinue(t *testing.T) {
	needRuntime(t)
	f := newFixture(t, "casia", benchmark.LayoutOptions{Subjects: some(1, 0, 0), Every: 3})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var errOut bytes.Buffer
	root := newRootCommand()
	root.SetArgs([]string{"extract", "--dataset", "casia", "--root", f.Root, "--out", t.TempDir()})
	root.SetErr(&errOut)
	err := root.ExecuteContext(ctx)
	require.Equal(t, exitCanceled, exitCode(err))
	require.ErrorContains(t, err, "run the same command again to continue")
}

func TestExtractRefuses(t *testing.T) {
	needRuntime(t)
	f := newFixture(t, "casia", benchmark.LayoutOptions{Subjects: some(1, 0, 0), Every: 3})
	file := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(file, []byte("x"), 0o600))
	_, errText, code := f.extract(t, filepath.Join(file, "below"))
	require.Equal(t, exitFailure, code)
	require.Contains(t, errText, "--out: output folder: ")
	_, errText, code = command(t, "extract", "--dataset", "oulu", "--root", f.Root, "--out", t.TempDir())
	require.Equal(t, exitUsage, code)
	require.Contains(t, errText, "no OULU-NPU here")
	for _, tt := range []struct {
		args []string
		says string
	}{
		{[]string{"--dataset", "siw"}, "--dataset"},
		{[]string{"--shard", "0/4"}, `--shard: "0/4" is not i/n`},
		{[]string{"--frames", "0", "--jobs", "0"}, "--frames: 0 is out of range [1, 10000]\n--jobs: 0 is out of range [1, ∞)"},
		{[]string{"--out", f.Root}, "a folder of their own"},
		{[]string{"--out", ""}, "--out"},
		{[]string{"--root", ""}, "--root"},
		{[]string{"surplus"}, "surplus"},
	} {
		args := append([]string{"extract", "--dataset", "casia", "--root", f.Root, "--out", t.TempDir()}, tt.args...)
		_, errText, code := command(t, args...)
		require.Equal(t, exitUsage, code, "%v", args)
		require.Contains(t, errText, tt.says, "%v", args)
	}
}

func TestProgressLine(t *testing.T) {
	p := newListProgress("extracting", "videos", io.Discard)
	now := extractAdvance(extract.Progress{Total: 100, Done: 60, Skipped: 50, Crops: 100})
	require.Equal(t, "extracting: 60 of 100 videos, 10.0 crops/s, 40s left", p.line(now, 10*time.Second), "what was done before tells no speed")
	require.Equal(t, "extracting: 0 of 100 videos", p.line(extractAdvance(extract.Progress{Total: 100}), 0))
}
