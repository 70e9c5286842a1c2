// Package transcode encodes video files as a live publisher would have encoded its camera: VP8 by libvpx or H.264
// (constrained baseline) by x264, at a constant bitrate, without pictures that wait for later ones, untagged BT.601 of
// limited range. Pictures are upright with square pixels, as package media gives them, so that a publisher sends what
// the file shows. Times are those of the file: the frame rate may vary.
//
// A clip that was encoded beforehand cannot answer a request for a key frame (PLI, RFC 4585). So it has a key frame
// every Config.KeyFrames, with which a receiver goes on after a loss.
package transcode

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/liveproof/liveproof"
	"github.com/liveproof/liveproof/internal/ivf"
	"github.com/liveproof/liveproof/media"
)

// Errors of this package; test with errors.Is. Those of media.OpenFile and media.File are passed on: a file that is cut short or cannot be
// decoded in part is media.ErrDamaged.
var (
	// ErrTooLong: the file is longer than Config.MaxDuration.
	ErrTooLong = errors.New("video is too long")
	// ErrEncoder: this build of FFmpeg has no encoder for the codec, or it refuses the settings.
	ErrEncoder = errors.New("encoder cannot be used")
)

// ClockRate is the number of ticks a second in the IVF file, as in RTP (RFC 7741, 4.1; RFC 6184, 8.2.1).
const ClockRate = 90_000

// Summary says what was encoded.
type Summary struct {
	Pictures      int
	KeyPictures   int
	Duration      time.Duration // from the first to the last picture
	Width, Height int           // pixels, of the first picture
	Bytes         int64         // of all pictures
}

// File encodes the video of a file, from its first to its last picture, and writes it to an IVF file (FourCC VP80, or H264 with
// access units in Annex B, the parameter sets before each key frame). Memory is bounded: pictures are read, encoded and
// written one by one. progress gets the share of the file that has been read, in [0,1]; it may be nil.
func File(ctx context.Context, cfg Config, path string, to io.Writer, progress func(share float64)) (s Summary, err error) {
	if err := cfg.Validate(); err != nil {
		return s, err
	}
	file, err := media.OpenFile(cfg.Media, path)
	if err != nil {
		return s, err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	if progress == nil {
		progress = func(float64) {}
	}
	j := job{cfg: cfg, to: to, rate: file.Info().FrameRate}
	defer j.close()
	if err := j.all(ctx, file, progress); err != nil {
		return j.summary, fmt.Errorf("%s: %w", path, err)
	}
	return j.summary, nil
}

// Source gives pictures in order, and io.EOF after the last.
type Source interface {
	Next(ctx context.Context) (liveproof.Picture, error)
}

// Pictures encodes pictures as File does those of a file. rate is about how many come a second.
func Pictures(ctx context.Context, cfg Config, from Source, rate float64, to io.Writer) (Summary, error) {
	if err := cfg.Validate(); err != nil {
		return Summary{}, err
	}
	j := job{cfg: cfg, to: to, rate: rate}
	defer j.close()
	for {
		picture, err := from.Next(ctx)
		if errors.Is(err, io.EOF) && j.out != nil {
			return j.summary, j.finish()
		}
		if err != nil {
			return j.summary, err
		}
		err = j.picture(picture)
		picture.Release()
		if err != nil {
			return j.summary, err
		}
	}
}

// job encodes one file.
type job struct {
	cfg     Config
	to      io.Writer
	rate    float64 // pictures a second, an estimate
	pool    liveproof.ImagePool
	out     *ivf.Writer // nil before the first picture
	enc     *encoder    // nil before the first picture
	summary Summary
	lastKey time.Duration
}

func (j *job) close() {
	if j.enc != nil {
		j.enc.close()
	}
}

func (j *job) all(ctx context.Context, file *media.File, progress func(float64)) error {
	for {
		picture, err := file.Next(ctx)
		if errors.Is(err, io.EOF) {
			progress(1)
			return errors.Join(j.finish(), file.Damage())
		}
		if err != nil {
			return err
		}
		err = j.picture(picture)
		picture.Release()
		if err != nil {
			return err
		}
		progress(file.Progress())
	}
}

func (j *job) finish() error {
	if err := j.enc.drain(j.write); err != nil {
		return err
	}
	return j.out.Flush()
}

func (j *job) picture(p liveproof.Picture) error {
	at := p.Time()
	if at > j.cfg.MaxDuration {
		return fmt.Errorf("%w: more than %v", ErrTooLong, j.cfg.MaxDuration)
	}
	img, err := p.RGB(&j.pool)
	if err != nil {
		return err
	}
	defer img.Release()
	if j.cfg.TurnedOver {
		img.TurnOver()
	}
	key, err := j.prepare(img, at)
	if err != nil {
		return err
	}
	j.summary.Duration = at
	return j.enc.encode(img, ticks(at), key, j.write)
}

// prepare makes the encoder one for pictures like img, and reports whether img is to be a key picture.
func (j *job) prepare(img *liveproof.Image, at time.Duration) (key bool, err error) {
	width, height := j.cfg.fit(img.Width, img.Height)
	if j.enc == nil || j.enc.width != width || j.enc.height != height {
		if err := j.replaceEncoder(width, height); err != nil {
			return false, err
		}
		key = true
	}
	if key || at-j.lastKey >= j.cfg.KeyFrames {
		j.lastKey, key = at, true
	}
	return key, nil
}

// replaceEncoder begins with pictures of another size; a publisher whose camera turns does so too.
func (j *job) replaceEncoder(width, height int) (err error) {
	if j.enc != nil {
		if err := j.enc.drain(j.write); err != nil {
			return err
		}
		j.enc.close()
		j.enc = nil
	}
	if j.out == nil {
		j.summary.Width, j.summary.Height = width, height
		h := ivf.Header{FourCC: fourCC[j.cfg.Codec], Width: width, Height: height, Numerator: 1, Denominator: ClockRate}
		if j.out, err = ivf.NewWriter(j.to, h); err != nil {
			return err
		}
	}
	j.enc, err = openEncoder(j.cfg, width, height, j.rate)
	return err
}

func (j *job) write(at int64, key bool, data []byte) error {
	j.summary.Pictures++
	j.summary.Bytes += int64(len(data))
	if key {
		j.summary.KeyPictures++
	}
	return j.out.Write(uint64(at), data)
}

// ticks rounds to the clock of RTP.
func ticks(at time.Duration) int64 {
	return (at.Nanoseconds()*ClockRate + int64(time.Second)/2) / int64(time.Second)
}
