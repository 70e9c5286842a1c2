package main

import (
	"bytes"
	"context"
	"encoding/json"
	"image/color"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/liveproof/liveproof"
	"github.com/liveproof/liveproof/benchmark"
	"github.com/liveproof/liveproof/evaluation"
	"github.com/liveproof/liveproof/internal/datasettest"
)

// evaluate runs `liveproof evaluate` without the limit of the head's turn, because the portrait of the clips looks aside.
func evaluate(t testing.TB, out string, args ...string) (text, errText string, code int) {
	t.Helper()
	needRuntime(t)
	config := filepath.Join(t.TempDir(), "config.yaml")
	require.NoError(t, os.WriteFile(config, []byte("detector: {quality: {max_yaw: 1, max_pitch: 1}}\n"), 0o600))
	return command(t, append([]string{"evaluate", "--config", config, "--out", out}, args...)...)
}

// resultsOf reads results.jsonl.
func resultsOf(t testing.TB, out string) (list []evaluation.Result) {
	t.Helper()
	for line := range strings.Lines(readFile(t, out, "results.jsonl")) {
		var rec struct{ Result evaluation.Result }
		require.NoError(t, json.Unmarshal([]byte(line), &rec))
		list = append(list, rec.Result)
	}
	return list
}

// ownFiles is a folder of a person's own with a file for every way in which a file can be bad, and its table.
func ownFiles(t testing.TB) (root, table string) {
	t.Helper()
	root = t.TempDir()
	put := func(name string, data []byte) {
		require.NoError(t, os.WriteFile(filepath.Join(root, name), data, 0o600))
	}
	var face bytes.Buffer
	require.NoError(t, png.Encode(&face, datasettest.Portrait(t)))
	put("face.png", face.Bytes())
	put("video.avi", datasettest.Clip{Suffix: ".avi", Frames: 30}.Encode(t))
	put("attack.avi", datasettest.Clip{Suffix: ".avi", Frames: 20}.Encode(t))
	put("nobody.avi", datasettest.Clip{Suffix: ".avi", Frames: 30, Nobody: true}.Encode(t))
	put("broken.mp4", []byte(strings.Repeat("not a film ", 1000)))
	put("empty.jpg", nil)
	table = filepath.Join(t.TempDir(), "own.csv")
	require.NoError(t, os.WriteFile(table, []byte("filename,subject,attack_type,camera\nface.png,a,,one\nvideo.avi,b,,two\n"+
		"attack.avi,a,print,one\nnobody.avi,b,print,two\nbroken.mp4,c,replay,one\nempty.jpg,c,replay,two\n"), 0o600))
	return root, table
}

func TestEvaluateOwnFiles(t *testing.T) {
	root, table := ownFiles(t)
	out := t.TempDir()
	text, errText, code := evaluate(t, out, "--csv", table, "--root", root, "--by", "camera")
	require.Equal(t, exitPartial, code, errText)
	require.Contains(t, errText, "2 of 6 files could not be judged")
	require.Contains(t, text, "report: "+filepath.Join(out, "report.html"))
	require.FileExists(t, filepath.Join(out, "report.html"))
	require.FileExists(t, filepath.Join(out, "report.json"))

	byName := map[string]evaluation.Result{}
	for _, r := range resultsOf(t, out) {
		byName[r.Name] = r
	}
	require.Len(t, byName, 6)
	still, video, nobody := byName["face.png"], byName["video.avi"], byName["nobody.avi"]
	require.True(t, still.Still && still.Acquired)
	require.Empty(t, still.Verdict, "a still has no verdict")
	require.InDelta(t, still.Score, video.Score, .1, "the video shows the same face; scored %d", video.Frames.Scored)
	require.EqualValues(t, 7, video.Frames.Scored, "frozen pictures of a recording are scored: %v", video.Unscored)
	require.Equal(t, liveproof.OutcomeInconclusive, video.Verdict, "a second is too short")
	require.Equal(t, [3]any{false, 0., ""}, [3]any{nobody.Acquired, nobody.Score, nobody.Error}, "no face is no fault of the file, but a failure to acquire")
	require.EqualValues(t, 7, nobody.Unscored[liveproof.ReasonNoFace])
	for _, name := range []string{"broken.mp4", "empty.jpg"} {
		require.NotEmpty(t, byName[name].Error)
		require.Zero(t, byName[name].Score)
	}

	scores := rows(t, filepath.Join(out, "scores-eval.csv"))
	require.Len(t, scores, 6)
	require.Equal(t, [4]string{"a", "face.png", "True", "one"}, [4]string{scores[0]["claimed_id"], scores[0]["test_label"], scores[0]["is_bonafide"], scores[0]["camera"]})

	before := readFile(t, out, "results.jsonl")
	text, _, code = evaluate(t, out, "--csv", table, "--root", root, "--json")
	require.Equal(t, exitPartial, code)
	require.True(t, json.Valid([]byte(text)))
	require.Equal(t, 2, strings.Count(strings.TrimPrefix(readFile(t, out, "results.jsonl"), before), "\n"), "only what could not be read is tried again")

	_, errText, code = evaluate(t, out, "--csv", table, "--root", root, "--strict")
	require.Equal(t, exitFailure, code)
	require.Contains(t, errText, "--out: output folder: "+out+" holds results of other settings (checks")
}

