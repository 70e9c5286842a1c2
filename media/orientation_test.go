package media

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/liveproof/liveproof"
)

// orientations are all eight, with the two linear maps that write them as a display matrix
// (a, b, c, d), the flip and the anticlockwise angle of an H.264 display orientation SEI message (flipped
// first, then turned), the EXIF orientation, and FFmpeg's filters that make the picture upright.
var orientations = []struct {
	Orientation
	matrix  [4]int32
	flip    string
	angle   int
	exif    byte
	filters string
}{
	{Orientation{false, 0}, [4]int32{1, 0, 0, 1}, "", 0, 1, "null"},
	{Orientation{false, 1}, [4]int32{0, 1, -1, 0}, "", 270, 6, "transpose=clock"},
	{Orientation{false, 2}, [4]int32{-1, 0, 0, -1}, "", 180, 3, "hflip,vflip"},
	{Orientation{false, 3}, [4]int32{0, -1, 1, 0}, "", 90, 8, "transpose=cclock"},
	{Orientation{true, 0}, [4]int32{-1, 0, 0, 1}, "horizontal", 0, 2, "hflip"},
	{Orientation{true, 1}, [4]int32{0, -1, -1, 0}, "horizontal", 270, 7, "hflip,transpose=clock"},
	{Orientation{true, 2}, [4]int32{1, 0, 0, -1}, "vertical", 0, 4, "vflip"},
	{Orientation{true, 3}, [4]int32{0, 1, 1, 0}, "horizontal", 90, 5, "hflip,transpose=cclock"},
}

// eachOrientation compares what a test makes of each with FFmpeg's filters on the plain clip.
func eachOrientation(t *testing.T, plain string, run func(t *testing.T, i int) []shown) {
	for i, o := range orientations {
		t.Run(fmt.Sprintf("%+v", o.Orientation), func(t *testing.T) {
			all := run(t, i)
			require.NotEmpty(t, all)
			require.Equal(t, o.Turns%2 == 1, all[0].height > all[0].width)
			requireLike(t, all, rawRGB(t, plain, "-vf", o.filters))
		})
	}
}

// plainClip is H.264 as browsers send it.
func plainClip(t testing.TB) string {
	return ffmpeg(t, "plain.h264", append(noisy("160x96", 3), encoders[liveproof.CodecH264]...)...)
}

func remuxed(t testing.TB, path string) string {
	return ffmpeg(t, "copy.mp4", "-i", path, "-c", "copy")
}

// withMatrix replaces the display matrix of an MP4 file's only track.
func withMatrix(t testing.TB, path string, abcd [4]int32) string {
	t.Helper()
	matrix := func(m [4]int32) (b []byte) {
		for _, v := range []int32{m[0] << 16, m[1] << 16, 0, m[2] << 16, m[3] << 16, 0, 0, 0, 1 << 30} {
			b = binary.BigEndian.AppendUint32(b, uint32(v))
		}
		return b
	}
	data, identity := read(t, path), matrix([4]int32{1, 0, 0, 1})
	require.Equal(t, 2, bytes.Count(data, identity), "the movie's and the track's")
	copy(data[bytes.LastIndex(data, identity):], matrix(abcd))
	return write(t, "matrix.mp4", data)
}

func TestOrientationOfAContainer(t *testing.T) {
	plain := plainClip(t)
	eachOrientation(t, plain, func(t *testing.T, i int) []shown {
		path := withMatrix(t, remuxed(t, plain), orientations[i].matrix)
		f := openFile(t, path)
		require.Equal(t, orientations[i].Orientation, f.Info().Orientation)
		all, err := drain(t, f)
		require.NoError(t, err)
		require.Equal(t, [2]int{f.Info().Width, f.Info().Height}, [2]int{all[0].width, all[0].height})
		requireLike(t, all, rawRGB(t, path)) // which FFmpeg has turned by itself
		return all
	})
}

// withSEI writes a display orientation SEI message into an H.264 stream.
func withSEI(t testing.TB, from string, i int) string {
	t.Helper()
	o := orientations[i]
	filter := fmt.Sprintf("h264_metadata=display_orientation=insert:rotate=%d", o.angle)
	if o.flip != "" {
		filter += ":flip=" + o.flip
	}
	return ffmpeg(t, "sei.h264", "-i", from, "-c", "copy", "-bsf:v", filter)
}

