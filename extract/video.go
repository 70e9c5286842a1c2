package extract

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/liveproof/liveproof/benchmark"
	"github.com/liveproof/liveproof/engine"
	"github.com/liveproof/liveproof/media"
)

// extractor cuts crops into the folder out.
type extractor struct {
	faces  *engine.Faces
	frames int // kept of a video
	out    string
}

func (x extractor) media() media.Config { return x.faces.Config().Media }

// video makes one video's crops. Faults of the video are in the record; an
// error is the detector's or the output folder's.
func (x extractor) video(ctx context.Context, f benchmark.File) (benchmark.Record, error) {
	r := benchmark.Record{Video: f.Video, SourceBytes: sourceBytes(f.Path), Crops: []benchmark.Crop{}}
	err := x.fill(ctx, f, &r)
	var bad *videoError
	switch {
	case ctx.Err() != nil: // interrupted: the error is not the video's
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

func (x extractor) fill(ctx context.Context, f benchmark.File, r *benchmark.Record) error {
	note, err := x.orient(ctx, f.Path, f.Turned(), r)
	if err != nil {
		return err
	}
	crops, err := x.sample(ctx, f.Path, r)
	if err != nil {
		return err
	}
	if note != "" {
		r.Notes = append(r.Notes, note)
	}
	folder := "crops/" + f.ID
	if err := os.RemoveAll(filepath.Join(x.out, filepath.FromSlash(folder))); err != nil { // crops of a run that was killed
		return fmt.Errorf("%w: %w", ErrOutput, err)
	}
	for _, c := range crops {
		c.row.File = fmt.Sprintf("%s/%06d.png", folder, c.row.Frame)
		if err := c.write(x.out); err != nil {
			return fmt.Errorf("%w: %w", ErrOutput, err)
		}
		r.Crops = append(r.Crops, c.row)
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
