package transcode

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"testing"
	"time"

	"github.com/asticode/go-astiav"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/liveproof/liveproof"
	"github.com/liveproof/liveproof/internal/ivf"
	"github.com/liveproof/liveproof/media"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// made is a file that ffmpeg makes with these arguments.
func made(t testing.TB, name string, args ...string) string {
	t.Helper()
	if _, err := exec.LookPath("ffmpeg"); err != nil {
		t.Skip("ffmpeg is not installed (make setup)")
	}
	path := filepath.Join(t.TempDir(), name)
	out, err := exec.Command("ffmpeg", append(append([]string{"-v", "error"}, args...), path)...).CombinedOutput()
	require.NoError(t, err, "%s", out)
	return path
}

// gradient is a slowly turning gradient with noise.
func gradient(size string, seconds float64) []string {
	return []string{"-f", "lavfi", "-i", "gradients=size=" + size + ":rate=30:speed=0.02:seed=1:duration=" + fmt.Sprint(seconds) + ",noise=alls=4:allf=t,format=yuv420p"}
}

func shared(t testing.TB, name string) string {
	t.Helper()
	root := os.Getenv("LIVEPROOF_SHARED")
	path := filepath.Join(root, name)
	if _, err := os.Stat(path); root == "" || err != nil {
		t.Skipf("%s is absent (set LIVEPROOF_SHARED)", name)
	}
	return path
}

// encoded is a file after transcoding, with the times of its pictures.
type encoded struct {
	Summary
	path   string
	header ivf.Header
	times  []time.Duration
	sizes  []int
}

func encode(t testing.TB, cfg Config, source string) encoded {
	t.Helper()
	var b bytes.Buffer
	last := 0.
	s, err := File(t.Context(), cfg, source, &b, func(share float64) {
		require.GreaterOrEqual(t, share, last)
		last = share
	})
	require.NoError(t, err)
	require.InDelta(t, 1, last, 0, "progress")
	e := encoded{Summary: s, path: filepath.Join(t.TempDir(), "clip.ivf")}
	require.NoError(t, os.WriteFile(e.path, b.Bytes(), 0o600))
	r, err := ivf.NewReader(&b)
	require.NoError(t, err)
	e.header = r.Header()
	for {
		f, err := r.Next()
		if errors.Is(err, io.EOF) {
			return e
		}
		require.NoError(t, err)
		e.times, e.sizes = append(e.times, f.At), append(e.sizes, len(f.Data))
	}
}

// decoded is what the pipeline would see of a file: the times and thumbnails of its pictures.
func decoded(t testing.TB, path string) (times []time.Duration, cells []liveproof.Thumbnail, width, height int) {
	t.Helper()
	f, err := media.OpenFile(media.DefaultConfig(), path)
	require.NoError(t, err)
	defer f.Close()
	for {
		p, err := f.Next(t.Context())
		if errors.Is(err, io.EOF) {
			return times, cells, width, height
		}
		require.NoError(t, err)
		var c liveproof.Thumbnail
		p.Fingerprint(&c)
		width, height = p.Size()
		times, cells = append(times, p.Time()), append(cells, c)
		p.Release()
	}
}

// psnr of two thumbnails, in dB.
func psnr(a, b liveproof.Thumbnail) float64 {
	sum := 0.
	for i := range a {
		d := float64(a[i]) - float64(b[i])
		sum += d * d
	}
	return 10 * math.Log10(255*255*float64(len(a))/max(sum, 1e-9))
}

func with(codec liveproof.Codec) Config {
	cfg := DefaultConfig()
	cfg.Codec = codec
	return cfg
}

var codecs = []liveproof.Codec{liveproof.CodecVP8, liveproof.CodecH264}

