package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"

	"golang.org/x/sync/errgroup"

	"github.com/liveproof/liveproof/benchmark"
	"github.com/liveproof/liveproof/media"
)

// verifyTree tells whether the tree is complete and readable. What --out knows
// of a video is believed, the others are opened.
func (o extractOptions) verifyTree(ctx context.Context, cfg Config, tree *benchmark.Tree, out, errOut io.Writer) error {
	report, err := tree.Verify()
	if err != nil {
		return err
	}
	if err := o.openEach(ctx, cfg.Media, tree, &report, errOut); err != nil {
		return err
	}
	if o.json {
		err = json.NewEncoder(out).Encode(report)
	} else {
		err = report.Text(out)
	}
	if err == nil && !report.Complete() {
		err = &exitError{code: exitPartial, err: fmt.Errorf("%s in %s is incomplete", tree.Dataset.Title, tree.Root)}
	}
	return err
}

func (o extractOptions) openEach(ctx context.Context, cfg media.Config, tree *benchmark.Tree, report *benchmark.Completeness, errOut io.Writer) error {
	p := newExtractProgress(len(tree.Files), o.quiet, errOut)
	defer p.close()
	found := make([]benchmark.Nothing, len(tree.Files))
	group, working := errgroup.WithContext(ctx)
	group.SetLimit(o.jobs)
	for i, f := range tree.Files {
		group.Go(func() (err error) {
			found[i].Status, found[i].Error, err = o.known(working, cfg, f)
			p.skip()
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return err
	}
	for i, f := range tree.Files {
		report.Opened(f.Video, found[i].Status, found[i].Error)
	}
	return nil
}

// known is the record's word or, without one, whether a first picture can be decoded.
func (o extractOptions) known(ctx context.Context, cfg media.Config, f benchmark.File) (benchmark.Status, string, error) {
	if o.out != "" {
		r, err := benchmark.ReadRecord(o.out, f.ID)
		if err == nil && r.Final() && r.SourceBytes == sourceBytes(f.Path) {
			return r.Status, r.Error, nil
		} else if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return "", "", err
		}
	}
	err := firstPicture(ctx, cfg, f.Path)
	if ctx.Err() != nil {
		return "", "", ctx.Err()
	}
	if err != nil {
		bad := videoError{err}
		return bad.status(), bad.Error(), nil
	}
	return benchmark.StatusOK, "", nil
}

func firstPicture(ctx context.Context, cfg media.Config, path string) (err error) {
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
