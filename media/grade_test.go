package media

import (
	"fmt"
	"math"
	"os"
	"testing"

	"github.com/asticode/go-astiav"
	"github.com/stretchr/testify/require"

	"github.com/liveproof/liveproof"
)

// Values of AVColorPrimaries and AVColorTransferCharacteristic (libavutil/pixfmt.h).
const (
	primaries709, primaries2020, primariesP3 = 1, 9, 12
	transfer709, transferPQ, transferHLG     = 1, 16, 18
	matrix2020                               = 9
)

// toneMapped are FFmpeg's filters that make the same of a picture of high dynamic range.
var toneMapped = fmt.Sprintf("zscale=transfer=linear:npl=%d,format=gbrpf32le,zscale=primaries=bt709,"+
	"tonemap=mobius:desat=0:peak=%f,zscale=transfer=bt709:matrix=bt709:range=pc,format=gbrp", referenceWhite, 1000./203)

// converted are those that make the same of one of wide gamut.
const converted = "zscale=transfer=linear,format=gbrpf32le,zscale=primaries=bt709,zscale=transfer=bt709:matrix=bt709:range=pc,format=gbrp"

// tagged makes a lossless clip of colour ramps and noise whose samples are taken to have these colours.
func tagged(t testing.TB, name, transfer, primaries, matrix, format, ramp string) string {
	t.Helper()
	source := "gradients=size=256x192:x0=0:y0=0:x1=255:y1=191:" + ramp + ":speed=0.1,format=gbrp," +
		"noise=alls=4:allf=t,scale=out_color_matrix=bt2020:out_range=tv,format=" + format
	return ffmpeg(t, name, "-f", "lavfi", "-i", source, "-frames:v", "3", "-c:v", "ffv1",
		"-color_trc", transfer, "-color_primaries", primaries, "-colorspace", matrix, "-color_range", "tv")
}

const colourRamp, greyRamp = "c0=black:c1=white:c2=red:c3=blue:n=4", "c0=black:c1=white:n=2"

// difference is the mean difference of two pictures in levels of 255, and the share of samples that differ by more than 8.
func difference(t testing.TB, all []shown, want []byte) (mean, far float64) {
	t.Helper()
	size := len(all[0].rgb)
	require.Equal(t, len(want), len(all)*size)
	for i, p := range all {
		for j, v := range p.rgb {
			d := int(v) - int(want[i*size+j])
			mean += math.Abs(float64(d))
			if d > 8 || d < -8 {
				far++
			}
		}
	}
	return mean / float64(len(want)), far / float64(len(want))
}

// TestGradeLikeFFmpeg compares with zscale and tonemap, which keep light above the signal's white for longer, and interpolate
// chroma differently. HLG is compared in grey: zscale applies its OOTF to each colour, BT.2100 to the luminance.
func TestGradeLikeFFmpeg(t *testing.T) {
	for _, c := range []struct{ name, transfer, primaries, matrix, format, filters string }{
		{"pq", "smpte2084", "bt2020", "bt2020nc", "yuv444p10le", toneMapped},
		{"pq 4:2:0", "smpte2084", "bt2020", "bt2020nc", "yuv420p10le", toneMapped},
		{"pq 12 bits", "smpte2084", "bt2020", "bt2020nc", "yuv422p12le", toneMapped},
		{"hlg", "arib-std-b67", "bt2020", "bt2020nc", "yuv444p10le", toneMapped},
		{"hlg 4:2:0", "arib-std-b67", "bt2020", "bt2020nc", "yuv420p10le", toneMapped},
		{"bt.2020", "bt2020-10", "bt2020", "bt2020nc", "yuv444p10le", converted},
		{"bt.2020, 8 bits", "bt709", "bt2020", "bt2020nc", "yuv444p", converted},
		{"display p3", "bt709", "smpte432", "bt709", "yuv444p10le", converted},
		{"dci p3", "bt709", "smpte431", "bt709", "yuv444p10le", converted},
	} {
		t.Run(c.name, func(t *testing.T) {
			ramp := colourRamp
			if c.transfer == "arib-std-b67" {
				ramp = greyRamp
			}
			path := tagged(t, "clip.mkv", c.transfer, c.primaries, c.matrix, c.format, ramp)
			all, err := drain(t, openFile(t, path))
			require.NoError(t, err)
			mean, far := difference(t, all, rawRGB(t, path, "-vf", c.filters))
			t.Logf("mean %.2f, far off %.4f", mean, far)
			require.Less(t, mean, 1.0)
			require.Less(t, far, 0.02)
			untouched, _ := difference(t, all, rawRGB(t, path))
			require.Greater(t, untouched, 3*mean+1, "the test would not see a missing conversion")
		})
	}
}

