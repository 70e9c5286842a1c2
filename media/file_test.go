package media

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/liveproof/liveproof"
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

// sample makes a short MP4 for the tests of what goes wrong.
func sample(t testing.TB) string {
	return ffmpeg(t, "sample.mp4", append(noisy("160x128", 30), "-c:v", "libx264", "-g", "10")...)
}

// write puts a file beside nothing else.
func write(t testing.TB, name string, data []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	require.NoError(t, os.WriteFile(path, data, 0o600))
	return path
}

func read(t testing.TB, path string) []byte {
	t.Helper()
	data, err := os.ReadFile(path)
	require.NoError(t, err)
	return data
}

func TestOpenFileErrors(t *testing.T) {
	dir := t.TempDir()
	fifo := filepath.Join(dir, "fifo")
	require.NoError(t, syscall.Mkfifo(fifo, 0o600))
	movie := sample(t)
	whole := read(t, movie)
	for _, c := range []struct {
		name, path string
		want       error
	}{
		{"missing", filepath.Join(dir, "none.mp4"), fs.ErrNotExist},
		{"directory", dir, ErrUnreadable},
		{"pipe", fifo, ErrUnreadable},
		{"zero bytes", write(t, "zero.mp4", nil), ErrEmpty},
		{"garbage", write(t, "garbage.mp4", bytes.Repeat([]byte("not a video "), 1000)), ErrUnreadable},
		{"index cut off", write(t, "cut.mp4", whole[:len(whole)/2]), ErrUnreadable},
		{"sound only", ffmpeg(t, "sound.wav", "-f", "lavfi", "-i", "sine=duration=0.1"), ErrNoVideo},
		{"too large", ffmpeg(t, "large.mkv", "-f", "lavfi", "-i", "color=size=2048x1920", "-frames:v", "1", "-c:v", "libx264"), liveproof.ErrPictureTooLarge},
		{"a network address is a file name", "http://127.0.0.1:9/x.mp4", fs.ErrNotExist},
		// Containers that name other files are not opened, even when those exist.
		{"concat list", write(t, "list.ffconcat", []byte("ffconcat version 1.0\nfile "+movie+"\n")), ErrUnreadable},
		{"playlist", write(t, "list.m3u8", []byte("#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n"+movie+"\n#EXT-X-ENDLIST\n")), ErrUnreadable},
		{"session description", write(t, "a.sdp", []byte("v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=video 5004 RTP/AVP 96\na=rtpmap:96 H264/90000\n")), ErrUnreadable},
	} {
		t.Run(c.name, func(t *testing.T) {
			f, err := OpenFile(DefaultConfig(), c.path)
			require.ErrorIs(t, err, c.want)
			require.Nil(t, f)
			if !errors.Is(c.want, fs.ErrNotExist) {
				require.ErrorContains(t, err, c.path)
			}
		})
	}
}

func TestOpenFileRefusesBadConfig(t *testing.T) {
	cfg := DefaultConfig()
	cfg.Threads = 0
	_, err := OpenFile(cfg, sample(t))
	require.ErrorContains(t, err, "threads: ")
}

// TestFileLargerInsideThanItClaims: the container says 160×128, the stream is above the cap.
func TestFileLargerInsideThanItClaims(t *testing.T) {
	for _, codec := range []string{"libx264", "libvpx", "mjpeg", "mpeg4"} {
		t.Run(codec, func(t *testing.T) {
			data := read(t, ffmpeg(t, "large.avi", "-f", "lavfi", "-i", "color=gray:size=2048x1920", "-frames:v", "2", "-c:v", codec))
			large := binary.LittleEndian.AppendUint32(binary.LittleEndian.AppendUint32(nil, 2048), 1920)
			small := binary.LittleEndian.AppendUint32(binary.LittleEndian.AppendUint32(nil, 160), 128)
			require.True(t, bytes.Contains(data, large))
			f, err := OpenFile(DefaultConfig(), write(t, "lying.avi", bytes.ReplaceAll(data, large, small)))
			if err != nil { // found by FFmpeg's parser
				require.ErrorIs(t, err, liveproof.ErrPictureTooLarge)
				return
			}
			all, err := drain(t, f)
			require.Empty(t, all)
			require.ErrorIs(t, err, liveproof.ErrPictureTooLarge)
		})
	}
}

