package media

import (
	"bytes"
	"slices"
	"testing"
	"unsafe"

	"github.com/asticode/go-astiav"
	"github.com/stretchr/testify/require"

	"github.com/liveproof/liveproof"
)

// TestLiveColoursLikeFFmpeg: what the bitstream says of range, matrix and transfer counts in a live stream as in a file.
func TestLiveColoursLikeFFmpeg(t *testing.T) {
	hdr := []string{"-color_trc", "smpte2084", "-color_primaries", "bt2020", "-colorspace", "bt2020nc", "-color_range", "tv"}
	deep := append([]string{"-pix_fmt", "yuv420p10le", "-profile:v", "high10"}, hdr...)
	for _, c := range []struct {
		name    string
		codec   liveproof.Codec
		options []string
		filters string
		most    float64 // mean difference; zscale interpolates chroma at the edges of the test picture differently
	}{
		{"h264 full range", liveproof.CodecH264, []string{"-pix_fmt", "yuvj420p"}, "null", 0.5},
		{"h264 pc", liveproof.CodecH264, []string{"-vf", "scale=out_range=pc", "-color_range", "pc"}, "null", 0.5},
		{"h264 bt.709", liveproof.CodecH264, []string{"-colorspace", "bt709", "-color_primaries", "bt709", "-color_trc", "bt709"}, "null", 0.5},
		{"h264 pq", liveproof.CodecH264, deep, toneMapped, 6},
		{"vp9 full range", liveproof.CodecVP9, []string{"-vf", "scale=out_range=pc", "-color_range", "pc", "-colorspace", "bt470bg"}, "null", 0.5},
		{"vp9 bt.709", liveproof.CodecVP9, []string{"-colorspace", "bt709"}, "null", 0.5},
		{"av1 full range", liveproof.CodecAV1, []string{"-vf", "scale=out_range=pc", "-color_range", "pc"}, "null", 0.5},
		{"av1 pq", liveproof.CodecAV1, append([]string{"-pix_fmt", "yuv420p10le"}, hdr...), toneMapped, 6},
		{"vp8", liveproof.CodecVP8, nil, "null", 0.5},
	} {
		t.Run(c.name, func(t *testing.T) {
			name := "clip.ivf"
			if c.codec == liveproof.CodecH264 {
				name = "clip.h264"
			}
			path := ffmpeg(t, name, append(append(noisy("320x240", 3), encoders[c.codec]...), c.options...)...)
			all, _, _, err := play(t, unitsOf(t, path, c.codec))
			require.NoError(t, err)
			want := rawRGB(t, path, "-vf", c.filters)
			require.Equal(t, len(want), len(all)*len(all[0].rgb))
			mean, far := difference(t, all, want)
			t.Logf("mean %.2f, far off %.4f", mean, far)
			require.Less(t, mean, c.most)
			fromFile, err := drain(t, openFile(t, path))
			require.NoError(t, err)
			require.Equal(t, fromFile[0].rgb, all[0].rgb, "one owner of the rule")
		})
	}
}

// TestUntaggedMatrix: BT.601, but for files of more than standard definition BT.709, as players take it. Motion JPEG is always
// BT.601 (JFIF), and so is VP8.
func TestUntaggedMatrix(t *testing.T) {
	for _, c := range []struct {
		name, size, matrix string
		args               []string
	}{
		{"sd.mp4", "1024x576", "bt601", []string{"-c:v", "libx264"}},
		{"tall.mp4", "320x640", "bt709", []string{"-c:v", "libx264"}},
		{"hd.mp4", "1280x720", "bt709", []string{"-c:v", "libx264"}},
		{"hd601.mp4", "1280x720", "bt601", []string{"-c:v", "libx264", "-colorspace", "smpte170m"}},
		{"hd.avi", "1280x720", "bt601", []string{"-c:v", "mjpeg", "-q:v", "2"}},
		{"hd.ivf", "1280x720", "bt601", encoders[liveproof.CodecVP8]},
	} {
		t.Run(c.name, func(t *testing.T) {
			path := ffmpeg(t, c.name, append(noisy(c.size, 1), c.args...)...)
			all, err := drain(t, openFile(t, path))
			require.NoError(t, err)
			other := map[string]string{"bt601": "bt709", "bt709": "bt601"}[c.matrix]
			right, _ := difference(t, all, rawRGB(t, path, "-vf", "scale=in_color_matrix="+c.matrix))
			wrong, _ := difference(t, all, rawRGB(t, path, "-vf", "scale=in_color_matrix="+other))
			require.Less(t, right, 0.5)
			require.Greater(t, wrong, right+1)
		})
	}
	require.EqualValues(t, 5, untaggedBT601.matrix(1920, 1080), "a live stream")
}

