package extract

import (
	"context"
	"errors"
	"io/fs"

	"golang.org/x/sync/errgroup"

	"github.com/liveproof/liveproof/benchmark"
	"github.com/liveproof/liveproof/internal/check"
	"github.com/liveproof/liveproof/media"
)

// Verify reports whether the tree is complete and readable. It opens every video
// that has no record in o.Out; with an empty o.Out it opens all of them.
// o.Frames and o.Shard mean nothing to it.
func Verify(ctx context.Context, tree *benchmark.Tree, o Options, cfg media.Config) (benchmark.Completeness, error) {
	if err := check.AtLeast("jobs", o.Jobs, 1); err != nil {
		return benchmark.Completeness{}, err
	}
	report, err := tree.Verify()
	if err != nil {
		return report, err
	}
	progress := newCounter(len(tree.Files), o.Progress)
	found := make([]benchmark.Nothing, len(tree.Files))
	group, working := errgroup.WithContext(ctx)
	group.SetLimit(o.Jobs)
	for i, f := range tree.Files {
		group.Go(func() (err error) {
			found[i].Status, found[i].Error, err = status(working, cfg, o.Out, f)
			progress.skip()
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return report, err
	}
	for i, f := range tree.Files {
		report.Opened(f.Video, found[i].Status, found[i].Error)
	}
	return report, nil
}

// status is the record's or, without one, says whether a first picture can be decoded.
func status(ctx context.Context, cfg media.Config, out string, f benchmark.File) (benchmark.Status, string, error) {
	if out != "" {
		r, err := benchmark.ReadRecord(out, f.ID)
		if err == nil && r.Final() && r.SourceBytes == sourceBytes(f.Path) {
			return r.Status, r.Error, nil
		} else if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return "", "", err
		}
	}
	err := decodeFirst(ctx, cfg, f.Path)
	if ctx.Err() != nil {
		return "", "", ctx.Err()
	}
	if err != nil {
		bad := videoError{err}
		return bad.status(), bad.Error(), nil //nolint:nilerr // the video is at fault: that is what verify reports
	}
	return benchmark.StatusOK, "", nil
}

func decodeFirst(ctx context.Context, cfg media.Config, path string) (err error) {
	file, err := media.OpenFile(cfg, path)
	if err != nil {
		return err
	}
	p, err := file.Next(ctx)
	if err == nil {
		p.Release()
	}
	return errors.Join(err, file.Close())
}