// TestFileCorruptMidway is row 17: what can be shown is, the rest is counted, nothing is silent.
func TestFileCorruptMidway(t *testing.T) {
	path := ffmpeg(t, "clip.mkv", append(noisy("160x128", 40), "-c:v", "libx264", "-g", "10", "-bf", "0")...)
	data := read(t, path)
	for i := len(data) / 3; i < len(data)/2; i++ {
		data[i] ^= 0x5a
	}
	f := openFile(t, write(t, "broken.mkv", data))
	all, err := drain(t, f)
	counts := f.Counts()
	t.Logf("%d shown, %+v, %v", len(all), counts, err)
	require.NotEmpty(t, all)
	require.Less(t, len(all), 40)
	require.True(t, err != nil || counts.TotalDropped() > 0 || counts.Received < 40)
	for i := 1; i < len(all); i++ {
		require.Greater(t, all[i].at, all[i-1].at)
	}
}

func TestFileCutShortShowsWhatIsThere(t *testing.T) {
	data := read(t, ffmpeg(t, "clip.mkv", append(noisy("160x128", 40), "-c:v", "libx264", "-g", "10")...))
	f := openFile(t, write(t, "short.mkv", data[:len(data)*2/3]))
	all, _ := drain(t, f)
	require.Greater(t, len(all), 10)
	require.Less(t, len(all), 40)
}

func TestFileWithoutAnyPicture(t *testing.T) {
	data := read(t, ffmpeg(t, "clip.avi", append(noisy("160x128", 10), "-c:v", "mjpeg")...))
	clearJPEGs(data)
	f := openFile(t, write(t, "blank.avi", data))
	all, err := drain(t, f)
	require.Empty(t, all)
	require.ErrorIs(t, err, ErrEmpty)
	require.Equal(t, int64(10), f.Counts().TotalDropped())
}

// clearJPEGs wipes what follows each JPEG's start marker up to its end.
func clearJPEGs(data []byte) {
	for {
		start := bytes.Index(data, []byte{0xff, 0xd8, 0xff})
		if start < 0 {
			return
		}
		end := bytes.Index(data[start:], []byte{0xff, 0xd9})
		clear(data[start : start+end+2])
		data = data[start+end+2:]
	}
}

func TestFileIsCancelled(t *testing.T) {
	f := openFile(t, sample(t))
	ctx, cancel := context.WithCancel(context.Background())
	p, err := f.Next(ctx)
	require.NoError(t, err)
	p.Release()
	cancel()
	for range 100 {
		if p, err = f.Next(ctx); err != nil {
			break
		}
		p.Release()
	}
	require.ErrorIs(t, err, context.Canceled)
	require.NoError(t, f.Close())
	require.NoError(t, f.Close())
	_, err = f.Next(context.Background())
	require.ErrorIs(t, err, ErrClosed)
}

// TestFileTimesStartAtZero: containers may start anywhere, also with a variable rate.
func TestFileTimesStartAtZero(t *testing.T) {
	path := ffmpeg(t, "late.mkv", append(noisy("160x128", 30), "-vf", "select='not(eq(mod(n,3),1))',setpts=PTS+100/TB", "-vsync", "vfr", "-c:v", "libx264")...)
	all, err := drain(t, openFile(t, path))
	require.NoError(t, err)
	require.Equal(t, 30, len(all))
	require.Zero(t, all[0].at)
	require.InDelta(t, 2./30, all[1].at.Seconds(), 0.002)
	require.InDelta(t, 3./30, all[2].at.Seconds(), 0.002)
}

func TestClock(t *testing.T) {
	c := clock{step: 40 * time.Millisecond}
	const tick = 0.001
	for _, v := range []struct{ ts, want int64 }{
		{5000, 0}, {5040, 40}, {math.MinInt64, 80}, {5100, 100}, // one missing
		{5090, 140}, {5130, 180}, {5200, 200}, // one backward
		{100, 240}, {140, 280}, // restarted
	} {
		require.Equal(t, time.Duration(v.want)*time.Millisecond, c.at(v.ts, tick).Round(time.Microsecond), "timestamp %d", v.ts)
	}
}

func TestFileSharedClips(t *testing.T) {
	dir := os.Getenv("LIVEPROOF_SHARED")
	if dir == "" {
		t.Skip("needs LIVEPROOF_SHARED, the folder with the shared clips")
	}
	clips, _ := filepath.Glob(filepath.Join(dir, "media", "*.m*"))
	require.NotEmpty(t, clips)
	for _, path := range clips {
		f := openFile(t, path)
		p, err := f.Next(context.Background())
		require.NoError(t, err)
		w, h := p.Size()
		require.Equal(t, [2]int{640, 480}, [2]int{w, h})
		p.Release()
		n := 1
		for {
			if p, err = f.Next(context.Background()); err != nil {
				break
			}
			n++
			p.Release()
		}
		require.ErrorIs(t, err, io.EOF)
		require.Greater(t, n, 30)
		require.Zero(t, f.Counts().TotalDropped())
		require.NoError(t, f.Close())
	}
}