// The page holds pictures of persons only if they were asked for.
func TestEvaluatePictures(t *testing.T) {
	root, table := ownFiles(t)
	out := t.TempDir()
	const jpegStart = "data:image/jpeg;base64,"
	_, _, _ = evaluate(t, out, "--csv", table, "--root", root)
	require.NotContains(t, readFile(t, out, "report.html"), jpegStart)
	_, _, _ = evaluate(t, out, "--csv", table, "--root", root, "--pictures")
	require.Contains(t, readFile(t, out, "report.html"), jpegStart)
}

func TestShrunk(t *testing.T) {
	img := liveproof.NewImage(401, 2)
	for i := range img.Pix {
		img.Pix[i] = 90
	}
	img.Pix[0] = 180 // red of the first pixel
	small := shrunk(img)
	require.Equal(t, [2]int{133, 1}, [2]int{small.Bounds().Dx(), small.Bounds().Dy()})
	require.Equal(t, color.RGBA{105, 90, 90, 255}, small.At(0, 0), "the mean of 3×2 pixels")
	require.Equal(t, [2]int{1, 1}, [2]int{shrunk(liveproof.NewImage(1, 1)).Bounds().Dx(), 1})
}

func TestEvaluateStrict(t *testing.T) {
	root, table := ownFiles(t)
	out := t.TempDir()
	_, errText, code := evaluate(t, out, "--csv", table, "--root", root, "--only", "subject=b", "--strict")
	require.Equal(t, exitOK, code, errText)
	require.Contains(t, errText, "warning: 4 rows are left out")
	require.EqualValues(t, 6, resultsOf(t, out)[0].Unscored[liveproof.ReasonFrozenPicture]+resultsOf(t, out)[1].Unscored[liveproof.ReasonFrozenPicture])
}

// A benchmark's clips that are stored upside down are judged like the others.
func TestEvaluateProtocol(t *testing.T) {
	f, out := newFixture(t, "msu", benchmark.LayoutOptions{Subjects: some(2, 0, 1)}), t.TempDir()
	_, errText, code := evaluate(t, out, "--protocol", "oci-m", "--population", "all-nodev", "--root", "msu="+f.Root, "--jobs", "2")
	require.Equal(t, exitOK, code, errText)
	require.Contains(t, errText, "warning: OCI-M: msu test: 24 of the 280 published videos")
	require.Contains(t, errText, "warning: OCI-M: no development videos")
	results, turned := resultsOf(t, out), 0
	require.Len(t, results, 24)
	for _, r := range results {
		if r.Turned != 0 {
			turned++
		}
		require.Equal(t, r.Frames.Sampled, r.Frames.Scored, "%s: %v", r.Name, r.Unscored)
		require.InDelta(t, results[0].Score, r.Score, .1, "%s shows the same face", r.Name)
	}
	require.Positive(t, turned)
	require.Len(t, rows(t, filepath.Join(out, "scores-eval.csv")), 24)
	require.NoFileExists(t, filepath.Join(out, "scores-dev.csv"))
}

func TestEvaluateFolds(t *testing.T) {
	f, out := newFixture(t, "oulu", benchmark.LayoutOptions{Subjects: some(0, 1, 1)}), t.TempDir()
	_, errText, code := evaluate(t, out, "--protocol", "OULU-4", "--root", "oulu="+f.Root, "--jobs", "2")
	require.Equal(t, exitOK, code, errText)
	require.Len(t, resultsOf(t, out), 36+18, "each video once")
	for _, name := range []string{"scores-oulu-4.1-dev.csv", "scores-oulu-4.6-eval.csv"} {
		require.FileExists(t, filepath.Join(out, name))
	}
}

