package codecs_test

import (
	"encoding/hex"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/liveproof/liveproof"
	"github.com/liveproof/liveproof/internal/codecs"
)

// The first bytes of units that libvpx and libaom made of 64×48 pixels, all with one quantiser: index 59 of VP8, 160 of AV1.
const (
	vp8KeyUnit   = "b00e009d012a400030000787088585889984881d823b607f49e0bfe0018d0d1743a411cd2419f2fb"
	vp8InterUnit = "1105002410ec001e9e37ffb093a4ffffe7509ee7bce6eceae3b60fbbd4d616cd9580cf98cfcc0017"
	// The frame's OBU is cut to its header.
	av1KeyUnit   = "12000a0a00000002aff79b5f2008321e1000d0009a69a62834c0dd6d7859f5630dbef2404c67ad0843692137c431"
	av1InterUnit = "12003215300401057df806d00082082028204200d9820a3b93"
	// x264, CABAC, two reference pictures, weights, the filter at work with offsets: a key picture cut to its slice's
	// header, the next picture, and both parameter sets and the next picture as MP4 has them.
	h264KeyUnit   = "000000016764000aacb623d80880000003008000001e078913700000000168eac0e4b22c000000016588843d2fdbe595b12389c9635c5bded0f251c558efed4e"
	h264InterUnit = "00000001419a3b1d2f7f7784456640"
	h264Record    = "0164000affe100166764000aacb623d80880000003008000001e0789137001000668eac0e4b22c"
	h264InFile    = "0000000b419a3b1d2f7f7784456640"
)

func unit(t testing.TB, text string) []byte {
	t.Helper()
	data, err := hex.DecodeString(text)
	require.NoError(t, err)
	return data
}

// TestQuantiserReader reads what FFmpeg's libraries wrote; package media compares whole streams with the encoders' settings.
func TestQuantiserReader(t *testing.T) {
	for _, c := range []struct {
		codec liveproof.Codec
		units []string
		want  []float64
	}{
		{liveproof.CodecVP8, []string{vp8KeyUnit, vp8InterUnit}, []float64{34. / 2.25, 34. / 2.25}},
		{liveproof.CodecVP8, []string{vp8KeyUnit[:20], vp8KeyUnit[:4], "", "31"}, []float64{0, 0, 0, 0}},
		{liveproof.CodecAV1, []string{av1KeyUnit, av1InterUnit}, []float64{305. / 8 / 8, 305. / 8 / 8}},
		// Without the sequence header nothing can be read; nor after a header that broke off.
		{liveproof.CodecAV1, []string{av1InterUnit, av1KeyUnit}, []float64{0, 305. / 8 / 8}},
		{liveproof.CodecAV1, []string{av1KeyUnit, "1200320130", av1InterUnit}, []float64{305. / 8 / 8, 0, 0}},
		{liveproof.CodecAV1, []string{av1KeyUnit[:20], "12", "", "1200"}, []float64{0, 0, 0, 0}},
	} {
		reader := codecs.Find(c.codec).NewQuantiserReader(nil)
		for i, text := range c.units {
			got := reader.Read(unit(t, text)).Step
			require.InDelta(t, c.want[i], got, 0.005*c.want[i], "%s unit %d", c.codec, i)
		}
	}
}

// TestH264Slice reads what x264 wrote, at QP 37 and 40; package media has more settings. Of a slice whose sets are not known, or whose
// header broke off, nothing is known, and it counts as not filtered.
func TestH264Slice(t *testing.T) {
	steps := map[string]float64{h264KeyUnit: 45.2548 / 1.75, h264InterUnit: 64 / 1.75, h264InFile: 64 / 1.75}
	for name, c := range map[string]struct {
		header string
		units  []string
		want   []bool
	}{
		"live":               {"", []string{h264KeyUnit, h264InterUnit}, []bool{true, true}},
		"file":               {h264Record, []string{h264InFile}, []bool{true}},
		"file of Annex B":    {h264KeyUnit, []string{h264InterUnit}, []bool{true}},
		"without sets":       {"", []string{h264InterUnit, h264KeyUnit}, []bool{false, true}},
		"picture set is cut": {h264Record[:len(h264Record)-6], []string{h264InFile}, []bool{false}},
		"cut":                {"", []string{h264KeyUnit, h264InterUnit[:14], "0000000141", "00000001", ""}, []bool{true, false, false, false, false}},
	} {
		t.Run(name, func(t *testing.T) {
			reader := codecs.Find(liveproof.CodecH264).NewQuantiserReader(unit(t, c.header))
			for i, text := range c.units {
				got := reader.Read(unit(t, text))
				require.Equal(t, c.want[i], got.Filtered, "unit %d", i)
				want := 0.0
				if c.want[i] {
					want = steps[text]
				}
				require.InDelta(t, want, got.Step, 0.001, "unit %d", i)
			}
		})
	}
}

// TestQuantiserSteps checks the ends of each table, points between, and that a coarser quantiser never has a smaller step.
func TestQuantiserSteps(t *testing.T) {
	require.InDelta(t, 1, codecs.H264Step(4, false), 1e-9)
	require.InDelta(t, 16, codecs.H264Step(28, false), 1e-9)
	require.InDelta(t, 16/1.75, codecs.H264Step(28, true), 1e-9)
	for index, table := range map[float64]float64{0: 4, 1: 8, 60: 67, 95: 102, 110: 132, 128: 176, 168: 353, 200: 639, 254: 1793, 255: 1828, 300: 1828, -1: 4} {
		require.InEpsilon(t, table/8/4, codecs.VP9Step(index), 0.006, "index %v", index)
	}
	for i := range 255 {
		require.Less(t, codecs.VP9Step(float64(i)), codecs.VP9Step(float64(i+1)))
	}
}

// FuzzQuantiserReader feeds a hostile stream header and two hostile units of each codec: the second is read with what the
// first left behind.
func FuzzQuantiserReader(f *testing.F) {
	names := codecs.Names()
	for i := range names {
		f.Add(byte(i), unit(f, vp8KeyUnit), unit(f, vp8InterUnit))
		f.Add(byte(i), unit(f, av1KeyUnit), unit(f, av1InterUnit))
		f.Add(byte(i), unit(f, h264KeyUnit), unit(f, h264InterUnit))
		f.Add(byte(i)+128, unit(f, h264Record), unit(f, h264InFile))
	}
	f.Fuzz(func(t *testing.T, which byte, first, second []byte) {
		format := codecs.Find(names[int(which)%len(names)])
		if format.NewQuantiserReader == nil {
			return
		}
		var header []byte
		if which >= 128 {
			header = first
		}
		reader := format.NewQuantiserReader(header)
		for _, data := range [][]byte{first, second} {
			if step := reader.Read(data).Step; !(step == 0 || step > 0 && step <= 228.5) {
				t.Fatalf("%s: step %v", format.Name, step)
			}
		}
	})
}

func BenchmarkQuantiserReader(b *testing.B) {
	for codec, text := range map[liveproof.Codec]string{liveproof.CodecVP8: vp8KeyUnit, liveproof.CodecAV1: av1KeyUnit, liveproof.CodecH264: h264KeyUnit} {
		b.Run(string(codec), func(b *testing.B) {
			reader, data := codecs.Find(codec).NewQuantiserReader(nil), unit(b, text)
			b.ReportAllocs()
			for b.Loop() {
				reader.Read(data)
			}
		})
	}
}
