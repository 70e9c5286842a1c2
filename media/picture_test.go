package media

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
	"math/rand/v2"
	"os/exec"
	"testing"
	"unsafe"

	"github.com/asticode/go-astiav"
	"github.com/stretchr/testify/require"

	"github.com/liveproof/liveproof"
)

// Values of AVColorSpace and AVColorRange (libavutil/pixfmt.h).
const (
	matrix709, matrixUnspecified, matrix601 = 1, 2, 6
	rangeLimited, rangeFull                 = 1, 2
)

// flat makes a frame of one colour; bits is the depth of a sample.
func flat(t testing.TB, format astiav.PixelFormat, width, height, matrix, colourRange, bits int, yuv [3]int) *astiav.Frame {
	t.Helper()
	f := astiav.AllocFrame()
	f.SetWidth(width)
	f.SetHeight(height)
	f.SetPixelFormat(format)
	require.NoError(t, f.AllocBuffer(0))
	r := raw(f)
	r.colorspace, r.color_range = uint32(matrix), uint32(colourRange)
	for i, v := range yuv {
		n := int(r.linesize[i]) * height
		if i > 0 && format != astiav.PixelFormatYuv444P && format != astiav.PixelFormatYuv422P {
			n = int(r.linesize[i]) * ((height + 1) / 2)
		}
		plane := unsafe.Slice((*byte)(unsafe.Pointer(r.data[i])), n)
		for x := range plane {
			plane[x] = byte(v)
		}
		if bits > 8 {
			for x := 0; x+1 < len(plane); x += 2 {
				binary.LittleEndian.PutUint16(plane[x:], uint16(v<<(bits-8)))
			}
		}
	}
	return f
}

// exact is ITU-R BT.601 or BT.709 in floating point, 8-bit code values.
func exact(matrix, colourRange int, yuv [3]int) (rgb [3]float64) {
	kr, kb := 0.299, 0.114
	if matrix == matrix709 {
		kr, kb = 0.2126, 0.0722
	}
	y, cb, cr := (float64(yuv[0])-16)/219, (float64(yuv[1])-128)/224, (float64(yuv[2])-128)/224
	if colourRange == rangeFull {
		y, cb, cr = float64(yuv[0])/255, (float64(yuv[1])-128)/255, (float64(yuv[2])-128)/255
	}
	r, b := y+2*(1-kr)*cr, y+2*(1-kb)*cb
	g := (y - kr*r - kb*b) / (1 - kr - kb)
	for i, v := range [3]float64{r, g, b} {
		rgb[i] = 255 * math.Min(1, math.Max(0, v))
	}
	return rgb
}

// TestPictureColours holds every matrix, range, depth, layout and awkward size
// against the standards' equations.
func TestPictureColours(t *testing.T) {
	colours := [][3]int{{16, 128, 128}, {235, 128, 128}, {81, 90, 240}, {145, 54, 34}, {41, 240, 110}, {120, 100, 160}}
	for _, format := range []struct {
		fmt  astiav.PixelFormat
		bits int
		full bool // by its very name
	}{
		{astiav.PixelFormatYuv420P, 8, false}, {astiav.PixelFormatYuvj420P, 8, true}, {astiav.PixelFormatYuv422P, 8, false},
		{astiav.PixelFormatYuv444P, 8, false}, {astiav.PixelFormatYuv420P10Le, 10, false},
	} {
		for _, size := range [][2]int{{64, 48}, {50, 38}, {33, 17}, {7, 5}} {
			for _, matrix := range []int{matrix601, matrix709, matrixUnspecified} {
				for _, colourRange := range []int{rangeLimited, rangeFull, 0} {
					if format.full && colourRange == rangeLimited {
						continue
					}
					t.Run(fmt.Sprintf("%v/%dx%d/matrix%d/range%d", format.fmt, size[0], size[1], matrix, colourRange), func(t *testing.T) {
						effective := colourRange
						if format.full {
							effective = rangeFull
						}
						for _, yuv := range colours {
							f := flat(t, format.fmt, size[0], size[1], matrix, colourRange, format.bits, yuv)
							requireColour(t, f, exact(matrix, effective, yuv))
						}
					})
				}
			}
		}
	}
}

