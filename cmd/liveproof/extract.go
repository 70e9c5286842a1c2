package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"runtime"
	"strings"

	"github.com/spf13/cobra"

	"github.com/liveproof/liveproof/benchmark"
	"github.com/liveproof/liveproof/engine"
	"github.com/liveproof/liveproof/extract"
	"github.com/liveproof/liveproof/internal/check"
)

const extractHelp = `Cuts face crops out of a benchmark's videos, with the code that decodes, detects and crops live
streams, and writes DIR/manifest.csv, one row a crop (docs/benchmarks.md), and DIR/report.json.

  liveproof extract --dataset oulu --root /data/OULU-NPU --verify        is the copy complete?
  liveproof extract --dataset oulu --root /data/OULU-NPU --out crops/oulu
  liveproof extract … --shard 3/16                                       one of 16 jobs, on one folder

Of each video --frames equally spaced frames are kept, frame i·n/k of n. The largest face is taken, then
in each frame the one that overlaps most with the last. A frame without a face is skipped; a video without
a crop is in the report with its reason. After a kill the same command continues.

--shard runs share one --out. Shards made in separate folders are merged by copying them together; the
run that finds all videos done writes the manifest.

--verify extracts nothing: it compares the tree with what the dataset's authors distribute (or with
plan.csv, where "liveproof layout" made the tree). With --out it also reads from the records there which videos are
unreadable, empty or without a face. Exit code 3: incomplete.`

// extractOptions are the flags of `liveproof extract`.
type extractOptions struct {
	config, dataset, root, out string
	frames, jobs               int
	shard                      string
	verify, json, quiet        bool
}

func newExtractCommand() *cobra.Command {
	o := extractOptions{}
	cmd := &cobra.Command{
		Use: "extract --dataset NAME --root DIR --out DIR", Short: "Cut face crops out of a benchmark's videos", Long: extractHelp,
		Args: wantArgs(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, err := loadConfig(o.config, os.Environ())
			if err != nil {
				return usage(err)
			}
			return o.run(cmd.Context(), cfg, cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.config, "config", "", "configuration file (YAML)")
	f.StringVar(&o.dataset, "dataset", "", "one of "+strings.Join(benchmark.Known().Names(), ", "))
	f.StringVar(&o.root, "root", "", "folder of the dataset, or up to three folders above it")
	f.StringVar(&o.out, "out", "", "folder for crops, manifest and report")
	f.IntVar(&o.frames, "frames", 10, "frames kept of each video")
	f.IntVar(&o.jobs, "jobs", runtime.GOMAXPROCS(0), "videos at once")
	f.StringVar(&o.shard, "shard", "1/1", "i/n: only the ith of n parts, from 1/n to n/n")
	f.BoolVar(&o.verify, "verify", false, "only report whether the dataset is complete")
	f.BoolVar(&o.json, "json", false, "the report as JSON")
	f.BoolVarP(&o.quiet, "quiet", "q", false, "no progress")
	return cmd
}

// check reports every flag that is out of range.
func (o extractOptions) check() (extract.Options, error) {
	do := extract.Options{Out: o.out, Frames: o.frames, Jobs: o.jobs}
	var err error
	switch do.Shard, err = extract.ParseShard(o.shard); {
	case err != nil:
		return do, fmt.Errorf("--shard: %w", err)
	case o.root == "":
		return do, errors.New("--root: the folder of the dataset is needed")
	case o.out == "" && !o.verify:
		return do, errors.New("--out: a folder for the crops is needed")
	case sameFolder(o.root, o.out):
		return do, errors.New("--out: give the crops a folder of their own, not the dataset's")
	}
	return do, check.Prefix("--", do.Validate())
}

// discover finds the dataset's videos.
func (o extractOptions) discover() (*benchmark.Tree, error) {
	dataset, err := benchmark.Known().Open(o.dataset)
	if err != nil {
		return nil, fmt.Errorf("--dataset: %w", err)
	}
	tree, err := dataset.Discover(o.root)
	if err != nil {
		return nil, fmt.Errorf("--root: %w", err)
	}
	return tree, nil
}

func (o extractOptions) run(ctx context.Context, cfg Config, out, errOut io.Writer) error {
	do, err := o.check()
	if err != nil {
		return usage(err)
	}
	tree, err := o.discover()
	if err != nil {
		return usage(err)
	}
	if !o.quiet {
		progress := newListProgress("extracting", "videos", errOut)
		defer progress.close()
		do.Progress = func(now extract.Progress) { progress.show(extractAdvance(now)) }
	}
	if o.verify {
		return o.runVerify(ctx, cfg, tree, do, out)
	}
	if len(tree.Files) == 0 {
		return fmt.Errorf("--root: no video of %s in %s, but %d other files; --verify lists them",
			tree.Dataset.Title, o.root, len(tree.Extra))
	}
	return o.runExtract(ctx, cfg, tree, do, out, errOut)
}

func (o extractOptions) runVerify(ctx context.Context, cfg Config, tree *benchmark.Tree, do extract.Options, out io.Writer) error {
	report, err := extract.Verify(ctx, tree, do, cfg.Media)
	if err == nil {
		err = o.print(report, out)
	}
	if err == nil && !report.Complete() {
		err = &exitError{code: exitPartial, err: fmt.Errorf("%s in %s is incomplete", tree.Dataset.Title, tree.Root)}
	}
	return err
}

func (o extractOptions) runExtract(ctx context.Context, cfg Config, tree *benchmark.Tree, do extract.Options, out, errOut io.Writer) (err error) {
	cfg.Log.Level = max(cfg.Log.Level, slog.LevelWarn) // the report is the output
	faces, err := engine.OpenFaces(cfg.engine(), newLogger(cfg.Log, errOut))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, faces.Close()) }()
	summary, err := extract.Run(ctx, tree, do, faces)
	switch {
	case err != nil && ctx.Err() != nil:
		return &exitError{code: exitCanceled, err: errors.New("interrupted; run the same command again to continue")}
	case errors.Is(err, extract.ErrOutput):
		return fmt.Errorf("--out: %w%s", err, mendOutput(err, o.out))
	case err != nil:
		return err
	case summary.Report == nil:
		_, err = fmt.Fprintf(out, "shard %v is done; %d of %d videos of other shards are not: the last one writes the manifest\n",
			do.Shard, summary.Missing, len(tree.Files))
		return err
	}
	return o.print(summary.Report, out)
}

// print writes a report for people or, with --json, for programs.
func (o extractOptions) print(report interface{ Text(io.Writer) error }, out io.Writer) error {
	if o.json {
		return json.NewEncoder(out).Encode(report)
	}
	return report.Text(out)
}

func sameFolder(a, b string) bool {
	one, err1 := os.Stat(a)
	other, err2 := os.Stat(b)
	return err1 == nil && err2 == nil && os.SameFile(one, other)
}
