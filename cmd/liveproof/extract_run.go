package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"golang.org/x/sync/errgroup"

	"github.com/liveproof/liveproof/benchmark"
)

// cropOfContract says in settings.json what the crops are; other crops do not mix with these.
const cropOfContract = "square of 1.3 times the longer side of the box, 256×256, PNG"

// extract does this run's share of the videos and, when all are done, the tables.
func (o extractOptions) extract(ctx context.Context, cfg Config, tree *benchmark.Tree, part shard, out, errOut io.Writer) (err error) {
	cfg.Log.Level = max(cfg.Log.Level, 4) // warnings: the report is the output
	eyes, err := openEyes(cfg, newLogger(cfg.Log, errOut))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, eyes.Close()) }()
	settings := benchmark.Settings{
		Dataset: o.dataset, Frames: o.frames, Detector: eyes.Detector(), Crop: cropOfContract, Config: eyes.digest(),
	}
	unlock, err := lockFolder(o.out, part)
	if err != nil {
		return fmt.Errorf("--out: %w", err)
	}
	defer unlock()
	if err := claim(o.out, settings); err != nil {
		return fmt.Errorf("--out: %w", err)
	}
	x := extraction{eyes, o.frames, o.out}
	if err := o.extractAll(ctx, x, tree.Files, part, errOut); err != nil {
		if ctx.Err() != nil {
			return &exitError{code: exitCanceled, err: errors.New("interrupted; the same command goes on from here")}
		}
		return err
	}
	return o.conclude(x, settings, tree, part, out)
}

// claim makes the folder one of these settings, or refuses one of others. Of shards that begin together one is first.
func claim(dir string, s benchmark.Settings) error {
	turn, err := lockFile(filepath.Join(dir, ".lock"), syscall.LOCK_EX)
	if err != nil {
		return err
	}
	defer turn.Close() //nolint:errcheck // only a lock
	path := filepath.Join(dir, benchmark.SettingsName)
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return benchmark.WriteFile(path, func(w io.Writer) error { return json.NewEncoder(w).Encode(s) })
	}
	if err != nil {
		return err
	}
	var there benchmark.Settings
	if err := json.Unmarshal(data, &there); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	if there != s {
		return fmt.Errorf("%s holds crops of other settings, %+v; now they are %+v: use another folder", dir, there, s)
	}
	return nil
}

// extractAll works on o.jobs videos at once. It ends with the first failure that is not a video's own.
func (o extractOptions) extractAll(ctx context.Context, x extraction, files []benchmark.File, part shard, errOut io.Writer) error {
	var mine []benchmark.File
	for i, f := range files {
		if part.has(i) {
			mine = append(mine, f)
		}
	}
	p := newExtractProgress(len(mine), o.quiet, errOut)
	defer p.close()
	group, working := errgroup.WithContext(ctx)
	group.SetLimit(o.jobs)
	for _, f := range mine {
		if working.Err() != nil {
			break
		}
		group.Go(func() error { return x.once(working, f, p) })
	}
	return errors.Join(group.Wait(), ctx.Err())
}

// once extracts a video unless that was done before.
func (x extraction) once(ctx context.Context, f benchmark.File, p *extractProgress) error {
	if r, err := benchmark.ReadRecord(x.out, f.ID); err == nil && x.stands(r, f) {
		p.skip()
		return nil
	} else if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := noManifest(x.out); err != nil {
		return err
	}
	r, err := x.video(ctx, f)
	if err != nil {
		return err
	}
	if err := r.Save(x.out); err != nil {
		return fmt.Errorf("--out: %w", err)
	}
	p.add(len(r.Crops))
	return nil
}

// noManifest takes away what would name crops that have changed or are about to.
func noManifest(dir string) error {
	if err := os.Remove(filepath.Join(dir, benchmark.ManifestName)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("--out: %w", err)
	}
	return nil
}

// stands tells whether a record still says what the source file and the folder hold.
func (x extraction) stands(r benchmark.Record, f benchmark.File) bool {
	return r.Final() && x.matches(r, f)
}

// matches tells whether the record is of this very file, whatever came of reading it.
func (x extraction) matches(r benchmark.Record, f benchmark.File) bool {
	return r.SourceBytes == sourceBytes(f.Path) && r.Split == f.Split && r.Whole(x.out)
}

// conclude writes manifest and report when every video of the tree is done.
func (o extractOptions) conclude(x extraction, s benchmark.Settings, tree *benchmark.Tree, part shard, out io.Writer) error {
	records, missing, err := x.records(tree)
	if err != nil {
		return err
	}
	if missing > 0 {
		if err := noManifest(o.out); err != nil {
			return err
		}
		fmt.Fprintf(out, "shard %d/%d is done; %d of %d videos of other shards are not: the last one writes the manifest\n",
			part.i+1, part.n, missing, len(tree.Files))
		return nil
	}
	report := benchmark.NewReport(s, tree, records)
	if err := o.writeTables(report, records); err != nil {
		return fmt.Errorf("--out: %w", err)
	}
	if o.json {
		return json.NewEncoder(out).Encode(report)
	}
	return report.Text(out)
}

// records of all videos; missing are those that no shard did, or did from another file.
func (x extraction) records(tree *benchmark.Tree) (records []benchmark.Record, missing int, err error) {
	for _, f := range tree.Files {
		r, err := benchmark.ReadRecord(x.out, f.ID)
		switch {
		case err != nil && !errors.Is(err, fs.ErrNotExist):
			return nil, 0, err
		case err != nil || !x.matches(r, f):
			missing++
		default:
			records = append(records, r)
		}
	}
	return records, missing, nil
}

// writeTables writes the manifest last: where it is, all is there.
func (o extractOptions) writeTables(report benchmark.Report, records []benchmark.Record) error {
	write := func(name string, do func(io.Writer) error) error {
		return benchmark.WriteFile(filepath.Join(o.out, name), do)
	}
	err := write(benchmark.ReportName, func(w io.Writer) error {
		enc := json.NewEncoder(w)
		enc.SetIndent("", " ")
		return enc.Encode(report)
	})
	if err == nil {
		err = write("report.txt", report.Text)
	}
	if err == nil {
		err = write(benchmark.ManifestName, func(w io.Writer) error { return benchmark.WriteManifest(w, records) })
	}
	return err
}

func sourceBytes(path string) int64 {
	info, err := os.Stat(path)
	if err != nil {
		return -1
	}
	return info.Size()
}