// requireColour converts f and compares every pixel with want, ±3 of 255.
func requireColour(t *testing.T, f *astiav.Frame, want [3]float64) {
	t.Helper()
	conv := newConverter(untaggedBT601, DefaultConfig().MaxPixels)
	defer conv.release()
	p := newPicture(f, conv, 0, Orientation{})
	defer p.Release()
	var pool liveproof.ImagePool
	img, err := p.RGB(&pool)
	require.NoError(t, err)
	defer img.Release()
	for i, v := range img.Pix {
		if math.Abs(float64(v)-want[i%3]) > 3 {
			t.Fatalf("pixel %d channel %d is %d, want %.1f", i/3, i%3, v, want[i%3])
		}
	}
}

// TestPictureStaysInsideItsBuffer: libswscale's vector code writes whole
// blocks; nothing may land behind the image.
func TestPictureStaysInsideItsBuffer(t *testing.T) {
	conv := newConverter(untaggedBT601, DefaultConfig().MaxPixels)
	defer conv.release()
	for width := 16; width <= 80; width++ {
		for _, height := range []int{16, 17, 18} {
			f := flat(t, astiav.PixelFormatYuv420P, width, height, matrix601, rangeLimited, 8, [3]int{200, 100, 100})
			stride := 3 * ((width + 15) &^ 15)
			buf := bytes.Repeat([]byte{0xa5}, stride*(height+1)+64)
			if width%16 == 0 {
				buf = buf[:stride*height+64]
			}
			require.NoError(t, conv.convert(f, buf, stride))
			require.Equal(t, bytes.Repeat([]byte{0xa5}, 64), buf[len(buf)-64:], "%d×%d", width, height)
			f.Free()
		}
	}
}

func TestPictureDigest(t *testing.T) {
	conv := newConverter(untaggedBT601, DefaultConfig().MaxPixels)
	defer conv.release()
	base := [3]int{100, 110, 120}
	made := func(format astiav.PixelFormat, width, height int, colour [3]int) *picture {
		p := newPicture(flat(t, format, width, height, matrix601, 0, 8, colour), conv, 0, Orientation{})
		t.Cleanup(p.Release)
		return p
	}
	const yuv = astiav.PixelFormatYuv420P
	one, same := made(yuv, 50, 38, base), made(yuv, 50, 38, base)
	require.Equal(t, digestOf(one), digestOf(same))

	// Bytes outside the visible part do not count, nor does chroma …
	r := raw(same.frame)
	row := unsafe.Slice((*byte)(unsafe.Pointer(r.data[0])), int(r.linesize[0]))
	row[50]++
	require.Equal(t, digestOf(one), digestOf(same))
	require.Equal(t, digestOf(one), digestOf(made(yuv, 50, 38, [3]int{100, 1, 2})))
	// … one step in one visible pixel of luma does.
	row[49]++
	require.NotEqual(t, digestOf(one), digestOf(same))
	require.NotEqual(t, digestOf(one), digestOf(made(yuv, 50, 38, [3]int{101, 110, 120})))
	require.NotEqual(t, digestOf(made(yuv, 64, 32, base)), digestOf(made(yuv, 32, 64, base)))
}

// TestPictureDigestOfNearPictures: pictures with the smallest possible differences, also
// those that a weak checksum would miss, have different digests.
func TestPictureDigestOfNearPictures(t *testing.T) {
	conv := newConverter(untaggedBT601, DefaultConfig().MaxPixels)
	defer conv.release()
	const width, height = 80, 60 // a row ends within a stripe
	frame := flat(t, astiav.PixelFormatGray8, width, height, matrix601, 0, 8, [3]int{128})
	p := newPicture(frame, conv, 0, Orientation{})
	defer p.Release()
	at := func(x, y int) *byte {
		return (*byte)(unsafe.Add(unsafe.Pointer(raw(frame).data[0]), y*int(raw(frame).linesize[0])+x))
	}
	seen := map[uint64]string{digestOf(p): "flat"}
	note := func(format string, args ...any) {
		what, digest := fmt.Sprintf(format, args...), digestOf(p)
		require.Empty(t, seen[digest], what)
		seen[digest] = what
	}
	for y := range height {
		for x := range width {
			for bit := range 8 {
				*at(x, y) ^= 1 << bit
				note("bit %d of %d,%d", bit, x, y)
				*at(x, y) ^= 1 << bit
			}
			*at(x, y)++
			*at((x+8)%width, y)--
			note("%d,%d and a word on", x, y)
			*at((x+8)%width, y)++
			*at(x, (y+1)%height)--
			note("%d,%d and a row down", x, y)
			*at(x, (y+1)%height)++
			*at(x, y)--
		}
	}
}

