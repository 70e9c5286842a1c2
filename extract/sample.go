package extract

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/liveproof/liveproof"
	"github.com/liveproof/liveproof/benchmark"
	"github.com/liveproof/liveproof/detector"
	"github.com/liveproof/liveproof/engine"
	"github.com/liveproof/liveproof/media"
)

// sample reads the whole video and makes crops of equally spaced frames. The
// decoder counts the frames; if the container promised another number, the video is
// read again.
func (x extractor) sample(ctx context.Context, path string, r *benchmark.Record) ([]crop, error) {
	promised, err := describe(x.media(), path, r)
	if err != nil {
		return nil, err
	}
	for n, tries := promised, 0; tries < 3; n, tries = r.Frames, tries+1 {
		s := sampler{faces: x.faces, stream: x.faces.Follow(), frames: spaced(n, x.frames), turn: r.Turn}
		if err := s.read(ctx, path, r); err != nil {
			return nil, err
		}
		if r.Frames != n {
			continue
		}
		if r.Sampled = len(s.frames); n < x.frames {
			r.Notes = append(r.Notes, fmt.Sprintf("has %d frames only", n))
		}
		return s.crops, nil
	}
	return nil, &videoError{errors.New("every reading of the file gives another number of frames")}
}

// spaced returns k of n frames, i·n/k for each i; all n when there are no more
// than k.
func spaced(n, k int) (frames []int) {
	k = min(n, k)
	for i := range k {
		frames = append(frames, i*n/k)
	}
	return frames
}

// maxFrames bounds the number of frames that is believed of a container.
const maxFrames = 1 << 24

// describe records what the container says and returns the number of frames that it
// promises.
func describe(cfg media.Config, path string, r *benchmark.Record) (frames int, err error) {
	file, err := media.OpenFile(cfg, path)
	if err != nil {
		return 0, &videoError{err}
	}
	info := file.Info()
	r.Rate, r.Width, r.Height = info.FrameRate, info.Width, info.Height
	r.Rotation, r.Mirrored = info.Orientation.Degrees(), info.Orientation.Mirrored
	if info.Reduction > 1 {
		r.Reduction = info.Reduction
	}
	return int(min(info.Frames, maxFrames)), file.Close()
}

// sampler makes the crops in one reading of a video.
type sampler struct {
	faces  *engine.Faces
	stream *detector.Stream
	frames []int // to make crops of, ascending
	next   int   // index into frames
	turn   int   // degrees
	last   *liveproof.Box
	crops  []crop
}

// read reads to the end and records in r what was read.
func (s *sampler) read(ctx context.Context, path string, r *benchmark.Record) (err error) {
	file, err := media.OpenFile(s.faces.Config().Media, path)
	if err != nil {
		return &videoError{err}
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	for r.Frames, r.Notes, r.Broken = 0, nil, false; ; r.Frames++ {
		p, err := file.Next(ctx)
		if err != nil {
			return endOf(ctx, err, file.Counts(), r)
		}
		err = s.picture(ctx, p, r)
		p.Release()
		if err != nil {
			return fmt.Errorf("%s: frame %d: %w", path, r.Frames, err)
		}
	}
}

// endOf tells a video that ends or breaks off from one of which nothing could be
// read.
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

// picture makes a crop of the picture if it is the next of s.frames.
func (s *sampler) picture(ctx context.Context, p liveproof.Picture, r *benchmark.Record) error {
	if s.next == len(s.frames) || s.frames[s.next] != r.Frames {
		return nil
	}
	s.next++
	img, err := upright(p, s.turn, s.faces.Pool())
	if err != nil {
		return &videoError{err}
	}
	defer img.Release()
	r.Width, r.Height = img.Width, img.Height
	c, err := s.cut(ctx, img, p.Time())
	if err != nil || c == nil {
		return err
	}
	c.row.Frame, c.row.Time = r.Frames, p.Time().Seconds()
	s.crops = append(s.crops, *c)
	return nil
}

// cut makes the crop of the followed face; nil when there is none. The whole of each
// picture is searched, so that the crops do not depend on the settings of detector.follow.
func (s *sampler) cut(ctx context.Context, img *liveproof.Image, at time.Duration) (*crop, error) {
	found, err := s.stream.Detect(ctx, img, at, true)
	if err != nil || found.Primary < 0 {
		return nil, err
	}
	face := nearest(found, s.last)
	s.last = &face.Box
	whole, err := s.faces.Cropper().CropWhole(img, face, s.faces.Pool())
	if errors.Is(err, detector.ErrImage) { // the face is too large for a crop: the frame gives none
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer whole.Release()
	return newCrop(s.faces, img, whole, face)
}

// nearest is the face that overlaps most with the last box. If none does, it is
// the live tracker's choice or else the largest face.
func nearest(found liveproof.Detection, last *liveproof.Box) liveproof.Face {
	best := found.Faces[found.Primary]
	if last == nil {
		return best
	}
	for _, f := range found.Faces {
		if f.Box.IoU(*last) > best.Box.IoU(*last) {
			best = f
		}
	}
	return best
}