// TestWhatIsEncodedIsWhatTheFileShows, at the file's times: of every source and codec.
func TestWhatIsEncodedIsWhatTheFileShows(t *testing.T) {
	sources := map[string]func(*testing.T) string{
		"person": func(t *testing.T) string {
			return made(t, "a.mjpeg", "-r", "30", "-f", "mjpeg", "-i", shared(t, "media/person_A_640x480.mjpeg"), "-t", "1", "-c", "copy")
		},
		"mirrored":      func(t *testing.T) string { return shared(t, "inputs/hflip.mp4") },
		"turned by SEI": func(t *testing.T) string { return shared(t, "inputs/sei180.mp4") },
		"high dynamic":  func(t *testing.T) string { return shared(t, "inputs/pq.mov") },
		"B pictures": func(t *testing.T) string {
			return made(t, "b.mp4", append(gradient("320x240", .5), "-c:v", "libx264", "-bf", "3")...)
		},
		"variable rate": func(t *testing.T) string {
			return made(t, "v.mkv", append(gradient("320x240", 1.7), "-vf", "select='not(mod(n\\,7))+gt(n\\,40)'", "-fps_mode", "vfr")...)
		},
		"odd size": func(t *testing.T) string { return made(t, "o.mkv", append(gradient("333x251", .3), "-c:v", "ffv1")...) },
		"larger":   func(t *testing.T) string { return made(t, "l.mp4", gradient("1280x720", .3)...) },
		"pixels not square": func(t *testing.T) string {
			return made(t, "s.mkv", append(gradient("320x240", .3), "-vf", "setsar=4/3", "-c:v", "ffv1")...)
		},
		"tiny": func(t *testing.T) string { return made(t, "t.mkv", append(gradient("16x16", .5), "-c:v", "ffv1")...) },
		"one picture": func(t *testing.T) string {
			return made(t, "p.mkv", append(gradient("320x240", 1), "-frames:v", "1")...)
		},
	}
	for name, source := range sources {
		for _, codec := range codecs {
			t.Run(fmt.Sprintf("%s %s", name, codec), func(t *testing.T) {
				path, least := source(t), 23.
				if name == "tiny" { // few bits of noise are the whole picture
					least = 15
				}
				got := encode(t, with(codec), path)
				times, cells, width, height := decoded(t, path)
				require.Equal(t, len(times), got.Pictures)
				require.Equal(t, fourCC[codec], got.header.FourCC)
				require.LessOrEqual(t, max(got.Width, got.Height), 640)
				require.LessOrEqual(t, got.Width, width, "never enlarged")
				require.InDelta(t, float64(width)/float64(height), float64(got.Width)/float64(got.Height), .03, "%d×%d from %d×%d", got.Width, got.Height, width, height)
				for i, at := range times {
					require.InDelta(t, at.Seconds(), got.times[i].Seconds(), 1./ClockRate, "picture %d", i)
				}
				back, shown, w, h := decoded(t, got.path)
				require.Equal(t, len(times), len(back), "no picture is hidden or lost")
				require.Equal(t, [2]int{got.Width, got.Height}, [2]int{w, h})
				require.Equal(t, [2]int{got.Width, got.Height}, [2]int{got.header.Width, got.header.Height})
				for i := range cells {
					require.Greater(t, psnr(cells[i], shown[i]), least, "picture %d", i) // upside down or mirrored it is 12 or less
				}
			})
		}
	}
}

func TestKeyPicturesComeRegularly(t *testing.T) {
	source := made(t, "clip.mkv", gradient("160x120", 5)...)
	for _, codec := range codecs {
		for every, want := range map[time.Duration]int{2 * time.Second: 3, time.Second: 5, time.Hour: 1, 0: 150} {
			cfg := with(codec)
			cfg.KeyFrames = every
			got := encode(t, cfg, source)
			require.Equal(t, 150, got.Pictures)
			require.Equal(t, want, got.KeyPictures, "%s every %v", codec, every)
		}
	}
}

func TestBitrateIsKept(t *testing.T) {
	source := made(t, "clip.mkv", "-f", "lavfi", "-i", "testsrc2=size=320x240:rate=30:duration=3,noise=alls=8:allf=t")
	for _, codec := range codecs {
		for _, rate := range []int{400_000, 1_200_000} {
			cfg := with(codec)
			cfg.Bitrate = rate
			got := encode(t, cfg, source)
			require.InEpsilon(t, rate, float64(8*got.Bytes)/got.Duration.Seconds(), .35, "%s", codec)
			require.Greater(t, got.sizes[0], rate/8/30, "a key picture gets more than its share, the first one too")
		}
	}
}

// TestContextLayout checks the field that rawContext reads.
func TestContextLayout(t *testing.T) {
	field := reflect.TypeFor[astiav.CodecContext]().Field(0)
	require.Equal(t, "*astiav._Ctype_struct_AVCodecContext", field.Type.String())
	require.Zero(t, field.Offset)
}

// TestEncodingIsRepeatable, so that a cache may keep it.
func TestEncodingIsRepeatable(t *testing.T) {
	source := made(t, "clip.mkv", gradient("320x240", 1)...)
	for _, codec := range codecs {
		first, again := encode(t, with(codec), source), encode(t, with(codec), source)
		require.Equal(t, first.sizes, again.sizes, "%s", codec)
	}
}