// rawRGB is what the ffmpeg tool makes of a file: upright, packed RGB.
func rawRGB(t testing.TB, path string, options ...string) []byte {
	t.Helper()
	return rawRGBOf(t, []string{"-i", path}, options...)
}

func rawRGBOf(t testing.TB, input []string, options ...string) []byte {
	t.Helper()
	args := append(append(append([]string{}, input...), options...), "-f", "rawvideo", "-pix_fmt", "rgb24")
	return read(t, ffmpeg(t, "out.rgb", args...))
}

// requireLike compares the pictures of a file with those of the ffmpeg tool, pixel
// by pixel.
func requireLike(t *testing.T, all []shown, want []byte) {
	t.Helper()
	require.NotEmpty(t, all)
	size := len(all[0].rgb)
	require.Equal(t, len(want), len(all)*size)
	for i, p := range all {
		worst, sum := 0, 0
		for j, v := range p.rgb {
			d := int(v) - int(want[i*size+j])
			worst, sum = max(worst, d, -d), sum+d*d
		}
		psnr := 10 * math.Log10(255*255*float64(size)/math.Max(1e-9, float64(sum)))
		if psnr < 42 {
			t.Fatalf("picture %d: PSNR %.1f dB, worst difference %d", i, psnr, worst)
		}
	}
}

func TestFileColoursLikeFFmpeg(t *testing.T) {
	for _, c := range []struct {
		name, size string
		args       []string
	}{
		{"limited.mp4", "320x240", []string{"-c:v", "libx264"}},
		{"full.mkv", "320x240", []string{"-c:v", "libx264", "-pix_fmt", "yuvj420p"}},
		{"bt709.mkv", "320x240", []string{"-c:v", "libx264", "-colorspace", "bt709", "-color_primaries", "bt709", "-color_trc", "bt709"}},
		{"deep.mkv", "320x240", []string{"-c:v", "libx264", "-pix_fmt", "yuv420p10le"}},
		{"yuv444.mkv", "322x242", []string{"-c:v", "libx264", "-pix_fmt", "yuv444p"}},
		{"yuv422.avi", "320x240", []string{"-c:v", "mjpeg", "-pix_fmt", "yuvj422p", "-q:v", "2"}},
		{"rgb.mkv", "98x66", []string{"-c:v", "ffv1", "-pix_fmt", "bgr0"}},
		{"gray.mkv", "98x66", []string{"-c:v", "ffv1", "-pix_fmt", "gray"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			path := ffmpeg(t, c.name, append(noisy(c.size, 3), c.args...)...)
			all, err := drain(t, openFile(t, path))
			require.NoError(t, err)
			requireLike(t, all, rawRGB(t, path))
		})
	}
}

// TestFileRotatedIsUpright is the "upside down" of row 17: turned once, as the ffmpeg tool does.
func TestFileRotatedIsUpright(t *testing.T) {
	plain := ffmpeg(t, "plain.mp4", append(noisy("160x96", 3), "-c:v", "libx264")...)
	for _, degrees := range []string{"90", "180", "270"} {
		t.Run(degrees, func(t *testing.T) {
			path := ffmpeg(t, "turned.mp4", "-i", plain, "-c", "copy", "-metadata:s:v:0", "rotate="+degrees)
			f := openFile(t, path)
			info := f.Info()
			require.NotZero(t, info.Orientation)
			all, err := drain(t, f)
			require.NoError(t, err)
			require.Equal(t, [2]int{info.Width, info.Height}, [2]int{all[0].width, all[0].height})
			requireLike(t, all, rawRGB(t, path))
			require.Equal(t, degrees != "180", all[0].height == 160)
		})
	}
}

func TestFFmpegToolIsThere(t *testing.T) {
	if _, err := exec.LookPath("ffmpeg"); err != nil {
		t.Skip("ffmpeg command line tool missing: most tests of this package are skipped without it")
	}
}

