// Package media turns encoded video into pictures: live access units through a
// Stream, files through a File. It is the only package that holds codec cgo
// (FFmpeg 5.1's libavcodec, libavformat and libswscale).
//
// A Stream shows a picture only when all that it refers to was received: it
// starts at a key frame, and after a loss, a decode error or a picture that the
// decoder had to conceal it shows nothing until the next one. No picture above
// the pixel cap is ever allocated. Decoding costs every picture; conversion to
// RGB and the digest cost when they are asked for: the pipeline converts the
// sampled pictures and takes digest and thumbnail of every one (0.1 ms together
// at 640×480).
package media

import (
	"errors"
	"fmt"
	"maps"
	"sync"
	"time"
)

// Errors of this package; test with errors.Is. A file that is not there is
// fs.ErrNotExist; a picture above the cap is liveproof.ErrPictureTooLarge; a
// codec that is not to be decoded is liveproof.ErrUnsupportedCodec.
var (
	// ErrUnreadable: not a regular file, not a known container, or broken in a way that ends reading.
	ErrUnreadable = errors.New("unreadable media file")
	// ErrNoVideo: the container is fine and holds no video stream.
	ErrNoVideo = errors.New("no video stream")
	// ErrEmpty: the file ended without a single picture.
	ErrEmpty = errors.New("no pictures in media file")
	// ErrClosed: the source was closed.
	ErrClosed = errors.New("media source closed")
)

// Config bounds what a decoder may do.
type Config struct {
	// MaxPixels is the largest width×height that is decoded, in [4096, 2^27]. The
	// width counts rounded up to 64, as decoders allocate it.
	MaxPixels int `yaml:"max_pixels"`
	// Threads per decoder, in [1, 16]. One is best where sessions outnumber cores.
	Threads int `yaml:"threads"`
	// RawFrameRate is the frame rate assumed for files without timestamps
	// (raw MJPEG or H.264), in (0, 240] frames a second.
	RawFrameRate float64 `yaml:"raw_frame_rate"`
	// OpenTimeout bounds how long a file may take to open, in (0, 10m].
	OpenTimeout time.Duration `yaml:"open_timeout"`
}

// DefaultConfig is what configs/liveproof.yaml documents.
func DefaultConfig() Config {
	return Config{MaxPixels: 1920 * 1920, Threads: 1, RawFrameRate: 30, OpenTimeout: 30 * time.Second}
}

// Validate returns an error that begins with the offending key.
func (c Config) Validate() error {
	switch {
	case c.MaxPixels < 1<<12 || c.MaxPixels > 1<<27:
		return fmt.Errorf("max_pixels: %d is out of range [4096, 134217728]", c.MaxPixels)
	case c.Threads < 1 || c.Threads > 16:
		return fmt.Errorf("threads: %d is out of range [1, 16]", c.Threads)
	case !(c.RawFrameRate > 0 && c.RawFrameRate <= 240): // the negation refuses NaN too
		return fmt.Errorf("raw_frame_rate: %v is out of range (0, 240]", c.RawFrameRate)
	case c.OpenTimeout <= 0 || c.OpenTimeout > 10*time.Minute:
		return fmt.Errorf("open_timeout: %v is out of range (0, 10m]", c.OpenTimeout)
	}
	return nil
}

// overCap tells whether a picture of this size must not be decoded.
func (c Config) overCap(width, height int) bool {
	aligned := int64(width+63) &^ 63
	return width > maxSide || height > maxSide || aligned*int64(height) > int64(c.MaxPixels)
}

// maxSide is the longest side in pixels; liveproof.ImagePool lends nothing longer.
const maxSide = 1 << 15

// DropReason says why an access unit or packet gave no picture.
type DropReason string

// The reasons for which nothing was shown.
const (
	// DropAwaitKeyFrame: it came before the first key frame, or between a loss and the next one.
	DropAwaitKeyFrame DropReason = "await_key_frame"
	// DropDecodeError: the decoder refused it.
	DropDecodeError DropReason = "decode_error"
	// DropCorrupt: the decoder had to conceal missing or broken parts.
	DropCorrupt DropReason = "corrupt"
)

// Counts follows what came in. Received = Decoded + all of Dropped + what the
// decoder holds back or shows in no picture of its own (alternate reference frames).
type Counts struct {
	Received int64 // access units, or packets of the file's video stream
	Decoded  int64 // pictures
	Dropped  map[DropReason]int64
}

// TotalDropped sums over the reasons.
func (c Counts) TotalDropped() int64 {
	var n int64
	for _, v := range c.Dropped {
		n += v
	}
	return n
}

// tally is a Counts for concurrent use; its zero value is ready.
type tally struct {
	mu sync.Mutex
	c  Counts
}

func (t *tally) received() { t.mu.Lock(); t.c.Received++; t.mu.Unlock() }

func (t *tally) decoded(n int64) { t.mu.Lock(); t.c.Decoded += n; t.mu.Unlock() }

func (t *tally) drop(why DropReason) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.c.Dropped == nil {
		t.c.Dropped = make(map[DropReason]int64)
	}
	t.c.Dropped[why]++
}

func (t *tally) counts() Counts {
	t.mu.Lock()
	defer t.mu.Unlock()
	c := t.c
	c.Dropped = maps.Clone(c.Dropped)
	return c
}
