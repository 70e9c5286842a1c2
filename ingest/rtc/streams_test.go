package rtc

import (
	"bytes"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pion/rtp"
	payloaders "github.com/pion/rtp/codecs"
	"github.com/pion/webrtc/v4/pkg/media/h264reader"
	"github.com/pion/webrtc/v4/pkg/media/ivfreader"
	"go.uber.org/goleak"

	"github.com/liveproof/liveproof"
	"github.com/liveproof/liveproof/internal/codecs"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// frame is one encoded picture, as the encoder wrote it and as an access unit must hold it.
type frame struct {
	data []byte
	key  bool
}

const (
	streamFrames = 40
	keyInterval  = 20
	frameTicks   = 3000 // 30 frames a second
)

// encoders are FFmpeg's, small and quick, with a key frame every keyInterval pictures.
var encoders = map[liveproof.Codec][]string{
	liveproof.CodecVP8:  {"-c:v", "libvpx", "-deadline", "realtime", "-cpu-used", "8", "-auto-alt-ref", "0", "-f", "ivf"},
	liveproof.CodecVP9:  {"-c:v", "libvpx-vp9", "-deadline", "realtime", "-cpu-used", "8", "-f", "ivf"},
	liveproof.CodecH264: {"-c:v", "libx264", "-preset", "ultrafast", "-tune", "zerolatency", "-profile:v", "baseline", "-x264-params", "aud=1:slices=2:scenecut=0", "-f", "h264"},
	liveproof.CodecAV1:  {"-c:v", "libaom-av1", "-usage", "realtime", "-cpu-used", "8", "-lag-in-frames", "0", "-f", "ivf"},
}

// encoded streams are made once for all tests.
var encoded sync.Map // liveproof.Codec → func() ([]byte, error)

func encodedStream(t testing.TB, codec liveproof.Codec) []frame {
	t.Helper()
	if _, err := exec.LookPath("ffmpeg"); err != nil {
		t.Skip("ffmpeg is missing")
	}
	if encoders[codec] == nil {
		t.Fatalf("%s is a codec without test media", codec)
	}
	once, _ := encoded.LoadOrStore(codec, sync.OnceValues(func() ([]byte, error) { return runEncoder(encoders[codec]) }))
	raw, err := once.(func() ([]byte, error))()
	if err != nil && strings.Contains(err.Error(), "Unknown encoder") {
		t.Skipf("ffmpeg has no encoder for %s: %v", codec, err)
	}
	if err != nil {
		t.Fatal(err)
	}
	if codec == liveproof.CodecH264 {
		return splitAnnexB(t, raw)
	}
	return splitIVF(t, raw)
}

func runEncoder(encoder []string) ([]byte, error) { return runEncoderAt("320x240", encoder) }

func runEncoderAt(size string, encoder []string) ([]byte, error) {
	dir, err := os.MkdirTemp("", "rtc")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "stream")
	args := []string{"-v", "error", "-f", "lavfi", "-i", "testsrc2=size=" + size + ":rate=30", "-frames:v", "40", "-pix_fmt", "yuv420p", "-b:v", "800k", "-g", "20", "-keyint_min", "20", "-threads", "1"}
	args = append(append(args, encoder...), path)
	if out, err := exec.Command("ffmpeg", args...).CombinedOutput(); err != nil {
		return nil, errors.New(string(out))
	}
	return os.ReadFile(path)
}

func splitIVF(t testing.TB, raw []byte) (frames []frame) {
	t.Helper()
	reader, _, err := ivfreader.NewWith(bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	for {
		data, _, err := reader.ParseNextFrame()
		if errors.Is(err, io.EOF) {
			return frames
		}
		if err != nil {
			t.Fatal(err)
		}
		frames = append(frames, frame{data: data, key: len(frames)%keyInterval == 0})
	}
}

// splitAnnexB splits at access unit delimiters, which the payloader leaves out.
func splitAnnexB(t testing.TB, raw []byte) (frames []frame) {
	t.Helper()
	reader, err := h264reader.NewReader(bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	for {
		nal, err := reader.NextNAL()
		if errors.Is(err, io.EOF) {
			return frames
		}
		if err != nil {
			t.Fatal(err)
		}
		if nal.UnitType == h264reader.NalUnitTypeAUD {
			frames = append(frames, frame{key: len(frames)%keyInterval == 0})
			continue
		}
		last := &frames[len(frames)-1]
		last.data = append(append(last.data, 0, 0, 0, 1), nal.Data...)
	}
}

func payloader(codec liveproof.Codec) rtp.Payloader {
	switch codec {
	case liveproof.CodecVP8:
		return &payloaders.VP8Payloader{EnablePictureID: true}
	case liveproof.CodecVP9:
		return &payloaders.VP9Payloader{FlexibleMode: true}
	case liveproof.CodecH264:
		return &payloaders.H264Payloader{}
	default:
		return &payloaders.AV1Payloader{}
	}
}

const testMTU = 600 // small, so that pictures take several packets

// testTypes are the payload types of the tests.
var testTypes = map[uint8]liveproof.Codec{96: liveproof.CodecVP8, 98: liveproof.CodecVP9, 102: liveproof.CodecH264, 45: liveproof.CodecAV1}

func payloadType(codec liveproof.Codec) uint8 {
	for number, c := range testTypes {
		if c == codec {
			return number
		}
	}
	panic(codec)
}

// packetize sends frames as packets from the given first sequence number and timestamp, arriving evenly.
func packetize(codec liveproof.Codec, frames []frame, sequence uint16, timestamp uint32) (packets []packet) {
	p := payloader(codec)
	start := time.Unix(1000, 0)
	for i, f := range frames {
		payloads := p.Payload(testMTU, f.data)
		for j, payload := range payloads {
			packets = append(packets, packet{
				sequence: sequence, timestamp: timestamp + uint32(i)*frameTicks, marker: j == len(payloads)-1,
				payloadType: payloadType(codec), rotation: noRotation, payload: payload,
				arrived: start.Add(time.Duration(i) * time.Second / 30),
			})
			sequence++
		}
	}
	return packets
}

type reassembled struct {
	units []liveproof.AccessUnit
	drops map[dropReason]int
	lost  int64
}

func reassemble(cfg Config, packets []packet) reassembled {
	out := reassembled{drops: map[dropReason]int{}}
	drop := func(r dropReason) { out.drops[r]++ }
	a := newAssembler(cfg, testTypes, func(u liveproof.AccessUnit) { out.units = append(out.units, u) }, drop)
	r := newReorderBuffer(cfg.ReorderPackets, cfg.ReorderTime, a.push)
	r.begins = a.begins
	for _, p := range packets {
		if reason := r.push(p); reason != "" {
			drop(reason)
		}
	}
	out.lost = r.lost
	return out
}

func eachCodec(t *testing.T, test func(t *testing.T, codec liveproof.Codec, frames []frame)) {
	for _, codec := range codecs.Names() {
		t.Run(string(codec), func(t *testing.T) { test(t, codec, encodedStream(t, codec)) })
	}
}
