package publish

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"time"

	"github.com/pion/webrtc/v4"
	"github.com/pion/webrtc/v4/pkg/media"
	"github.com/pion/webrtc/v4/pkg/media/ivfreader"
)

// lastLength is how long the last frame is shown; no timestamp says when it
// ends.
const lastLength = 33 * time.Millisecond

// Clip is an encoded video in memory. Many publishers may send one clip at once.
type Clip struct {
	frames []media.Sample
}

// ReadIVF reads an IVF file of VP8.
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
	reader, header, err := ivfreader.NewWith(from)
	if err != nil {
		return nil, err
	}
	if header.FourCC != "VP80" {
		return nil, fmt.Errorf("codec %s, VP80 is needed", header.FourCC)
	}
	tick := float64(header.TimebaseNumerator) / float64(header.TimebaseDenominator) // seconds
	clip, last := &Clip{}, time.Duration(0)
	for {
		data, h, err := reader.ParseNextFrame()
		if errors.Is(err, io.EOF) && len(clip.frames) > 0 {
			return clip, nil
		}
		if err != nil { // io.EOF: there is no frame at all
			return nil, fmt.Errorf("frame %d: %w", len(clip.frames), err)
		}
		// pion's reader divides the timestamp by the tick where it should multiply.
		at := time.Duration(math.Round(float64(h.Timestamp) * tick * tick * float64(time.Second)))
		if n := len(clip.frames); n > 0 {
			clip.frames[n-1].Duration = at - last
		}
		clip.frames, last = append(clip.frames, media.Sample{Data: data, Duration: lastLength}), at
	}
}

// mimeType of the only codec that ReadIVF takes.
func (*Clip) mimeType() string { return webrtc.MimeTypeVP8 }

// send writes the frames in real time, each when the ones before it have been shown.
func (c *Clip) send(ctx context.Context, track *webrtc.TrackLocalStaticSample) error {
	for due, i := time.Now(), 0; i < len(c.frames); i++ {
		select {
		case <-time.After(time.Until(due)):
		case <-ctx.Done():
			return context.Cause(ctx)
		}
		if err := track.WriteSample(c.frames[i]); err != nil {
			return err
		}
		due = due.Add(c.frames[i].Duration)
	}
	return nil
}