func TestOrientationOfAFrame(t *testing.T) {
	plain := plainClip(t)
	eachOrientation(t, plain, func(t *testing.T, i int) []shown {
		path := remuxed(t, withSEI(t, plain, i))
		f := openFile(t, path)
		require.Zero(t, f.Info().Orientation, "the container has none")
		all, err := drain(t, f)
		require.NoError(t, err)
		requireLike(t, all[:1], rawRGB(t, path, "-frames:v", "1")) // FFmpeg 5.1 forgets it after the first picture
		return all
	})
}

// TestOrientationOfTheFrameWins over that of the container and that of the transport.
func TestOrientationOfTheFrameWins(t *testing.T) {
	plain := plainClip(t)
	path := withMatrix(t, remuxed(t, withSEI(t, plain, 3)), orientations[2].matrix)
	all, err := drain(t, openFile(t, path))
	require.NoError(t, err)
	requireLike(t, all, rawRGB(t, plain, "-vf", orientations[3].filters))

	units := unitsOf(t, withSEI(t, plain, 3), liveproof.CodecH264)
	for i := range units {
		units[i].Rotation, units[i].Mirrored = 90, true
	}
	all, _, _, err = play(t, units)
	require.NoError(t, err)
	requireLike(t, all, rawRGB(t, plain, "-vf", orientations[3].filters))
}

func TestOrientationOfALiveFrame(t *testing.T) {
	plain := plainClip(t)
	eachOrientation(t, plain, func(t *testing.T, i int) []shown {
		all, _, _, err := play(t, unitsOf(t, withSEI(t, plain, i), liveproof.CodecH264))
		require.NoError(t, err)
		return all
	})
}

// TestOrientationOfAUnit is coordination of video orientation.
func TestOrientationOfAUnit(t *testing.T) {
	plain := plainClip(t)
	units := unitsOf(t, plain, liveproof.CodecH264)
	eachOrientation(t, plain, func(t *testing.T, i int) []shown {
		for n := range units {
			units[n].Rotation, units[n].Mirrored = orientations[i].Degrees(), orientations[i].Mirrored
		}
		all, _, _, err := play(t, units)
		require.NoError(t, err)
		return all
	})
}

// unitsOf splits an IVF file, or an H.264 stream with access unit delimiters, of three pictures.
func unitsOf(t testing.TB, path string, codec liveproof.Codec) (units []liveproof.AccessUnit) {
	t.Helper()
	parts := splitAUD(read(t, path))
	if codec != liveproof.CodecH264 {
		parts = splitIVF(t, read(t, path))
	}
	for i, data := range parts {
		units = append(units, liveproof.AccessUnit{Codec: codec, Key: i == 0, Data: data})
	}
	require.Len(t, units, 3)
	return units
}

// TestOrientationOfAJPEG is EXIF in every picture of a motion JPEG file.
func TestOrientationOfAJPEG(t *testing.T) {
	plain := ffmpeg(t, "plain.mjpeg", append(noisy("160x96", 3), "-c:v", "mjpeg", "-q:v", "2")...)
	eachOrientation(t, plain, func(t *testing.T, i int) []shown {
		path := write(t, "exif.mjpeg", withEXIF(read(t, plain), orientations[i].exif))
		all, err := drain(t, openFile(t, path))
		require.NoError(t, err)
		requireLike(t, all, rawRGB(t, path))
		return all
	})
}

// withEXIF puts an EXIF segment with nothing but the orientation behind each JPEG's start.
func withEXIF(data []byte, orientation byte) []byte {
	const exif = "\xff\xd8\xff\xe1\x00\x22Exif\x00\x00II*\x00\x08\x00\x00\x00\x01\x00" + // one entry
		"\x12\x01\x03\x00\x01\x00\x00\x00" // its tag, its type (short), how many
	with := exif + string([]byte{orientation, 0, 0, 0}) + "\x00\x00\x00\x00"
	return []byte(strings.ReplaceAll(string(data), "\xff\xd8", with))
}

func TestOrientationOfBrokenMatrices(t *testing.T) {
	for name, matrix := range map[string][]byte{"none": nil, "cut short": make([]byte, 35), "a line": make([]byte, 36)} {
		o, ok := matrixOrientation(matrix)
		require.False(t, ok, name)
		require.Zero(t, o, name)
	}
	lowest := make([]byte, 36)
	for i := range 9 {
		binary.NativeEndian.PutUint32(lowest[4*i:], 1<<31)
	}
	binary.NativeEndian.PutUint32(lowest[4:], math.MaxInt32)
	_, ok := matrixOrientation(lowest)
	require.True(t, ok, "the largest numbers are no special case")
}

