package media

import (
	"bytes"
	"context"
	"encoding/binary"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/liveproof/liveproof"
)

// TestFileAboveTheCap: motion JPEG is decoded at a part of its size; any other codec is refused, and the error names the key.
func TestFileAboveTheCap(t *testing.T) {
	cfg := DefaultConfig()
	cfg.MaxPixels = 320 * 240
	for _, c := range []struct {
		name, size    string
		width, height int
		reduction     int
		args          []string
	}{
		{"fits.avi", "320x240", 320, 240, 1, []string{"-c:v", "mjpeg"}},
		{"half.avi", "640x480", 320, 240, 2, []string{"-c:v", "mjpeg", "-q:v", "2"}},
		{"half.mjpeg", "640x480", 320, 240, 2, []string{"-c:v", "mjpeg", "-q:v", "2"}},
		{"half422.mkv", "622x470", 311, 235, 2, []string{"-c:v", "mjpeg", "-pix_fmt", "yuvj422p"}},
		{"quarter.mov", "1280x720", 320, 180, 4, []string{"-c:v", "mjpeg"}},
		{"eighth.mjpeg", "1920x1080", 240, 135, 8, []string{"-c:v", "mjpeg"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			path := ffmpeg(t, c.name, append(noisy(c.size, 3), c.args...)...)
			f, err := OpenFile(cfg, path)
			require.NoError(t, err)
			info := f.Info()
			require.Equal(t, [3]int{c.width, c.height, c.reduction}, [3]int{info.Width, info.Height, info.Reduction})
			all, err := drain(t, f)
			require.NoError(t, err)
			require.Len(t, all, 3)
			require.Equal(t, [2]int{c.width, c.height}, [2]int{all[0].width, all[0].height})
			want := rawRGB(t, path, "-vf", "scale=iw/"+string('0'+byte(c.reduction))+":-1:flags=area")
			if len(want) == len(all)*len(all[0].rgb) {
				mean, _ := difference(t, all, want)
				require.Less(t, mean, 6.0, "the same picture, smaller")
			}
		})
	}
	for _, c := range []struct{ name, codec, key string }{
		{"h264.mp4", "libx264", "media.max_pixels is 76800; it would have to be at least 307200"},
		{"vp9.webm", "libvpx-vp9", "media.max_pixels is 76800"},
		{"av1.mkv", "libaom-av1", "media.max_pixels is 76800"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := OpenFile(cfg, ffmpeg(t, c.name, append(noisy("640x480", 1), "-c:v", c.codec)...))
			require.ErrorIs(t, err, liveproof.ErrPictureTooLarge)
			require.ErrorContains(t, err, c.key)
		})
	}
	t.Run("beyond an eighth", func(t *testing.T) {
		_, err := OpenFile(cfg, ffmpeg(t, "huge.mjpeg", append(noisy("2880x1920", 1), "-c:v", "mjpeg")...))
		require.ErrorIs(t, err, liveproof.ErrPictureTooLarge)
	})
}

// TestRefusalsNameTheKey, also where only a decoder or a clock refuses.
func TestRefusalsNameTheKey(t *testing.T) {
	cfg := DefaultConfig()
	cfg.MaxPixels = 1 << 12
	for _, codec := range liveCodecs {
		_, _, _, err := playWith(t, cfg, encode(t, codec, noisy("160x128", 1)))
		require.ErrorIs(t, err, liveproof.ErrPictureTooLarge)
		require.ErrorContains(t, err, "media.max_pixels", codec)
	}
	require.ErrorContains(t, cfg.tooLarge("it is", 1<<16, 16), "media.max_pixels allows at most")

	cfg = DefaultConfig()
	cfg.OpenTimeout = time.Nanosecond
	_, err := OpenFile(cfg, sample(t))
	if err != nil { // FFmpeg looks at the clock now and then
		require.ErrorIs(t, err, ErrUnreadable)
		require.ErrorContains(t, err, "media.open_timeout")
	}
}

// TestProgressiveJPEGCountsInFull: its coefficients take memory for the whole picture, however small it is decoded.
func TestProgressiveJPEGCountsInFull(t *testing.T) {
	cfg := DefaultConfig()
	cfg.MaxPixels = 320 * 240
	data := read(t, ffmpeg(t, "a.mjpeg", append(noisy("640x480", 2), "-c:v", "mjpeg")...))
	at := bytes.Index(data, []byte{0xff, 0xc0})
	require.Positive(t, at)
	data[at+1] = 0xc2
	f, err := OpenFile(cfg, write(t, "progressive.mjpeg", data))
	require.NoError(t, err)
	defer f.Close()
	_, err = f.Next(context.Background())
	require.ErrorIs(t, err, liveproof.ErrPictureTooLarge)
}

