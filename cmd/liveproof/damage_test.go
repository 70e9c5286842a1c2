package main

import (
	"bytes"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/liveproof/liveproof"
	"github.com/liveproof/liveproof/benchmark"
	"github.com/liveproof/liveproof/internal/datasettest"
)

// damagedVideos are files that a copy, a disk or a camera has damaged, made of a real person's recording.
func damagedVideos(t *testing.T) map[string]string {
	t.Helper()
	dir := t.TempDir()
	write := func(name string, data []byte) string {
		path := filepath.Join(dir, name)
		require.NoError(t, os.WriteFile(path, data, 0o600))
		return path
	}
	whole := readFile(t, shared(t, "media/people/person_d19.mp4"))
	flipped := []byte(whole)
	random := rand.New(rand.NewPCG(1, 1))
	for i := range len(flipped) / 2000 {
		flipped[len(flipped)/3+i] ^= 1 << random.IntN(8)
	}
	none := filepath.Join(dir, "audio.mp4")
	out, err := exec.Command("ffmpeg", "-v", "error", "-f", "lavfi", "-i", "sine", "-t", "1", "-c:a", "aac", none).CombinedOutput()
	require.NoError(t, err, "%s", out)
	pipe := filepath.Join(dir, "pipe.mp4")
	require.NoError(t, syscall.Mkfifo(pipe, 0o600))
	return map[string]string{
		"header only":  write("header.mp4", []byte(whole[:100])),
		"truncated":    write("truncated.mp4", []byte(whole[:len(whole)/2])),
		"zeros inside": write("zeros.mp4", append([]byte(whole[:len(whole)/3]), bytes.Repeat([]byte{0}, len(whole)-len(whole)/3)...)),
		"flipped bits": write("flipped.mp4", flipped),
		"zero bytes":   write("zero.mp4", nil),
		"no video":     none,
		"a folder":     dir,
		"a pipe":       pipe,
	}
}

// TestDamagedVideos: each is named with the reason, and none passes, also where a part of it could be judged.
func TestDamagedVideos(t *testing.T) {
	if _, err := exec.LookPath("ffmpeg"); err != nil {
		t.Skip("ffmpeg is not installed (make setup)")
	}
	var names, paths []string
	for name, path := range damagedVideos(t) {
		names, paths = append(names, name), append(paths, path)
	}
	lines, code := replay(t, paths...)
	require.Equal(t, exitPartial, code)
	for i, l := range lines {
		t.Logf("%s: %s %v %+v %s", names[i], l.Verdict, l.Reasons, l.Frames, l.Error)
		require.NotEmpty(t, l.Error, names[i])
		require.Equal(t, liveproof.OutcomeInconclusive, l.Verdict, names[i])
		require.NotEmpty(t, l.Reasons, names[i])
		require.NotContains(t, l.Reasons, liveproof.ReasonInternalError, "the file is at fault: %s", names[i])
		require.Equal(t, names[i] == "flipped bits", l.Frames.Decoded > 0, names[i])
		require.Equal(t, paths[i], l.File)
		require.Equal(t, l.Frames.Decoded > 0, l.DamagedFrom != nil, "%s: from when on", names[i])
	}
}

// TestUpsideDownIsNeverLive: a face that is upside down is no evidence of a person.
func TestUpsideDownIsNeverLive(t *testing.T) {
	shared(t, "models/retinaface_mobilenet025.onnx")
	path := film(t, "over.mkv", []string{"-c:v", "libx264", "-preset", "ultrafast", "-b:v", "2M"},
		"-i", shared(t, "media/people/person_d19.mp4"), "-vf", "hflip,vflip", "-t", "5")
	lines, code := replay(t, path)
	require.Equal(t, exitOK, code)
	t.Logf("%s %v %+v %v", lines[0].Verdict, lines[0].Reasons, lines[0].Frames, lines[0].Unscored)
	require.NotEqual(t, liveproof.OutcomeLive, lines[0].Verdict)
}

// TestFullOrReadOnlyDisk: each command that writes a folder names it, says what to do, and goes on when that is done.
func TestFullOrReadOnlyDisk(t *testing.T) {
	needRuntime(t)
	f := newFixture(t, "casia", benchmark.LayoutOptions{Subjects: some(1, 0, 0), Every: 3})
	root, table := shortVideos(t)
	for name, c := range map[string]struct {
		args []string
		room int // too small for the command's output
		done int // exit code when there is enough
	}{
		"extract":    {[]string{"extract", "--dataset", "casia", "--root", f.Root, "--frames", "3", "-q"}, 128 << 10, exitOK},
		"evaluate":   {[]string{"evaluate", "--csv", table, "--root", root, "-q"}, 12 << 10, exitPartial},
		"robustness": {[]string{"robustness", "--csv", table, "--root", root, "--codec", "vp8", "--bitrate", "600k", "--parity", "-q"}, 24 << 10, exitPartial},
	} {
		t.Run(name, func(t *testing.T) {
			disk := datasettest.NewDisk(t, c.room)
			args := append(slices.Clone(c.args), "--out", disk.Dir)
			_, errText, code := command(t, args...)
			require.Equal(t, exitFailure, code, errText)
			require.Contains(t, errText, "no space left on device")
			require.Contains(t, errText, "free space for "+disk.Dir+" and run the same command again")
			disk.Resize(64 << 20)
			_, errText, code = command(t, args...)
			require.Equal(t, c.done, code, errText)

			disk = datasettest.NewDisk(t, 1<<20)
			disk.ReadOnly()
			_, errText, code = command(t, append(slices.Clone(c.args), "--out", disk.Dir)...)
			require.Equal(t, exitFailure, code, errText)
			require.Contains(t, errText, "make "+disk.Dir+" writable or choose another folder")
		})
	}
}

// TestFullDiskForReplay: results that cannot be printed are an error.
func TestFullDiskForReplay(t *testing.T) {
	needRuntime(t)
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Skip(err)
	}
	t.Cleanup(func() { require.NoError(t, full.Close()) })
	path := filepath.Join(t.TempDir(), "nobody.avi")
	require.NoError(t, os.WriteFile(path, datasettest.Clip{Suffix: ".avi", Frames: 10, Nobody: true}.Encode(t), 0o600))
	for _, format := range []string{"--json=true", "--json=false"} {
		root := newRootCommand()
		root.SetArgs([]string{"replay", format, path})
		root.SetOut(full)
		root.SetErr(testWriter{t})
		err := root.ExecuteContext(t.Context())
		require.ErrorIs(t, err, syscall.ENOSPC, format)
		require.Equal(t, exitFailure, exitCode(err))
	}
}
