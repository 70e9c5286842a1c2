package media

import (
	"bytes"
	"encoding/binary"
	"testing"

	"github.com/stretchr/testify/require"
)

// hevcSEI is a prefix SEI NAL unit with start code: cancel, flips, angle, persistence.
func hevcSEI(cancel, horizontal, vertical bool, angle uint32, persists bool) []byte {
	v := angle*(1<<16)/360&0xffff<<13 | 1<<11 // a stop bit
	for bit, set := range map[int]bool{31: cancel, 30: horizontal, 29: vertical, 12: persists} {
		if set {
			v |= 1 << bit
		}
	}
	body := binary.BigEndian.AppendUint32(nil, v)[:3]
	nal := append([]byte{0, 0, 0, 1, 39 << 1, 1}, escaped(append([]byte{47, 3}, body...))...)
	return append(nal, 0x80)
}

// escaped inserts emulation prevention bytes.
func escaped(data []byte) (out []byte) {
	zeros := 0
	for _, b := range data {
		if zeros >= 2 && b <= 3 {
			out, zeros = append(out, 3), 0
		}
		if zeros++; b != 0 {
			zeros = 0
		}
		out = append(out, b)
	}
	return out
}

func TestOrientationOfAnHEVCFrame(t *testing.T) {
	plain := ffmpeg(t, "plain.hevc", append(noisy("160x96", 3), "-c:v", "libx265", "-preset", "ultrafast", "-x265-params", "log-level=none:bframes=0")...)
	data := read(t, plain)
	idr := bytes.Index(data, []byte{0, 0, 1, 19 << 1, 1}) // IDR_W_RADL
	if idr < 0 {
		idr = bytes.Index(data, []byte{0, 0, 1, 20 << 1, 1}) // IDR_N_LP
	}
	require.Positive(t, idr)
	eachOrientation(t, plain, func(t *testing.T, i int) []shown {
		o := orientations[i]
		sei := hevcSEI(false, o.flip == "horizontal", o.flip == "vertical", uint32(o.angle), true)
		path := write(t, "sei.hevc", append(append(bytes.Clone(data[:idr]), sei...), data[idr:]...))
		for _, name := range []string{path, remuxed(t, path)} { // start codes, lengths
			all, err := drain(t, openFile(t, name))
			require.NoError(t, err)
			requireLike(t, all, rawRGB(t, plain, "-vf", o.filters))
			if name != path {
				return all
			}
		}
		return nil
	})
}

// TestOrientationMessagesPersist as the standards say.
func TestOrientationMessagesPersist(t *testing.T) {
	upside := Orientation{Turns: 2}
	h264 := func(persists bool, cancel bool) []byte {
		last := byte(0b0001_0000) // display_orientation_repetition_period 0: '1'
		if persists {
			last = 0b0000_0100 // '010': 1
		}
		first := byte(0b0001_0000) // half a turn
		if cancel {
			first |= 0x80
		}
		return []byte{0, 0, 0, 1, 6, 47, 3, first, 0, last, 0x80}
	}
	hevc := func(persists bool, cancel bool) []byte { return hevcSEI(cancel, false, false, 180, persists) }
	for name, c := range map[string]struct {
		codec      string
		sei        func(persists, cancel bool) []byte
		idr, slice []byte
	}{
		"h264": {"h264", h264, []byte{0, 0, 1, 0x65, 1}, []byte{0, 0, 1, 0x41, 1}},
		"hevc": {"hevc", hevc, []byte{0, 0, 1, 19 << 1, 1}, []byte{0, 0, 1, 1 << 1, 1}},
	} {
		t.Run(name, func(t *testing.T) {
			s := newDisplaySEI(c.codec, nil)
			for i, step := range []struct {
				sei, slice []byte
				want       Orientation
			}{
				{nil, c.idr, Orientation{}},
				{c.sei(false, false), c.slice, upside}, // this picture alone
				{nil, c.slice, Orientation{}},
				{c.sei(true, false), c.slice, upside}, // from here on
				{nil, c.slice, upside},
				{c.sei(true, true), c.slice, Orientation{}}, // cancelled
				{nil, c.slice, Orientation{}},
				{c.sei(true, false), c.idr, upside},
				{nil, c.slice, upside},
				{nil, c.idr, Orientation{}}, // another sequence
				{nil, c.slice, Orientation{}},
				{c.sei(true, false)[:8], c.slice, Orientation{}}, // cut short
			} {
				got, ok := s.next(append(bytes.Clone(step.sei), step.slice...))
				require.Equal(t, step.want, got, "unit %d", i)
				require.Equal(t, step.want != Orientation{}, ok, "unit %d", i)
			}
			_, ok := s.next(append(bytes.Clone(c.slice), c.sei(true, false)...))
			require.False(t, ok, "what follows the first slice does not count")
		})
	}
	require.Nil(t, newDisplaySEI("vp8", nil))
}

// FuzzDisplaySEI reads hostile units in every framing.
func FuzzDisplaySEI(f *testing.F) {
	f.Add(byte(0), append(hevcSEI(false, true, false, 90, true), 0, 0, 1, 19<<1, 1))
	f.Add(byte(1), []byte{0, 0, 0, 1, 6, 47, 3, 0x10, 0, 0x10, 0x80, 0, 0, 1, 0x65, 1})
	f.Add(byte(6), []byte{0, 0, 0, 6, 6, 47, 3, 0x10, 0, 0x10, 0, 0, 0, 1, 0x65})
	f.Fuzz(func(t *testing.T, kind byte, unit []byte) {
		codec, header := "h264", []byte{kind >> 1 & 1, 0, 0, 0, kind >> 2}
		if kind&1 == 0 {
			codec, header = "hevc", append(make([]byte, 21), kind>>2)
			header[0] = kind >> 1 & 1
		}
		s, before := newDisplaySEI(codec, header), bytes.Clone(unit)
		defer func() {
			if !bytes.Equal(before, unit) {
				t.Fatal("the unit was changed")
			}
		}()
		for range 2 {
			if o, ok := s.next(unit); o.Turns < 0 || o.Turns > 3 || ok != (o != Orientation{}) {
				t.Fatalf("%+v %v", o, ok)
			}
		}
	})
}

// BenchmarkDisplaySEI is one access unit without a message, as nearly all are.
func BenchmarkDisplaySEI(b *testing.B) {
	s := newDisplaySEI("h264", nil)
	unit := append([]byte{0, 0, 0, 1, 9, 0x10, 0, 0, 1, 0x41}, bytes.Repeat([]byte{0x5a}, 5000)...)
	b.ReportAllocs()
	for b.Loop() {
		s.next(unit)
	}
}