// TestPictureThumbnail: luma of every layout, turned as shown, whatever the size.
func TestPictureThumbnail(t *testing.T) {
	const side = liveproof.ThumbnailSide
	conv := newConverter(untaggedBT601, DefaultConfig().MaxPixels)
	defer conv.release()
	for _, c := range []struct {
		format astiav.PixelFormat
		bits   int
	}{{astiav.PixelFormatYuv420P, 8}, {astiav.PixelFormatYuv444P, 8}, {astiav.PixelFormatYuv420P10Le, 10}} {
		for _, size := range [][2]int{{640, 480}, {50, 38}, {1, 1}, {65, 1080}} {
			p := newPicture(flat(t, c.format, size[0], size[1], matrix601, 0, c.bits, [3]int{100, 110, 120}), conv, 0, Orientation{Turns: 1})
			var got liveproof.Thumbnail
			got[7] = 255
			p.Fingerprint(&got)
			require.Equal(t, bytes.Repeat([]byte{100}, len(got)), got[:], "%v %v", c.format, size)
			p.Release()
			require.Zero(t, p.Fingerprint(&got))
			require.Zero(t, got, "released")
		}
	}

	// A bright pixel block in the second row, last column.
	frame := flat(t, astiav.PixelFormatYuv420P, 640, 640, matrix601, 0, 8, [3]int{50, 128, 128})
	r := raw(frame)
	luma := unsafe.Slice((*byte)(unsafe.Pointer(r.data[0])), int(r.linesize[0])*640)
	for y := 10; y < 20; y++ {
		for x := 630; x < 640; x++ {
			luma[y*int(r.linesize[0])+x] = 200
		}
	}
	p := newPicture(frame, conv, 0, Orientation{})
	defer p.Release()
	for orientation, at := range map[Orientation][2]int{
		{}: {63, 1}, {Turns: 1}: {62, 63}, {Turns: 2}: {0, 62}, {Turns: 3}: {1, 0},
		{Mirrored: true}: {0, 1}, {true, 1}: {62, 0}, {true, 2}: {63, 62}, {true, 3}: {1, 63},
	} {
		var got, want liveproof.Thumbnail
		for i := range want {
			want[i] = 50
		}
		want[at[1]*side+at[0]] = 200
		p.orientation = orientation
		p.Fingerprint(&got)
		require.Equal(t, want, got, orientation)
	}
}

// TestPictureOfUnevenLuma: what FFmpeg tells of this format's luma does not lead to it; nothing outside the row is read.
func TestPictureOfUnevenLuma(t *testing.T) {
	frame := astiav.AllocFrame()
	frame.SetWidth(640)
	frame.SetHeight(48)
	frame.SetPixelFormat(astiav.PixelFormatUyyvyy411)
	require.NoError(t, frame.AllocBuffer(0))
	conv := newConverter(untaggedBT601, DefaultConfig().MaxPixels)
	defer conv.release()
	p := newPicture(frame, conv, 0, Orientation{})
	defer p.Release()
	var got liveproof.Thumbnail
	require.Zero(t, p.Fingerprint(&got))
	require.Zero(t, got)
}

// TestPictureThumbnailIsTheMean of at most ten by ten samples spread over a cell.
func TestPictureThumbnailIsTheMean(t *testing.T) {
	conv := newConverter(untaggedBT601, DefaultConfig().MaxPixels)
	defer conv.release()
	for _, format := range []astiav.PixelFormat{astiav.PixelFormatYuv420P, astiav.PixelFormatYuyv422} {
		for _, size := range [][2]int{{640, 480}, {1280, 720}, {322, 242}, {66, 1080}, {30, 20}} {
			frame := flat(t, format, size[0], size[1], matrix601, 0, 8, [3]int{})
			stride, apart := int(raw(frame).linesize[0]), 1
			if format == astiav.PixelFormatYuyv422 {
				apart = 2
			}
			luma := unsafe.Slice((*byte)(unsafe.Pointer(raw(frame).data[0])), stride*size[1])
			random := rand.New(rand.NewPCG(1, 2))
			for i := range luma {
				luma[i] = byte(random.Uint32())
			}
			p := newPicture(frame, conv, 0, Orientation{})
			var got, want liveproof.Thumbnail
			p.Fingerprint(&got)
			for i := range want {
				xs, ys := spread(i%liveproof.ThumbnailSide, size[0]), spread(i/liveproof.ThumbnailSide, size[1])
				sum, n := 0, len(xs)*len(ys)
				for _, y := range ys {
					for _, x := range xs {
						sum += int(luma[y*stride+x*apart])
					}
				}
				want[i] = byte((sum + n/2) / n)
			}
			require.Equal(t, want, got, "%v %v", format, size)
			p.Release()
		}
	}
}

// spread is which samples of a line of n make a cell.
func spread(cell, n int) (at []int) {
	from, to := cell*n/liveproof.ThumbnailSide, (cell+1)*n/liveproof.ThumbnailSide
	to = max(to, from+1)
	for i := from; i < to; i += max(1, (to-from)/5) {
		at = append(at, i)
	}
	return at
}
