package publish

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/pion/webrtc/v4"
	"github.com/pion/webrtc/v4/pkg/media"

	"github.com/liveproof/liveproof"
	"github.com/liveproof/liveproof/internal/ivf"
)

// lastLength is how long the last picture is shown; no timestamp says when it
// ends.
const lastLength = 33 * time.Millisecond

// maxClip bounds the memory of a clip, in bytes.
const maxClip = 1 << 30

// Clip is an encoded video in memory. Many publishers may send one clip at once.
type Clip struct {
	codec liveproof.Codec
	units []liveproof.AccessUnit
}

// NewClip makes a clip of access units of VP8 or H.264 (Annex B). Codec is that of all units; of a unit, PTS and Data count. Times
// begin at any value ≥ 0 and grow from unit to unit. The clip keeps the slice and its data: they must not be changed afterwards.
func NewClip(codec liveproof.Codec, units []liveproof.AccessUnit) (*Clip, error) {
	if codec != liveproof.CodecVP8 && codec != liveproof.CodecH264 {
		return nil, fmt.Errorf("codec %s: %w; VP8 or H264 is needed", codec, liveproof.ErrUnsupportedCodec)
	}
	if len(units) == 0 {
		return nil, errors.New("a clip without a picture")
	}
	for i, u := range units {
		switch {
		case len(u.Data) == 0:
			return nil, fmt.Errorf("picture %d is empty", i)
		case u.PTS < 0 || i > 0 && u.PTS <= units[i-1].PTS:
			return nil, fmt.Errorf("picture %d at %v is not later than the one before it", i, u.PTS)
		}
	}
	return &Clip{codec, units}, nil
}

// Codec of the clip.
func (c *Clip) Codec() liveproof.Codec { return c.codec }

// Frames is the number of pictures.
func (c *Clip) Frames() int { return len(c.units) }

// Duration is how long sending takes, the last picture included.
func (c *Clip) Duration() time.Duration {
	return c.units[len(c.units)-1].PTS - c.units[0].PTS + lastLength
}

// codecOf is the codec by the four characters of an IVF file.
var codecOf = map[string]liveproof.Codec{"VP80": liveproof.CodecVP8, "H264": liveproof.CodecH264}

// IsIVF reports whether a file is IVF of VP8 or H.264, by its header.
func IsIVF(path string) bool {
	file, err := os.Open(path)
	if err != nil {
		return false
	}
	defer func() { _ = file.Close() }() // it was only read
	reader, err := ivf.NewReader(file)
	return err == nil && codecOf[reader.Header().FourCC] != ""
}

// ReadIVF reads an IVF file of VP8 or H.264 (FourCC VP80 or H264).
func ReadIVF(path string) (*Clip, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = file.Close() }() // it was only read
	clip, err := readIVF(file)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return clip, nil
}

func readIVF(from io.Reader) (*Clip, error) {
	reader, err := ivf.NewReader(from)
	if err != nil {
		return nil, err
	}
	codec, ok := codecOf[reader.Header().FourCC]
	if !ok {
		return nil, fmt.Errorf("codec %q, VP80 or H264 is needed", reader.Header().FourCC)
	}
	var units []liveproof.AccessUnit
	for total := 0; ; {
		frame, err := reader.Next()
		if errors.Is(err, io.EOF) {
			return NewClip(codec, units)
		}
		if err != nil {
			return nil, fmt.Errorf("picture %d: %w", len(units), err)
		}
		if total += len(frame.Data); total > maxClip {
			return nil, fmt.Errorf("more than %d MiB of video", maxClip>>20) //nolint:mnd // bytes in MiB
		}
		units = append(units, liveproof.AccessUnit{Codec: codec, PTS: frame.At, Data: frame.Data})
	}
}

// mimeType of the codec in SDP.
func (c *Clip) mimeType() string {
	if c.codec == liveproof.CodecH264 {
		return webrtc.MimeTypeH264
	}
	return webrtc.MimeTypeVP8
}

// shown is how long a picture is shown.
func (c *Clip) shown(i int) time.Duration {
	if i+1 < len(c.units) {
		return c.units[i+1].PTS - c.units[i].PTS
	}
	return lastLength
}

// send writes the pictures in real time, each at its time after the first one, and returns when the last one has been shown. A late picture
// is sent at once and makes no later one late. sent gets the number of pictures written so far.
func (c *Clip) send(ctx context.Context, track sampleWriter, sent func(int)) error {
	begin := time.Now().Add(-c.units[0].PTS)
	for i, u := range c.units {
		if err := sleep(ctx, time.Until(begin.Add(u.PTS))); err != nil {
			return err
		}
		// The track adds the durations up to RTP timestamps and keeps the rest of each division, so that they do not drift.
		if err := track.WriteSample(media.Sample{Data: u.Data, Duration: c.shown(i)}); err != nil {
			return err
		}
		sent(i + 1)
	}
	return sleep(ctx, lastLength)
}

// sampleWriter is *webrtc.TrackLocalStaticSample.
type sampleWriter interface {
	WriteSample(media.Sample) error
}