func TestPresetsDiffer(t *testing.T) {
	source := made(t, "clip.mkv", gradient("320x240", 1)...)
	for codec, presets := range map[liveproof.Codec][]string{liveproof.CodecVP8: {"-16", "-1"}, liveproof.CodecH264: {"ultrafast", "medium"}} {
		var sizes [][]int
		for _, preset := range presets {
			cfg := with(codec)
			cfg.Preset = preset
			sizes = append(sizes, encode(t, cfg, source).sizes)
		}
		require.NotEqual(t, sizes[0], sizes[1], "%s", codec)
	}
}

func TestFilesThatAreRefused(t *testing.T) {
	good := made(t, "good.mp4", append(gradient("320x240", 3), "-movflags", "+faststart", "-g", "15")...)
	whole, err := os.ReadFile(good)
	require.NoError(t, err)
	write := func(name string, data []byte) string {
		path := filepath.Join(t.TempDir(), name)
		require.NoError(t, os.WriteFile(path, data, 0o600))
		return path
	}
	short := DefaultConfig()
	short.MaxDuration = time.Second
	strict := DefaultConfig()
	strict.Media.MaxPixels = 100 * 100
	for name, c := range map[string]struct {
		cfg  Config
		path string
		want error
	}{
		"absent":    {DefaultConfig(), good + ".not", os.ErrNotExist},
		"empty":     {DefaultConfig(), write("empty.mp4", nil), media.ErrEmpty},
		"rubbish":   {DefaultConfig(), write("rubbish.mp4", bytes.Repeat([]byte("not a film "), 100)), media.ErrUnreadable},
		"sound":     {DefaultConfig(), made(t, "sound.wav", "-f", "lavfi", "-i", "sine=d=1"), media.ErrNoVideo},
		"too long":  {short, good, ErrTooLong},
		"too large": {strict, good, liveproof.ErrPictureTooLarge},
		"cut":       {DefaultConfig(), write("cut.mp4", whole[:len(whole)*9/10]), media.ErrDamaged},
	} {
		_, err := File(t.Context(), c.cfg, c.path, io.Discard, nil)
		require.ErrorIs(t, err, c.want, name)
		require.ErrorContains(t, err, c.path, name)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = File(ctx, DefaultConfig(), good, io.Discard, nil)
	require.ErrorIs(t, err, context.Canceled)
	full := errors.New("disk is full")
	_, err = File(t.Context(), DefaultConfig(), good, failing{full}, nil)
	require.ErrorIs(t, err, full)
}

type failing struct{ err error }

func (f failing) Write([]byte) (int, error) { return 0, f.err }

func TestConfigNamesWhatIsWrong(t *testing.T) {
	require.NoError(t, DefaultConfig().Validate())
	err := Config{Codec: "AV1"}.Validate()
	for _, says := range []string{"codec: ", "bitrate: ", "longest_side: ", "max_duration: ", "media.max_pixels: "} {
		require.ErrorContains(t, err, says)
	}
	for codec, presets := range map[liveproof.Codec][]string{liveproof.CodecVP8: {"veryfast", "17"}, liveproof.CodecH264: {"-6", "placebo"}} {
		for _, preset := range presets {
			cfg := with(codec)
			cfg.Preset = preset
			require.ErrorContains(t, cfg.Validate(), "preset: ")
			_, err := File(t.Context(), cfg, "x", io.Discard, nil)
			require.ErrorContains(t, err, "preset: ")
		}
	}
}

// pictures gives those of a file as a source that is no file.
type pictures struct{ *media.File }

func TestPicturesAreEncodedAsThoseOfAFile(t *testing.T) {
	path := made(t, "clip.mkv", append(gradient("160x120", 1), "-c:v", "ffv1")...)
	var want, got bytes.Buffer
	summary, err := File(t.Context(), DefaultConfig(), path, &want, nil)
	require.NoError(t, err)
	file, err := media.OpenFile(media.DefaultConfig(), path)
	require.NoError(t, err)
	defer func() { require.NoError(t, file.Close()) }()
	again, err := Pictures(t.Context(), DefaultConfig(), pictures{file}, file.Info().FrameRate, &got)
	require.NoError(t, err)
	require.Equal(t, summary, again)
	require.Equal(t, want.Bytes(), got.Bytes())
	_, err = Pictures(t.Context(), DefaultConfig(), pictures{file}, 30, &got)
	require.ErrorIs(t, err, io.EOF, "there is no picture left")
}