// TestHiddenJPEGHeader: FFmpeg searches for the next marker, whatever lies before it, and takes another frame header after the first.
func TestHiddenJPEGHeader(t *testing.T) {
	cfg := DefaultConfig()
	cfg.MaxPixels = 320 * 240
	plain := read(t, ffmpeg(t, "a.mjpeg", append(noisy("640x480", 1), "-c:v", "mjpeg")...))
	at := bytes.Index(plain, []byte{0xff, 0xc0})
	require.Positive(t, at)
	header := bytes.Clone(plain[at : at+2+int(binary.BigEndian.Uint16(plain[at+2:]))])
	header[1] = 0xc2 // progressive
	small := append(bytes.Clone(plain[at:at+5]), 0, 16, 0, 16)
	small = append(small, plain[at+9:at+len(header)]...)
	scan := bytes.Index(plain, []byte{0xff, 0xda})
	for name, second := range map[string][]byte{
		"after garbage":             slices.Concat(plain[:2], []byte{0, 1}, plain[2:at], header, plain[at+len(header):]),
		"after a smaller one":       slices.Concat(plain[:at], small, header, plain[at+len(header):]),
		"in an unknown segment":     slices.Concat(plain[:at], []byte{0xff, 0xf1, 0, 40}, header, plain[at+len(header):]),
		"after the first scan":      slices.Concat(plain[:at], small, plain[at+len(header):scan+40], header, plain[scan:]),
		"after a cut-short segment": slices.Concat(plain[:at], []byte{0xff, 0xe5, 0xff, 0xff}, header, plain[at+len(header):scan+100], []byte{0xff, 0xd9}),
	} {
		t.Run(name, func(t *testing.T) {
			f, err := OpenFile(cfg, write(t, "hidden.mjpeg", slices.Concat(plain, second)))
			require.NoError(t, err)
			_, err = drain(t, f)
			require.ErrorIs(t, err, liveproof.ErrPictureTooLarge)
		})
	}
}

// TestJPEGThatGrows: a later picture is larger than the first one said.
func TestJPEGThatGrows(t *testing.T) {
	data := read(t, ffmpeg(t, "a.mjpeg", append(noisy("160x128", 1), "-c:v", "mjpeg")...))
	data = append(data, read(t, ffmpeg(t, "b.mjpeg", append(noisy("2048x1920", 1), "-c:v", "mjpeg")...))...)
	f := openFile(t, write(t, "grows.mjpeg", data))
	all, err := drain(t, f)
	require.ErrorIs(t, err, liveproof.ErrPictureTooLarge)
	require.Len(t, all, 1)
}

// FuzzReadJPEG reads hostile headers: the size is the largest that a frame header claims.
func FuzzReadJPEG(f *testing.F) {
	f.Add([]byte("\xff\xd8\xff\xe0\x00\x04ab\xff\xff\xc2\x00\x11\x08\x01\xe0\x02\x80"))
	f.Add([]byte("\xff\xd8\xff\xe0\x00\x00\xff\xda"))
	f.Add([]byte("\xff\xdb\x00\x43\x10\xff\xc0\x00\x11\x08\x01\xe0\x02\x80\x03"))
	f.Fuzz(func(t *testing.T, data []byte) {
		most, found := 0, false
		for h := range jpegHeaders(data) {
			most, found = max(most, halved(h.width, 1)*halved(h.height, 1)), true
		}
		w, h, ok := jpegSizer(1)(data)
		if ok != found || w < 0 || h < 0 || w > 1<<16 || h > 1<<16 || w*h < most {
			t.Fatalf("%d×%d %v", w, h, ok)
		}
	})
}

func TestReadJPEG(t *testing.T) {
	header := binary.BigEndian.AppendUint16([]byte("\xff\xd8\xff\xfe\x00\x05abc\xff\xff\xc0\x00\x11\x08"), 480)
	header = binary.BigEndian.AppendUint16(header, 640)
	require.Equal(t, []jpegHeader{{640, 480, false}}, slices.Collect(jpegHeaders(header)))
	for n := range len(header) {
		require.Empty(t, slices.Collect(jpegHeaders(header[:n])), "%d bytes", n)
	}
}
