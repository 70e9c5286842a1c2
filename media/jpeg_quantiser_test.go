package media

import (
	"bytes"
	"encoding/binary"
	"testing"

	"github.com/stretchr/testify/require"
)

// dqt is a segment with one table of equal steps.
func dqt(number byte, step uint16, wide bool) []byte {
	table := []byte{number}
	if wide {
		table[0] |= 1 << 4
	}
	for range jpegBlock {
		if wide {
			table = binary.BigEndian.AppendUint16(table, step)
		} else {
			table = append(table, byte(step))
		}
	}
	return segment(0xdb, table)
}

func segment(marker byte, body []byte) []byte {
	return append(binary.BigEndian.AppendUint16([]byte{0xff, marker}, uint16(len(body)+2)), body...)
}

// sof is the header of a picture whose luma has the table of this number.
func sof(marker, table byte) []byte {
	return segment(marker, []byte{8, 0, 48, 0, 64, 3, 1, 0x22, table, 2, 0x11, 1, 3, 0x11, 1})
}

func TestJPEGQuantiser(t *testing.T) {
	join := func(parts ...[]byte) []byte { return append([]byte{0xff, 0xd8}, bytes.Join(parts, nil)...) }
	q := jpegQuantiser{}
	for i, c := range []struct {
		data []byte
		want float64
	}{
		{join(sof(0xc0, 0)), 0}, // no table yet
		{join(dqt(0, 30, false), dqt(1, 90, false), sof(0xc0, 0)), 20},
		{join(sof(0xc0, 1)), 60},                        // a table of an earlier picture
		{join(dqt(2, 600, true), sof(0xc2, 2)), 400},    // 16 bits, progressive
		{join(dqt(0, 15, false)[:40], sof(0xc1, 0)), 0}, // cut off: it swallows the header
		{join(sof(0xc3, 0)), 0},                         // lossless has no DCT
		{join(sof(0xc0, 4)), 0},
		{join(dqt(5, 1, false), sof(0xc0, 0)), 20}, // no such table
		{join(segment(0xda, nil), sof(0xc0, 0)), 0},
		{nil, 0},
	} {
		require.InDelta(t, c.want, q.Read(c.data).Step, 1e-9, "%d", i)
	}
	q.halvings = 2
	require.InDelta(t, 5, q.Read(join(sof(0xc0, 0))).Step, 1e-9)
}

// TestJPEGStep encodes with FFmpeg, whose table at -q:v q is q/8 of MPEG's intra matrix: 8, 16, 19, 22 … 83.
func TestJPEGStep(t *testing.T) {
	for _, name := range []string{"a.mjpeg", "a.avi", "a.mkv", "a.mov"} {
		var before float64
		for _, q := range []string{"4", "8", "16"} {
			for i, step := range fileSteps(t, ffmpeg(t, name, append(noisy("320x240", 3), "-c:v", "mjpeg", "-qmin", "1", "-q:v", q)...)) {
				if before > 0 {
					require.InEpsilon(t, 2*before, step, 0.05, "%s, -q:v %s, picture %d", name, q, i)
				}
				if q == "8" {
					require.InDelta(t, 25/1.5, step, 1.5)
				}
				if i == 2 {
					before = step
				}
			}
		}
	}
}

// FuzzJPEGQuantiser reads two hostile pictures, the second one with the tables of the first.
func FuzzJPEGQuantiser(f *testing.F) {
	f.Add(append(dqt(0, 30, false), sof(0xc0, 0)...), sof(0xc0, 0), byte(0))
	f.Add(append(dqt(3, 3000, true), sof(0xc2, 3)...), sof(0xc0, 3), byte(3))
	f.Fuzz(func(t *testing.T, first, second []byte, halvings byte) {
		q := jpegQuantiser{halvings: int(halvings % (maxHalvings + 1))}
		for _, data := range [][]byte{first, second} {
			if step := q.Read(data).Step; !(step >= 0 && step <= 1<<16) {
				t.Fatalf("step %v", step)
			}
		}
	})
}
