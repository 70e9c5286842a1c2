package media

import (
	"testing"

	"github.com/asticode/go-astiav"
	"github.com/stretchr/testify/require"

	"github.com/liveproof/liveproof"
)

// TestPictureShape: pixels that are not square, cropping rectangles and fields are shown as FFmpeg's filters show them.
func TestPictureShape(t *testing.T) {
	x264 := func(options string) []string { return []string{"-c:v", "libx264", "-qp", "4", "-x264-params", options} }
	for _, c := range []struct {
		name          string
		args          []string
		width, height int
		filters       string // what the tool makes of the stored picture
		most          float64
	}{
		{"square.mp4", x264(""), 320, 240, "null", 0.5},
		{"wide.mp4", append(x264(""), "-vf", "setsar=16/11"), 465, 240, "scale=465:240:flags=bicubic", 2},
		{"narrow.mp4", append(x264(""), "-vf", "setsar=10/11"), 320, 264, "scale=320:264:flags=bicubic", 2},
		{"almost.mp4", append(x264(""), "-vf", "setsar=200/199"), 320, 240, "null", 0.5},
		{"absurd.mp4", append(x264(""), "-vf", "setsar=1000/1"), 320, 240, "null", 0.5},
		{"container.mkv", append(x264(""), "-aspect", "16:9"), 427, 240, "scale=427:240:flags=bicubic", 2},
		{"mpeg2.mpg", []string{"-c:v", "mpeg2video", "-q:v", "2", "-aspect", "16:9"}, 427, 240, "scale=427:240:flags=bicubic", 2},
		{"crop.mp4", append([]string{"-vf", "crop=310:226"}, x264("")...), 310, 226, "null", 0.5},
		{"vui.mp4", append(x264(""), "-bsf:v", "h264_metadata=crop_left=64:crop_right=30:crop_top=20:crop_bottom=40"), 226, 180, "null", 0.5},
		{"interlaced.mp4", x264("tff=1"), 320, 240, "field=top,scale=320:240:flags=bicubic", 2},
		{"interlaced.mpg", []string{"-c:v", "mpeg2video", "-q:v", "2", "-flags", "+ildct+ilme", "-top", "1"}, 320, 240, "field=top,scale=320:240:flags=bicubic", 2},
	} {
		t.Run(c.name, func(t *testing.T) {
			path := ffmpeg(t, c.name, append([]string{"-f", "lavfi", "-i", "testsrc2=size=320x240:rate=30,gblur=3,format=yuv420p", "-frames:v", "3"}, c.args...)...)
			f := openFile(t, path)
			all, err := drain(t, f)
			require.NoError(t, err)
			require.Equal(t, [2]int{c.width, c.height}, [2]int{all[0].width, all[0].height})
			if info := f.Info(); info.Width != 0 && c.name != "vui.mp4" { // a container that knows the size
				require.Equal(t, [2]int{c.width, c.height}, [2]int{info.Width, info.Height})
			}
			mean, _ := difference(t, all, rawRGBOf(t, []string{"-noautorotate", "-i", path}, "-vf", c.filters))
			require.Less(t, mean, c.most)
		})
	}
}

// TestSquarePixelsStayBelowTheCap: then the other side is reduced.
func TestSquarePixelsStayBelowTheCap(t *testing.T) {
	f := flat(t, astiav.PixelFormatYuv420P, 640, 480, matrix601, rangeLimited, 8, [3]int{100, 110, 120})
	for _, c := range []struct{ maxPixels, numerator, denominator, width, height int }{
		{1 << 20, 2, 1, 1280, 480}, {1 << 20, 1, 2, 640, 960}, {400_000, 2, 1, 640, 240}, {400_000, 1, 2, 320, 480},
		{1 << 20, 0, 1, 640, 480}, {1 << 20, -2, 1, 640, 480}, {1 << 20, 2, 0, 640, 480}, {1 << 20, 9, 1, 640, 480},
	} {
		f.SetSampleAspectRatio(astiav.NewRational(c.numerator, c.denominator))
		conv := newConverter(untaggedBT601, c.maxPixels)
		p := newPicture(f, conv, 0, Orientation{})
		s := show(t, p, new(liveproof.ImagePool))
		require.Equal(t, [2]int{c.width, c.height}, [2]int{s.width, s.height}, "%+v", c)
		p.orientation.Turns = 1
		s = show(t, p, new(liveproof.ImagePool))
		require.Equal(t, [2]int{c.height, c.width}, [2]int{s.width, s.height}, "%+v", c)
		conv.release()
	}
	f.Free()
}
