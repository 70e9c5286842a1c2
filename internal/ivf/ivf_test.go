package ivf_test

import (
	"bytes"
	"errors"
	"io"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/liveproof/liveproof/internal/ivf"
)

// written is a file of pictures at these ticks, with a byte of data for each tick.
func written(t testing.TB, header ivf.Header, ticks ...uint64) []byte {
	t.Helper()
	var b bytes.Buffer
	w, err := ivf.NewWriter(&b, header)
	require.NoError(t, err)
	for _, tick := range ticks {
		require.NoError(t, w.Write(tick, bytes.Repeat([]byte{byte(tick)}, int(tick%100))))
	}
	require.NoError(t, w.Flush())
	return b.Bytes()
}

func TestWhatIsWrittenIsRead(t *testing.T) {
	for _, h := range []ivf.Header{
		{"VP80", 640, 480, 1, 90000},
		{"H264", 65535, 1, 1001, 30000},
		{"AV01", 0, 0, 1, 1},
	} {
		ticks := []uint64{0, 1, 3000, 3001, 90000}
		r, err := ivf.NewReader(bytes.NewReader(written(t, h, ticks...)))
		require.NoError(t, err)
		require.Equal(t, h, r.Header())
		for _, tick := range ticks {
			f, err := r.Next()
			require.NoError(t, err)
			require.Len(t, f.Data, int(tick%100))
			require.InDelta(t, float64(tick)*float64(h.Numerator)/float64(h.Denominator), f.At.Seconds(), 1e-9)
		}
		_, err = r.Next()
		require.ErrorIs(t, err, io.EOF)
	}
}

func TestWrongFilesAreRefused(t *testing.T) {
	good := written(t, ivf.Header{"VP80", 16, 16, 1, 30}, 7)
	with := func(at int, value byte) []byte {
		b := bytes.Clone(good)
		b[at] = value
		return b
	}
	for says, data := range map[string][]byte{
		"ends too early": good[:31], "signature": with(0, 'X'), "a header of 0 bytes": with(6, 0),
		"a tick of 0/30 s": with(20, 0), "a tick of 1/0 s": with(16, 0), "a tick of 1/4278190110 s": with(19, 0xff),
		"a picture of 4278190087 bytes": with(35, 0xff), "a picture at ": with(43, 0xff),
	} {
		r, err := ivf.NewReader(bytes.NewReader(data))
		if err == nil {
			_, err = r.Next()
		}
		require.ErrorIs(t, err, ivf.ErrFormat, says)
		require.ErrorContains(t, err, says)
	}
	for cut := headerBytes + 1; cut < len(good); cut++ {
		r, err := ivf.NewReader(bytes.NewReader(good[:cut]))
		require.NoError(t, err)
		_, err = r.Next()
		require.ErrorIs(t, err, ivf.ErrFormat, "cut at %d", cut)
	}
}

const headerBytes = 32

func TestReaderPassesOnOtherErrors(t *testing.T) {
	broken := errors.New("disk on fire")
	_, err := ivf.NewReader(io.MultiReader(bytes.NewReader([]byte("DKIF")), failing{broken}))
	require.ErrorIs(t, err, broken)
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

func TestWriterRefuses(t *testing.T) {
	for _, h := range []ivf.Header{{"VP8", 1, 1, 1, 1}, {"VP80", 1, 1, 0, 1}, {"VP80", 1, 1, 1, 0}} {
		_, err := ivf.NewWriter(io.Discard, h)
		require.Error(t, err)
	}
	w, err := ivf.NewWriter(io.Discard, ivf.Header{"VP80", 1, 1, 1, 1})
	require.NoError(t, err)
	require.Error(t, w.Write(0, make([]byte, ivf.MaxFrame+1)))
}

// FuzzReader: whatever the bytes, reading ends, with times and sizes in range.
func FuzzReader(f *testing.F) {
	good := written(f, ivf.Header{"VP80", 16, 16, 1, 30}, 0, 1, 2, 50)
	f.Add(good)
	f.Add(good[:40])
	f.Add([]byte("DKIF"))
	f.Fuzz(func(t *testing.T, data []byte) {
		r, err := ivf.NewReader(bytes.NewReader(data))
		if err != nil {
			require.ErrorIs(t, err, ivf.ErrFormat)
			return
		}
		for total := 0; ; {
			frame, err := r.Next()
			if err != nil {
				if !errors.Is(err, io.EOF) {
					require.ErrorIs(t, err, ivf.ErrFormat)
				}
				return
			}
			require.GreaterOrEqual(t, frame.At, time.Duration(0))
			require.LessOrEqual(t, frame.At, ivf.MaxTime+time.Second)
			total += len(frame.Data)
			require.LessOrEqual(t, total, len(data))
		}
	})
}