// TestEveryPixelFormat: every format that FFmpeg has in memory is converted or refused, without a failure, whatever it
// says of its colours.
func TestEveryPixelFormat(t *testing.T) {
	var pool liveproof.ImagePool
	converted, refused := 0, []string{}
	for format := range astiav.PixelFormat(300) {
		if format.Name() == "" {
			continue
		}
		for _, colours := range [][3]uint32{{2, 2, 2}, {matrix2020, primaries2020, transferPQ}} {
			f := astiav.AllocFrame()
			f.SetWidth(50)
			f.SetHeight(38)
			f.SetPixelFormat(format)
			if f.AllocBuffer(0) != nil { // in a GPU's memory
				f.Free()
				continue
			}
			r := raw(f)
			r.colorspace, r.color_primaries, r.color_trc = colours[0], colours[1], colours[2]
			if colours[2] == transferPQ {
				r.interlaced_frame = 1
			}
			conv := newConverter(untaggedBT601, DefaultConfig().MaxPixels)
			p := newPicture(f, conv, 0, Orientation{true, 1})
			var cells liveproof.Thumbnail
			p.Fingerprint(&cells)
			if img, err := p.RGB(&pool); err == nil {
				converted++
				require.Equal(t, [2]int{38, 50}, [2]int{img.Width, img.Height})
				img.Release()
			} else {
				require.ErrorIs(t, err, errConvert)
				refused = append(refused, format.Name())
			}
			p.Release()
			conv.release()
		}
	}
	t.Logf("%d converted, refused: %v", converted, refused)
	require.Zero(t, pool.Leased())
	require.Greater(t, converted, 300)
	for _, name := range []string{"yuva420p", "gray", "gray10le", "pal8", "yuv422p", "yuv444p12le", "gbrp10le", "rgba", "nv12", "p010le", "monob", "ya8"} {
		require.NotContains(t, refused, name)
	}
}

// TestConversionStaysInItsMemory: libswscale's vector code writes whole vectors. Nothing may be written behind the memory that it is
// given, whatever the size, the shape of the pixels and the format.
func TestConversionStaysInItsMemory(t *testing.T) {
	const behind = 4096
	guarded := func(n int) []byte {
		b := bytes.Repeat([]byte{0xa5}, n+behind)
		return b[:n:n]
	}
	intact := func(b []byte) bool {
		return !slices.ContainsFunc(unsafe.Slice(unsafe.SliceData(b), len(b)+behind)[len(b):], func(v byte) bool { return v != 0xa5 })
	}
	for _, name := range []string{"yuv420p", "yuvj420p", "yuv422p", "yuv444p", "yuv410p", "yuv411p", "yuv420p10le", "nv12", "p010le", "gray", "pal8", "rgba", "rgb24", "gbrp10le", "monob", "yuyv422"} {
		for _, size := range [][2]int{{1, 1}, {16, 1}, {16, 2}, {1, 16}, {17, 3}, {48, 38}, {50, 39}, {64, 33}} {
			for _, pixel := range [][2]int{{1, 1}, {2, 1}, {1, 2}, {16, 11}} {
				for variant := range 4 {
					f := astiav.AllocFrame()
					f.SetWidth(size[0])
					f.SetHeight(size[1])
					f.SetPixelFormat(astiav.FindPixelFormatByName(name))
					require.NoError(t, f.AllocBuffer(0))
					f.SetSampleAspectRatio(astiav.NewRational(pixel[0], pixel[1]))
					r := raw(f)
					if variant&1 != 0 {
						r.interlaced_frame = 1
					}
					if variant&2 != 0 {
						r.colorspace, r.color_primaries, r.color_trc = matrix2020, primaries2020, transferPQ
					}
					conv := newConverter(untaggedBT601, 1<<20)
					width, height := conv.shownSize(r)
					conv.deep = guarded((6*width + 95) / 96 * 96 * (height + 1))
					deep := conv.deep
					out, scratch := guarded(3*width*height), guarded(3*((width+15)&^15)*(height+1))
					if width%16 == 0 {
						require.NoError(t, conv.convert(f, out, 3*width))
					} else {
						require.NoError(t, conv.convert(f, scratch, 3*((width+15)&^15)))
						o := Orientation{true, variant}
						w, _ := o.size(width, height)
						o.turn(scratch, width, height, 3*((width+15)&^15), &liveproof.Image{Pix: out, Stride: 3 * w})
					}
					require.Equal(t, [3]bool{true, true, true}, [3]bool{intact(out), intact(scratch), intact(deep)}, "%s %v %v %d", name, size, pixel, variant)
					conv.release()
					f.Free()
				}
			}
		}
	}
}
