package media

import (
	"errors"
	"fmt"
	"time"

	"github.com/liveproof/liveproof"
	"github.com/liveproof/liveproof/internal/check"
	"github.com/liveproof/liveproof/internal/codecs"
)

// Config bounds what a decoder may do.
type Config struct {
	// MaxPixels is the largest width×height that is decoded, in [4096, 2^27]. The
	// width counts rounded up to 64, as decoders allocate it. A motion JPEG file above the limit is decoded at a half, a quarter
	// or an eighth of its width and height; any other larger picture is refused.
	MaxPixels int `yaml:"max_pixels"`
	// Threads per decoder, in [1, 16]. One is best where sessions outnumber cores.
	Threads int `yaml:"threads"`
	// MinPictureRate is about the least number of pictures decoded per second of a live stream, [0, 240].
	// Pictures beyond it are left out if no later picture refers to them (VP8 and H.264 with temporal
	// layers). 0 decodes every picture.
	MinPictureRate float64 `yaml:"min_picture_rate"`
	// RawFrameRate is the frame rate assumed for files without timestamps
	// (raw MJPEG or H.264), in (0, 240] frames a second.
	RawFrameRate float64 `yaml:"raw_frame_rate"`
	// OpenTimeout bounds how long a file may take to open, in (0, 10m].
	OpenTimeout time.Duration `yaml:"open_timeout"`
}

// DefaultConfig is what configs/liveproof.yaml documents.
func DefaultConfig() Config {
	return Config{MaxPixels: 1920 * 1920, Threads: 1, MinPictureRate: 15, RawFrameRate: 30, OpenTimeout: 30 * time.Second}
}

// Validate reports every value that is out of range; each error begins with its key.
func (c Config) Validate() error {
	return errors.Join(
		check.In("max_pixels", c.MaxPixels, 1<<12, mostPixels),
		check.In("threads", c.Threads, 1, 16),
		check.In("min_picture_rate", c.MinPictureRate, 0, 240),
		check.Above("raw_frame_rate", c.RawFrameRate, 0, 240),
		check.Above("open_timeout", c.OpenTimeout, 0, 10*time.Minute),
	)
}

// spareShare is the part of MinPictureRate's period after a decoded picture in
// which others are left out. Of evenly spaced pictures, one that comes within half
// a period can be left out, because the next one comes within the whole period;
// the rest allows for jitter.
const spareShare = 0.55

// spareTime is how long after a decoded picture others are not needed; 0 needs every picture.
func (c Config) spareTime() time.Duration {
	if c.MinPictureRate <= 0 {
		return 0
	}
	return time.Duration(spareShare / c.MinPictureRate * float64(time.Second))
}

// checkClaim refuses an access unit that claims a size above the cap, before it
// reaches a decoder: decoders allocate per-picture tables as soon as they have
// read a header. size may be nil.
func (c Config) checkClaim(size codecs.Sizer, unit []byte) error {
	if size == nil {
		return nil
	}
	if w, h, ok := size(unit); ok && c.overCap(w, h) {
		return c.tooLarge("its header claims", w, h)
	}
	return nil
}

// overCap reports whether a picture of this size must not be decoded.
func (c Config) overCap(width, height int) bool {
	return width > maxSide || height > maxSide || allocated(width, height) > int64(c.MaxPixels)
}

// allocated is how many pixels a decoder allocates for a picture.
func allocated(width, height int) int64 { return (int64(width+63) &^ 63) * int64(height) }

// tooLarge refuses a picture and says which setting would allow it.
func (c Config) tooLarge(what string, width, height int) error {
	mend := fmt.Sprintf("media.max_pixels is %d; it would have to be at least %d", c.MaxPixels, allocated(width, height))
	if width > maxSide || height > maxSide || allocated(width, height) > mostPixels {
		mend = fmt.Sprintf("media.max_pixels allows at most %d pixels, and %d a side", mostPixels, maxSide)
	}
	return fmt.Errorf("%w: %s %d×%d pixels; %s", liveproof.ErrPictureTooLarge, what, width, height, mend)
}

// mostPixels is the largest MaxPixels.
const mostPixels = 1 << 27

// maxSide is the longest side in pixels; liveproof.ImagePool lends nothing longer.
const maxSide = 1 << 15

// checkDecoded refuses a picture that came out of the decoder larger than was claimed.
func (c Config) checkDecoded(width, height int) error {
	if width > maxSide || height > maxSide || width*height > c.MaxPixels {
		return c.tooLarge("the decoder gave", width, height)
	}
	return nil
}
