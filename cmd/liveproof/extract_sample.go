package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/liveproof/liveproof"
	"github.com/liveproof/liveproof/benchmark"
	"github.com/liveproof/liveproof/detector"
	"github.com/liveproof/liveproof/media"
)

// sample reads the whole video and looks at equally spaced frames. The number of
// frames is the decoder's; where the container promised another, it reads again.
func (x extraction) sample(ctx context.Context, path string, r *benchmark.Record) ([]shot, error) {
	promised, err := describe(x.eyes.cfg.Media, path, r)
	if err != nil {
		return nil, err
	}
	for n, tries := promised, 0; tries < 3; n, tries = r.Frames, tries+1 {
		l := look{eyes: x.eyes, stream: x.eyes.detector.NewStream(), want: spaced(n, x.frames), turn: r.Turn}
		if err := l.watch(ctx, path, r); err != nil {
			return nil, err
		}
		if r.Frames != n {
			continue
		}
		if r.Sampled = len(l.want); n < x.frames {
			r.Notes = append(r.Notes, fmt.Sprintf("has %d frames only", n))
		}
		return l.shots, nil
	}
	return nil, &videoError{errors.New("every reading of the file gives another number of frames")}
}

// spaced are k frames of n: i·n/k; all of them where there are no more.
func spaced(n, k int) (frames []int) {
	k = min(n, k)
	for i := range k {
		frames = append(frames, i*n/k)
	}
	return frames
}

// maxFrames bounds what a container may promise; the decoder tells the truth.
const maxFrames = 1 << 24

// describe notes what the container says and returns the number of frames that it promises.
func describe(cfg media.Config, path string, r *benchmark.Record) (frames int, err error) {
	file, err := media.OpenFile(cfg, path)
	if err != nil {
		return 0, &videoError{err}
	}
	info := file.Info()
	r.Rate, r.Rotation, r.Width, r.Height = info.FrameRate, info.Rotation, info.Width, info.Height
	return int(min(info.Frames, maxFrames)), file.Close()
}

// look is one reading of a video.
type look struct {
	eyes   *engine
	stream *detector.Stream
	want   []int // frames to look at, growing
	turn   int   // degrees
	seen   int   // of want
	last   *liveproof.Box
	shots  []shot
}

// watch reads to the end and tells in r what was read.
func (l *look) watch(ctx context.Context, path string, r *benchmark.Record) (err error) {
	file, err := media.OpenFile(l.eyes.cfg.Media, path)
	if err != nil {
		return &videoError{err}
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	for r.Frames, r.Notes, r.Broken = 0, nil, false; ; r.Frames++ {
		p, err := file.Next(ctx)
		if err != nil {
			return endOf(ctx, err, file.Counts(), r)
		}
		err = l.picture(ctx, p, r)
		p.Release()
		if err != nil {
			return fmt.Errorf("%s: frame %d: %w", path, r.Frames, err)
		}
	}
}

// endOf tells a video that ends, or breaks off midway, from one that never began.
func endOf(ctx context.Context, err error, c media.Counts, r *benchmark.Record) error {
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case r.Frames == 0:
		return &videoError{err}
	case !errors.Is(err, io.EOF):
		r.Broken = true
		r.Notes = append(r.Notes, fmt.Sprintf("breaks off after %d frames: %v", r.Frames, err))
	}
	if n := c.TotalDropped(); n > 0 {
		r.Notes = append(r.Notes, fmt.Sprintf("%d packets could not be decoded", n))
	}
	return nil
}

// picture looks at the picture if it is the next that is wanted.
func (l *look) picture(ctx context.Context, p liveproof.Picture, r *benchmark.Record) error {
	if l.seen == len(l.want) || l.want[l.seen] != r.Frames {
		return nil
	}
	l.seen++
	img, err := upright(p, l.turn, l.eyes.pool)
	if err != nil {
		return &videoError{err}
	}
	defer img.Release()
	r.Width, r.Height = img.Width, img.Height
	s, err := l.cut(ctx, img)
	if err != nil || s == nil {
		return err
	}
	s.crop.Frame, s.crop.Time = r.Frames, p.Time().Seconds()
	l.shots = append(l.shots, *s)
	return nil
}

// cut makes the crop of the followed face; nil when there is none.
func (l *look) cut(ctx context.Context, img *liveproof.Image) (*shot, error) {
	seen, err := l.stream.Detect(ctx, img)
	if err != nil || seen.Primary < 0 {
		return nil, err
	}
	face := nearest(seen, l.last)
	l.last = &face.Box
	whole, err := l.eyes.cropper.CropWhole(img, face, l.eyes.pool)
	if errors.Is(err, detector.ErrImage) { // too large a face for a crop: none to be used
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer whole.Release()
	return l.eyes.shot(img, whole, face)
}

// nearest is the face that overlaps most with the last box, and the live
// tracker's choice, in the end the largest, where none does.
func nearest(seen liveproof.Detection, last *liveproof.Box) liveproof.Face {
	best := seen.Faces[seen.Primary]
	if last == nil {
		return best
	}
	for _, f := range seen.Faces {
		if f.Box.IoU(*last) > best.Box.IoU(*last) {
			best = f
		}
	}
	return best
}
