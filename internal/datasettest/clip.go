package datasettest

import (
	"bytes"
	"fmt"
	"image/png"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

// Clip describes a clip: all properties in which the clips differ.
type Clip struct {
	Suffix     string // of the file's name, which says the container
	Frames     int    // at 25 a second
	UpsideDown bool   // stored upside down
	Nobody     bool   // no face in it
	Rotate     string // the container's tag, clockwise degrees
}

// encoded caches the files that ffmpeg made, for all tests of a process.
var encoded sync.Map // of Clip to []byte

// Encode makes the file with ffmpeg.
func (c Clip) Encode(t testing.TB) []byte {
	t.Helper()
	if data, ok := encoded.Load(c); ok {
		return data.([]byte)
	}
	dir := t.TempDir()
	path := filepath.Join(dir, "clip"+c.Suffix)
	args := append(c.input(t, dir), "-frames:v", fmt.Sprint(c.Frames), "-c:v", "mjpeg", "-q:v", "3", "-pix_fmt", "yuvj420p")
	if c.UpsideDown {
		args = append(args, "-vf", "hflip,vflip")
	}
	ffmpeg(t, append(args, path)...)
	if c.Rotate != "" {
		tagged := filepath.Join(dir, "tagged"+c.Suffix)
		ffmpeg(t, "-i", path, "-c", "copy", "-metadata:s:v:0", "rotate="+c.Rotate, tagged)
		path = tagged
	}
	data, err := os.ReadFile(path)
	require.NoError(t, err)
	encoded.Store(c, data)
	return data
}

func (c Clip) input(t testing.TB, dir string) []string {
	if c.Nobody {
		return []string{"-f", "lavfi", "-i", "gradients=size=320x320:rate=25:speed=0.02:seed=1"}
	}
	path := filepath.Join(dir, "face.png")
	var face bytes.Buffer
	require.NoError(t, png.Encode(&face, Portrait(t)))
	require.NoError(t, os.WriteFile(path, face.Bytes(), 0o600))
	return []string{"-loop", "1", "-framerate", "25", "-i", path}
}

func ffmpeg(t testing.TB, args ...string) {
	t.Helper()
	if _, err := exec.LookPath("ffmpeg"); err != nil {
		t.Skip("ffmpeg is not installed (make setup)")
	}
	out, err := exec.Command("ffmpeg", append([]string{"-v", "error"}, args...)...).CombinedOutput()
	require.NoError(t, err, "%s", out)
}