func TestEvaluateIsInterrupted(t *testing.T) {
	root, table := ownFiles(t)
	needRuntime(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	require.Equal(t, exitCanceled, run(ctx, []string{"evaluate", "--csv", table, "--root", root, "--out", t.TempDir()}))
}

func TestEvaluateOverWebRTC(t *testing.T) {
	t.Parallel()
	root, out := t.TempDir(), t.TempDir()
	clip := datasettest.Clip{Suffix: ".avi", Frames: 75}.Encode(t)
	for _, name := range []string{"a.avi", "b.avi"} {
		require.NoError(t, os.WriteFile(filepath.Join(root, name), clip, 0o600))
	}
	require.NoError(t, os.WriteFile(filepath.Join(root, "broken.avi"), []byte("not a film"), 0o600))
	table := filepath.Join(t.TempDir(), "own.csv")
	require.NoError(t, os.WriteFile(table, []byte("filename,subject,label\na.avi,a,1\nb.avi,b,0\nbroken.avi,b,0\n"), 0o600))
	args := []string{"--csv", table, "--root", root, "--via", "webrtc", "--sessions", "2", "--cache", t.TempDir()}
	text, errText, code := evaluate(t, out, args...)
	require.Equal(t, exitPartial, code, errText)
	require.Contains(t, text, "over WebRTC")
	for _, r := range resultsOf(t, out) {
		if r.Name == "broken.avi" {
			require.NotEmpty(t, r.Error)
			continue
		}
		require.True(t, r.Acquired, "%s: %v", r.Name, r.Unscored)
		require.NotEmpty(t, r.Model.SHA256)
	}
	_, errText, code = evaluate(t, out, append(args, "--bitrate", "300k")...)
	require.Equal(t, exitFailure, code)
	require.Contains(t, errText, "holds results of other settings (sender")

	root, table = ownFiles(t)
	_, errText, code = evaluate(t, t.TempDir(), "--csv", table, "--root", root, "--via", "webrtc")
	require.Equal(t, exitUsage, code)
	require.Contains(t, errText, "face.png is a single picture; only videos can be published")
}

func TestEvaluateRefuses(t *testing.T) {
	root, table := ownFiles(t)
	bad := filepath.Join(t.TempDir(), "bad.csv")
	require.NoError(t, os.WriteFile(bad, []byte("filename,subject,attack_type\nnone.avi,a,\n../x,a,real\n"), 0o600))
	own := []string{"--csv", table, "--root", root}
	for _, c := range []struct {
		args []string
		says []string
	}{
		{nil, []string{"--csv, --protocol: give one of them", "--root: the folder of the files is needed"}},
		{append(own, "--protocol", "oulu-1"), []string{"--csv, --protocol: give one of them"}},
		{append(own, "--via", "post", "--jobs", "0"), []string{`--via: "post" is not one of direct, webrtc`, "--jobs: 0 is out of range"}},
		{append(own, "--root", root), []string{"--root: one folder for the files of --csv"}},
		{[]string{"--csv", table, "--root", root + "x"}, []string{"--root: ", "is no folder"}},
		{append(own, "--out", root), []string{"--out: give the results a folder of their own"}},
		{append(own, "--by", "light"), []string{`--by: there is no column "light"; there are attack_type, instrument, subject, camera`}},
		{append(own, "--mean-by", "series"), []string{`--mean-by: there is no column "series"; there are subject, camera`}},
		{append(own, "--column", "subject"), []string{`--column: "subject" is not NAME=VALUE`}},
		{append(own, "--column", "subject=person"), []string{`there is no column "person"; there are filename, subject, attack_type, camera`}},
		{append(own, "--column", "person=subject"), []string{`"person" is no column that can be chosen`}},
		{append(own, "--loss", "0.1"), []string{"--loss needs --via webrtc"}},
		{append(own, "--csv", "dev="+table), []string{"face.png is in " + table + ":2 already"}},
		{[]string{"--csv", "dev=" + table, "--root", root}, []string{"no row is in the set eval"}},
		{[]string{"--csv", table + ".x", "--root", root}, []string{"--csv: open "}},
		{[]string{"--csv", bad, "--root", root}, []string{bad + ":2: none.avi: there is no such file", bad + ":3: ../x leaves the root", `attack_type "real"`}},
		{[]string{"--protocol", "siw", "--root", "msu=" + root}, []string{"--root: "}},
		{[]string{"--protocol", "oci-m", "--root", root}, []string{"is not DATASET=DIR"}},
		{[]string{"--protocol", "oci-m", "--root", "msu=" + root, "--only", "a=b"}, []string{"--column, --only: only with --csv"}},
		{[]string{"surplus"}, []string{"surplus"}},
	} {
		_, errText, code := command(t, append([]string{"evaluate", "--out", t.TempDir()}, c.args...)...)
		require.Equal(t, exitUsage, code, "%v: %s", c.args, errText)
		for _, says := range c.says {
			require.Contains(t, errText, says, "%v", c.args)
		}
	}
}

func TestEvaluateProgressLine(t *testing.T) {
	p := newListProgress("judging", "files", &bytes.Buffer{})
	now := evaluateAdvance(evaluation.Progress{Total: 100, Done: 60, Skipped: 50, Failed: 2})
	require.Equal(t, "judging: 60 of 100 files, 2 failed, 40s left", p.line(now, 10*time.Second))
}
