package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/liveproof/liveproof/benchmark"
	"github.com/liveproof/liveproof/media"
)

// extraction cuts crops into the folder out.
type extraction struct {
	eyes   *engine
	frames int // kept of a video
	out    string
}

// video makes one video's crops. What is wrong with the video stands in the
// record; an error is ours, the detector's or the output folder's.
func (x extraction) video(ctx context.Context, f benchmark.File) (benchmark.Record, error) {
	r := benchmark.Record{Video: f.Video, SourceBytes: sourceBytes(f.Path), Crops: []benchmark.Crop{}}
	err := x.fill(ctx, f, &r)
	var bad *videoError
	switch {
	case ctx.Err() != nil: // whatever came of it: the video is not to blame
		return r, ctx.Err()
	case errors.As(err, &bad):
		r.Status, r.Error = bad.status(), bad.Error()
		return r, nil
	case err != nil:
		return r, err
	case len(r.Crops) == 0:
		r.Status = benchmark.StatusNoFace
	default:
		r.Status = benchmark.StatusOK
	}
	return r, nil
}

func (x extraction) fill(ctx context.Context, f benchmark.File, r *benchmark.Record) error {
	note, err := x.orient(ctx, f, r)
	if err != nil {
		return err
	}
	shots, err := x.sample(ctx, f.Path, r)
	if err != nil {
		return err
	}
	if note != "" {
		r.Notes = append(r.Notes, note)
	}
	folder := "crops/" + f.ID
	if err := os.RemoveAll(filepath.Join(x.out, filepath.FromSlash(folder))); err != nil { // of a run that was killed
		return fmt.Errorf("--out: %w", err)
	}
	for _, s := range shots {
		s.crop.File = fmt.Sprintf("%s/%06d.png", folder, s.crop.Frame)
		if err := s.write(x.out); err != nil {
			return fmt.Errorf("--out: %w", err)
		}
		r.Crops = append(r.Crops, s.crop)
	}
	return nil
}

// videoError is a video's own fault.
type videoError struct{ err error }

func (e *videoError) Error() string { return e.err.Error() }

func (e *videoError) Unwrap() error { return e.err }

func (e *videoError) status() benchmark.Status {
	if errors.Is(e.err, media.ErrEmpty) {
		return benchmark.StatusZeroFrames
	}
	return benchmark.StatusUnreadable
}