// TestOrientationTurnsEverySize: no pixel is lost or written outside, whatever the size.
func TestOrientationTurnsEverySize(t *testing.T) {
	for _, o := range orientations {
		for _, size := range [][2]int{{1, 1}, {1, 70}, {70, 1}, {33, 65}, {98, 66}} {
			width, height := size[0], size[1]
			from := make([]byte, 3*width*height)
			for i := range from {
				from[i] = byte(i * 7)
			}
			out := liveproof.NewImage(o.size(width, height))
			guarded := make([]byte, len(out.Pix)+1)
			guarded[len(out.Pix)] = 0xa5
			out.Pix = guarded[:len(out.Pix)]
			o.turn(from, width, height, 3*width, out)
			require.EqualValues(t, 0xa5, guarded[len(out.Pix)])
			for y := range height {
				for x := range width {
					tx, ty := o.place(x, y, width, height)
					require.Equal(t, from[3*(y*width+x):][:3], out.Pix[ty*out.Stride+3*tx:][:3], "%+v %v", o.Orientation, size)
				}
			}
		}
	}
}

// TestOrientationOfSharedInputs compares with the ffmpeg tool, which turns by itself.
func TestOrientationOfSharedInputs(t *testing.T) {
	dir := os.Getenv("LIVEPROOF_SHARED")
	if dir == "" {
		t.Skip("needs LIVEPROOF_SHARED, the folder with the shared clips")
	}
	for name, plain := range map[string]string{"hflip.mp4": "hflip", "sei180.mp4": "hflip,vflip"} {
		path := dir + "/inputs/" + name
		all, err := drain(t, openFile(t, path))
		require.NoError(t, err)
		requireLike(t, all[:1], rawRGB(t, path, "-frames:v", "1"))
		requireLike(t, all[:5], rawRGBOf(t, []string{"-noautorotate", "-i", path}, "-vf", plain, "-frames:v", "5"))
	}
}

// TestOrientationThatChanges: when the sender turns the camera, the pictures turn and their orientation turns back. The
// thumbnails by which cuts are found hardly change.
func TestOrientationThatChanges(t *testing.T) {
	still := []string{"-f", "lavfi", "-i", "mandelbrot=size=128x96:rate=30,format=yuv420p", "-frames:v", "1"}
	var before liveproof.Thumbnail
	for i, o := range orientations {
		undo := []string{"null", "transpose=cclock", "hflip,vflip", "transpose=clock",
			"hflip", "transpose=cclock,hflip", "vflip", "transpose=clock,hflip"}[i]
		units := encode(t, liveproof.CodecH264, append(append([]string{}, still...), "-vf", undo), "-b:v", "4M")
		units[0].Rotation, units[0].Mirrored = o.Degrees(), o.Mirrored
		s, err := NewStream(DefaultConfig(), &script{units: units})
		require.NoError(t, err)
		p, err := s.Next(t.Context())
		require.NoError(t, err)
		var now liveproof.Thumbnail
		p.Fingerprint(&now)
		p.Release()
		require.NoError(t, s.Close())
		if i == 0 {
			before = now
		}
		sum := 0
		for j := range now {
			sum += max(int(now[j]), int(before[j])) - min(int(now[j]), int(before[j]))
		}
		require.Less(t, float64(sum)/float64(len(now)), 4.0, "%+v", o.Orientation)
	}
}

// TestOrientationOfReorderedPictures: every picture keeps the orientation of its own packet, also where B pictures leave the
// decoder in another order.
func TestOrientationOfReorderedPictures(t *testing.T) {
	plain := ffmpeg(t, "plain.h264", append(noisy("160x96", 8), "-c:v", "libx264", "-bf", "3", "-x264-params", "b-adapt=0")...)
	both := append(read(t, withSEI(t, plain, 1)), read(t, withSEI(t, plain, 6))...)
	path := write(t, "both.h264", append(both, read(t, plain)...))
	for _, name := range []string{path, ffmpeg(t, "both.mkv", "-fflags", "+genpts", "-i", path, "-c", "copy", "-bsf:v", "setts=ts=N")} {
		f := openFile(t, name)
		all, err := drain(t, f)
		require.NoError(t, err)
		require.Len(t, all, 24)
		for i, p := range all {
			require.Equal(t, i < 8, p.height > p.width, "picture %d", i)
		}
		requireLike(t, all[:8], rawRGB(t, plain, "-vf", orientations[1].filters))
		requireLike(t, all[8:16], rawRGB(t, plain, "-vf", orientations[6].filters))
		requireLike(t, all[16:], rawRGB(t, plain))
	}
}
