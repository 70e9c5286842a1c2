package media

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func openFile(t testing.TB, path string) *File {
	t.Helper()
	f, err := OpenFile(DefaultConfig(), path)
	require.NoError(t, err)
	return f
}

// TestFileContainers reads one clip out of every kind of container and codec
// that the benchmarks and users bring.
func TestFileContainers(t *testing.T) {
	h264 := []string{"-c:v", "libx264", "-preset", "veryfast", "-bf", "2"}
	for _, c := range []struct {
		name string
		args []string
	}{
		{"clip.mp4", h264},
		{"clip.mov", h264},
		{"clip.mkv", h264},
		{"clip.ts", h264},
		{"clip.flv", h264},
		{"clip.avi", []string{"-c:v", "mpeg4", "-q:v", "3"}},
		{"mjpeg.avi", []string{"-c:v", "mjpeg", "-q:v", "3"}},
		{"clip.mpg", []string{"-c:v", "mpeg2video", "-bf", "2"}},
		{"clip.webm", encoders["VP9"]},
		{"clip.ivf", encoders["VP8"]},
		{"clip.y4m", nil},
		{"clip.h264", h264},
		{"clip.mjpeg", []string{"-c:v", "mjpeg", "-q:v", "3"}},
		{"clip.gif", nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := openFile(t, ffmpeg(t, c.name, append(noisy("320x240", 30), c.args...)...))
			info := f.Info()
			all, err := drain(t, f)
			require.NoError(t, err)
			require.Equal(t, 30, len(all), "lossless")
			step := all[29].at.Seconds() / 29
			require.InDelta(t, 1./30, step, 0.002)
			for i, p := range all {
				require.Equal(t, [2]int{320, 240}, [2]int{p.width, p.height})
				if i > 0 {
					require.Greater(t, p.at, all[i-1].at)
				}
			}
			t.Logf("%+v", info)
			require.Equal(t, int64(30), f.Counts().Decoded)
			require.Equal(t, 1.0, f.Progress())
		})
	}
}
