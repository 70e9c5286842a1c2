package media

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/liveproof/liveproof"
	"github.com/liveproof/liveproof/internal/codecs"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// noisy is a moving test picture with sensor-like noise, as FFmpeg's lavfi source.
func noisy(size string, frames int) []string {
	src := fmt.Sprintf("testsrc2=size=%s:rate=30,noise=alls=10:allf=t,format=yuv420p", size)
	return []string{"-f", "lavfi", "-i", src, "-frames:v", strconv.Itoa(frames)}
}

// Encoder settings as browsers use them: no reordering, one key frame then differences.
var encoders = map[liveproof.Codec][]string{
	liveproof.CodecVP8:  {"-c:v", "libvpx", "-deadline", "realtime", "-cpu-used", "8", "-auto-alt-ref", "0", "-b:v", "1M", "-g", "1000"},
	liveproof.CodecVP9:  {"-c:v", "libvpx-vp9", "-deadline", "realtime", "-cpu-used", "8", "-b:v", "1M", "-g", "1000"},
	liveproof.CodecH264: {"-c:v", "libx264", "-profile:v", "baseline", "-preset", "ultrafast", "-tune", "zerolatency", "-x264-params", "aud=1:scenecut=0:slices=1", "-b:v", "1M", "-g", "1000"},
	liveproof.CodecAV1:  {"-c:v", "libaom-av1", "-usage", "realtime", "-cpu-used", "8", "-lag-in-frames", "0", "-b:v", "1M", "-g", "1000"},
}

var liveCodecs = codecs.Names()

// ffmpeg runs Debian's command line tool and returns the file it wrote.
func ffmpeg(t testing.TB, name string, args ...string) string {
	t.Helper()
	bin, err := exec.LookPath("ffmpeg")
	if err != nil {
		t.Skip("needs the ffmpeg command line tool (Debian package ffmpeg) to make test media")
	}
	out := filepath.Join(t.TempDir(), name)
	args = append([]string{"-hide_banner", "-loglevel", "error", "-y"}, append(args, out)...)
	if msg, err := exec.Command(bin, args...).CombinedOutput(); err != nil {
		t.Fatalf("ffmpeg %v: %v\n%s", args, err, msg)
	}
	return out
}

// encode makes frames access units of one codec at 30 frames a second; options are the encoder's, beside those of encoders.
func encode(t testing.TB, codec liveproof.Codec, input []string, options ...string) []liveproof.AccessUnit {
	t.Helper()
	require.Contains(t, encoders, codec, "a codec without test media")
	name := "clip.ivf"
	if codec == liveproof.CodecH264 {
		name = "clip.h264"
	}
	data, err := os.ReadFile(ffmpeg(t, name, append(append(append([]string{}, input...), encoders[codec]...), options...)...))
	require.NoError(t, err)
	var parts [][]byte
	if codec == liveproof.CodecH264 {
		parts = splitAUD(data)
	} else {
		parts = splitIVF(t, data)
	}
	units := make([]liveproof.AccessUnit, len(parts))
	for i, p := range parts {
		units[i] = liveproof.AccessUnit{Codec: codec, PTS: time.Duration(i) * time.Second / 30, Key: i == 0, Data: p}
	}
	return units
}

func splitIVF(t testing.TB, data []byte) (parts [][]byte) {
	t.Helper()
	require.Greater(t, len(data), 32)
	for data = data[32:]; len(data) >= 12; {
		n := int(binary.LittleEndian.Uint32(data))
		parts = append(parts, data[12:12+n])
		data = data[12+n:]
	}
	return parts
}

// splitAUD cuts an Annex B stream before each access unit delimiter.
func splitAUD(data []byte) (parts [][]byte) {
	aud := []byte{0, 0, 0, 1, 9}
	for len(data) > 0 {
		n := bytes.Index(data[1:], aud) + 1
		if n == 0 {
			n = len(data)
		}
		parts = append(parts, data[:n])
		data = data[n:]
	}
	return parts
}

// nals are the NAL units of an Annex B access unit.
func nals(data []byte) (all [][]byte) {
	for _, nal := range bytes.Split(data, []byte{0, 0, 1})[1:] {
		all = append(all, bytes.TrimRight(nal, "\x00"))
	}
	return all
}

// script is a liveproof.UnitSource that plays prepared access units.
type script struct {
	units    []liveproof.AccessUnit
	next     int
	requests []int // value of next at each key frame request
}

func (s *script) Next(ctx context.Context) (liveproof.AccessUnit, error) {
	if err := ctx.Err(); err != nil {
		return liveproof.AccessUnit{}, err
	}
	if s.next == len(s.units) {
		return liveproof.AccessUnit{}, io.EOF
	}
	s.next++
	return s.units[s.next-1], nil
}

func (s *script) RequestKeyFrame() { s.requests = append(s.requests, s.next) }

// shown is what a test keeps of a picture.
type shown struct {
	at            time.Duration
	width, height int
	digest        uint64
	rgb           []byte
}

type source interface {
	Next(context.Context) (liveproof.Picture, error)
	Close() error
}

// drain reads a source to its end and returns what it showed and the error other than io.EOF.
func drain(t testing.TB, s source) ([]shown, error) {
	t.Helper()
	var pool liveproof.ImagePool
	var all []shown
	for {
		p, err := s.Next(context.Background())
		if err != nil {
			require.Zero(t, pool.Leased(), "images not given back")
			require.NoError(t, s.Close())
			if errors.Is(err, io.EOF) {
				err = nil
			}
			return all, err
		}
		all = append(all, show(t, p, &pool))
		p.Release()
		p.Release()
	}
}

func show(t testing.TB, p liveproof.Picture, pool *liveproof.ImagePool) shown {
	t.Helper()
	w, h := p.Size()
	img, err := p.RGB(pool)
	require.NoError(t, err)
	require.Equal(t, [2]int{w, h}, [2]int{img.Width, img.Height})
	s := shown{p.Time(), w, h, digestOf(p), bytes.Clone(img.Pix)}
	img.Release()
	return s
}

func digestOf(p liveproof.Picture) uint64 {
	var cells liveproof.Thumbnail
	return p.Fingerprint(&cells)
}

func play(t testing.TB, units []liveproof.AccessUnit) ([]shown, Counts, *script, error) {
	t.Helper()
	return playWith(t, DefaultConfig(), units)
}

func playWith(t testing.TB, cfg Config, units []liveproof.AccessUnit) ([]shown, Counts, *script, error) {
	t.Helper()
	src := &script{units: units}
	s, err := NewStream(cfg, src)
	require.NoError(t, err)
	all, err := drain(t, s)
	return all, s.Counts(), src, err
}