func TestGradeOfSharedInput(t *testing.T) {
	dir := os.Getenv("LIVEPROOF_SHARED")
	if dir == "" {
		t.Skip("needs LIVEPROOF_SHARED, the folder with the shared clips")
	}
	path := dir + "/inputs/pq.mov"
	all, err := drain(t, openFile(t, path))
	require.NoError(t, err)
	mean, _ := difference(t, all[:5], rawRGB(t, path, "-vf", toneMapped, "-frames:v", "5"))
	t.Logf("mean %.2f", mean)
	require.Less(t, mean, 1.5) // chroma is interpolated differently
}

// TestGradeOfColours computes single colours by the equations of the standards.
func TestGradeOfColours(t *testing.T) {
	const kr, kb = 0.2627, 0.0593                                                                                // BT.2020
	toBT709 := [3][3]float64{{1.6605, -0.5876, -0.0728}, {-0.1246, 1.1329, -0.0083}, {-0.0182, -0.1006, 1.1187}} // ITU-R BT.2087
	curve := func(x float64) float64 {                                                                           // FFmpeg's mobius with param 0.3
		const j, peak = 0.3, 1000. / 203
		if x <= j {
			return x
		}
		a, b := -j*j*(peak-1)/(j*j-2*j+peak), (j*j-2*j*peak+peak)/(peak-1)
		return (b*b + 2*b*j + j*j) / (b - a) * (x + a) / (x + b)
	}
	for _, transfer := range []int{transferPQ, transferHLG} {
		for _, yuv := range [][3]int{{120, 128, 128}, {130, 120, 140}, {90, 135, 125}, {160, 128, 135}, {40, 128, 128}, {200, 120, 128}} {
			y, cb, cr := (float64(yuv[0])-16)/219, (float64(yuv[1])-128)/224, (float64(yuv[2])-128)/224
			signal := [3]float64{y + 2*(1-kr)*cr, 0, y + 2*(1-kb)*cb}
			signal[1] = (y - kr*signal[0] - kb*signal[2]) / (1 - kr - kb)
			var light, want [3]float64
			for i, s := range signal {
				if light[i] = pqLight(s) * 10000 / 203; transfer == transferHLG {
					light[i] = hlgLight(s)
				}
			}
			if transfer == transferHLG {
				luminance := kr*light[0] + (1-kr-kb)*light[1] + kb*light[2]
				for i := range light {
					light[i] *= math.Pow(luminance, 0.2) * 1000 / 203
				}
			}
			for i, row := range toBT709 {
				want[i] = row[0]*light[0] + row[1]*light[1] + row[2]*light[2]
			}
			most := max(want[0], want[1], want[2])
			for i := range want {
				want[i] = 255 * math.Pow(min(1, max(0, want[i]*curve(most)/most)), 1/2.4)
			}
			f := flat(t, astiav.PixelFormatYuv420P10Le, 64, 48, matrix2020, rangeLimited, 10, yuv)
			raw(f).color_primaries, raw(f).color_trc = primaries2020, uint32(transfer)
			requireColour(t, f, want)
		}
	}
}

