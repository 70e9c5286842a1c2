package media

import (
	"bytes"
	"encoding/binary"
	"math"
	"os"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestFilesThatAreCut: what is missing is counted to the byte where the container says how long it is.
func TestFilesThatAreCut(t *testing.T) {
	h264 := []string{"-c:v", "libx264", "-preset", "ultrafast", "-g", "10"}
	for name, args := range map[string][]string{
		"clip.mp4": append(h264, "-movflags", "+faststart"), "clip.mkv": h264, "clip.avi": {"-c:v", "mjpeg"}, "clip.webm": encoders["VP8"],
	} {
		whole := ffmpeg(t, name, append(noisy("320x240", 60), args...)...)
		data, err := os.ReadFile(whole)
		require.NoError(t, err)
		require.NoError(t, damageOf(t, whole), name)
		for _, share := range []float64{.98, .6} {
			kept := int(share * float64(len(data)))
			err := damageOf(t, write(t, "cut-"+name, data[:kept]))
			require.ErrorIs(t, err, ErrDamaged, "%s %g", name, share)
			require.ErrorContains(t, err, "it is cut short", "%s %g", name, share)
		}
		require.NoError(t, damageOf(t, write(t, "more-"+name, append(bytes.Clone(data), "rubbish behind the end"...))), name)
	}
}

// damageOf reads the whole file and returns its damage.
func damageOf(t *testing.T, path string) error {
	t.Helper()
	f := openFile(t, path)
	defer f.Close()
	_, _ = drain(t, f)
	return f.Damage()
}

// TestDamageSaysFromWhenOn: two seconds of pictures, hurt in the middle or cut. Raw motion JPEG promises no end; its last picture is cut.
func TestDamageSaysFromWhenOn(t *testing.T) {
	h264 := []string{"-c:v", "libx264", "-preset", "ultrafast", "-tune", "zerolatency", "-g", "10"}
	for name, args := range map[string][]string{
		"clip.mp4": append(h264, "-movflags", "+faststart"), "clip.webm": encoders["VP8"], "clip.mjpeg": {"-c:v", "mjpeg"},
	} {
		data, err := os.ReadFile(ffmpeg(t, name, append(noisy("320x240", 60), args...)...))
		require.NoError(t, err)
		garbage := bytes.Clone(data)
		for i := range len(data) / 10 {
			garbage[len(data)/2+i] = byte(i * 7)
		}
		for kind, damaged := range map[string][]byte{"cut": data[:len(data)*6/10], "garbage": garbage} {
			if kind == "garbage" && name == "clip.mjpeg" {
				continue // its decoder takes any bytes for a picture
			}
			err := damageOf(t, write(t, kind+"-"+name, damaged))
			t.Log(name, kind, err)
			var damage *DamageError
			require.ErrorAs(t, err, &damage, "%s %s", name, kind)
			require.ErrorIs(t, err, ErrDamaged)
			require.InDelta(t, map[string]float64{"cut": 1.2, "garbage": 1}[kind], damage.From.Seconds(), .6, "%s %s", name, kind)
		}
	}
}

func TestFilesThatWereChanged(t *testing.T) {
	path := ffmpeg(t, "clip.mkv", append(noisy("320x240", 60), "-c:v", "libx264", "-preset", "ultrafast", "-g", "10")...)
	data, err := os.ReadFile(path)
	require.NoError(t, err)
	for i := range 2000 {
		data[len(data)/2+i] ^= 0x5a
	}
	require.ErrorIs(t, damageOf(t, write(t, "hurt.mkv", data)), ErrDamaged)
}

func TestEndsOfContainers(t *testing.T) {
	box := func(size uint32, kind string, more ...byte) []byte {
		return append(append(binary.BigEndian.AppendUint32(nil, size), kind...), more...)
	}
	large := append(box(1, "mdat"), 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff)
	for _, c := range []struct {
		data []byte
		want int64
	}{
		{nil, 0},
		{box(8, "ftyp"), 8},
		{append(box(8, "ftyp"), box(100, "mdat")...), 108},
		{append(box(8, "ftyp"), box(0, "mdat", 1, 2, 3)...), 8}, // to the file's end
		{append(box(8, "ftyp"), box(7, "mdat")...), 15},         // no box is that short
		{append(box(8, "ftyp"), box(1000, "what")...), 8},       // not a box
		{append(box(8, "ftyp"), large...), 8 + math.MaxInt64/2},
	} {
		require.Equal(t, c.want, endOfBoxes(bytes.NewReader(c.data), int64(len(c.data))), "%x", c.data)
	}
	header := []byte{0x1a, 0x45, 0xdf, 0xa3, 0x81, 0}
	segment := []byte{0x18, 0x53, 0x80, 0x67}
	for _, c := range []struct {
		data []byte
		want int64
	}{
		{nil, 0},
		{[]byte{0}, 0},
		{header, 0},
		{append(bytes.Clone(header), append(segment, 0x90, 1, 2)...), 11 + 16},
		{append(bytes.Clone(header), append(segment, 0x40, 0x64)...), 12 + 100},
		{append(bytes.Clone(header), append(segment, 0x01, 255, 255, 255, 255, 255, 255, 255)...), 0}, // live: not known
		{append(segment, 0x90), 5 + 16},
		{[]byte{0xec, 0x81, 0}, 0},
	} {
		require.Equal(t, c.want, endOfSegment(bytes.NewReader(c.data), int64(len(c.data))), "%x", c.data)
	}
	require.EqualValues(t, 0, endOfRIFF(bytes.NewReader([]byte("RIFF"))))
	require.EqualValues(t, 0x64, endOfRIFF(bytes.NewReader([]byte("RIFF\x64\x00\x00\x00AVI "))))
	require.EqualValues(t, 0, endOfRIFF(bytes.NewReader([]byte("RIFF\xff\xff\xff\xffAVI "))))
}

// FuzzEndOfContainer: whatever the bytes, reading ends, and no end is negative.
func FuzzEndOfContainer(f *testing.F) {
	f.Add([]byte("\x00\x00\x00\x08ftyp\x00\x00\x00\x01mdat\xff\xff\xff\xff\xff\xff\xff\xff"))
	f.Add([]byte("\x1a\x45\xdf\xa3\x81\x00\x18\x53\x80\x67\x90\x01\x02"))
	f.Add([]byte("RIFF\x64\x00\x00\x00AVI "))
	f.Fuzz(func(t *testing.T, data []byte) {
		size := int64(len(data))
		require.GreaterOrEqual(t, endOfBoxes(bytes.NewReader(data), size), int64(0))
		require.GreaterOrEqual(t, endOfSegment(bytes.NewReader(data), size), int64(0))
		require.GreaterOrEqual(t, endOfRIFF(bytes.NewReader(data)), int64(0))
	})
}

// FuzzBrokenElement: it ends for every file, within the file.
func FuzzBrokenElement(f *testing.F) {
	header, segment := []byte{0x1a, 0x45, 0xdf, 0xa3, 0x81, 0}, []byte{0x18, 0x53, 0x80, 0x67, 0xff, 0x1f, 0x43, 0xb6, 0x75, 0xff, 0xa3, 0x82, 0, 0}
	f.Add(append(bytes.Clone(header), segment...))
	f.Add(append(bytes.Clone(header), bytes.Repeat([]byte{0xec, 0x80}, 40)...))
	f.Fuzz(func(t *testing.T, data []byte) {
		at := brokenElement(bytes.NewReader(data), int64(len(data)))
		require.GreaterOrEqual(t, at, int64(0))
		require.Less(t, at, max(1, int64(len(data))))
	})
}