// TestGradeOfGrey: steps of the standards that need no other implementation.
func TestGradeOfGrey(t *testing.T) {
	white := math.Pow(203./10000, 2610./16384) // SMPTE ST 2084's inverse EOTF of 203 cd/m²
	signal := math.Pow((3424./4096+2413./128*white)/(1+2392./128*white), 2523./32)
	require.InDelta(t, 0.581, signal, 0.001, "BT.2408, table 1")
	require.InDelta(t, 203./10000, pqLight(signal), 1e-6)
	require.InDelta(t, 0.2, math.Pow(hlgLight(0.75), hlgGamma), 0.01, "203 of 1000 cd/m²: BT.2408, table 1")
	require.InDelta(t, 1, hlgLight(1), 1e-6)
	for _, transfer := range []int{transferPQ, transferHLG, transfer709} {
		g := newGrade(colour{matrix2020, rangeFull, primaries2020, int32(transfer)})
		require.Zero(t, g.luma[0])
		require.EqualValues(t, 255, g.luma[255])
		for i := 1; i < 256; i++ {
			require.GreaterOrEqual(t, g.luma[i], g.luma[i-1])
		}
	}
}

func TestColoursThatAreLeftAlone(t *testing.T) {
	for _, c := range []struct {
		name                        string
		matrix, primaries, transfer int
		graded                      bool
	}{
		{"nothing is tagged", matrixUnspecified, 2, 2, false},
		{"bt.709", matrix709, primaries709, transfer709, false},
		{"bt.601", matrix601, 6, 6, false},
		{"pal", 5, 5, 4, false},
		{"srgb", matrix709, primaries709, 13, false},
		{"reserved", 3, 3, 3, false},
		{"unknown", 200, 200, 200, false},
		{"bt.2020 by its matrix", matrix2020, 2, 2, true},
		{"bt.2020 by its transfer", matrixUnspecified, 2, 14, true},
		{"pq alone", matrixUnspecified, 2, transferPQ, true},
		{"hlg in bt.709", matrix709, primaries709, transferHLG, true},
		{"p3", matrix709, primariesP3, transfer709, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := flat(t, astiav.PixelFormatYuv420P10Le, 64, 48, c.matrix, rangeLimited, 10, [3]int{120, 100, 160})
			r := raw(f)
			r.color_primaries, r.color_trc = uint32(c.primaries), uint32(c.transfer)
			require.Equal(t, c.graded, colourOf(r, untaggedBT601).graded())
			conv := newConverter(untaggedBT601, DefaultConfig().MaxPixels)
			defer conv.release()
			p := newPicture(f, conv, 0, Orientation{})
			defer p.Release()
			_ = show(t, p, new(liveproof.ImagePool))
			require.Equal(t, c.graded, conv.grade != nil)
		})
	}
}

// TestGradeThumbnail: thumbnails follow the pictures that the models see.
func TestGradeThumbnail(t *testing.T) {
	for _, transfer := range []int{transferPQ, transferHLG} {
		f := flat(t, astiav.PixelFormatYuv420P10Le, 64, 48, matrix2020, rangeLimited, 10, [3]int{120, 128, 128})
		r := raw(f)
		r.color_primaries, r.color_trc = primaries2020, uint32(transfer)
		conv := newConverter(untaggedBT601, DefaultConfig().MaxPixels)
		defer conv.release()
		p := newPicture(f, conv, 0, Orientation{Turns: 1})
		defer p.Release()
		var cells liveproof.Thumbnail
		p.Fingerprint(&cells)
		grey := float64(show(t, p, new(liveproof.ImagePool)).rgb[0])
		require.InDelta(t, 16+grey*219/255, float64(cells[0]), 2.5)
		require.Equal(t, cells[0], cells[len(cells)-1])
	}
}

func BenchmarkGrade(b *testing.B) {
	conv := newConverter(untaggedBT601, DefaultConfig().MaxPixels)
	defer conv.release()
	f := flat(b, astiav.PixelFormatYuv420P10Le, 640, 480, matrix2020, rangeLimited, 10, [3]int{120, 100, 160})
	raw(f).color_primaries, raw(f).color_trc = primaries2020, transferPQ
	p := newPicture(f, conv, 0, Orientation{})
	defer p.Release()
	var pool liveproof.ImagePool
	b.ReportAllocs()
	for b.Loop() {
		img, err := p.RGB(&pool)
		require.NoError(b, err)
		img.Release()
	}
}
