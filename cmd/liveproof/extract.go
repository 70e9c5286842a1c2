package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/liveproof/liveproof/benchmark"
)

const extractHelp = `Cuts face crops out of a benchmark's videos, with the code that decodes, detects and crops live
streams, and writes DIR/manifest.csv, one row a crop (docs/benchmarks.md), and DIR/report.json.

  liveproof extract --dataset oulu --root /data/OULU-NPU --verify        is the copy complete?
  liveproof extract --dataset oulu --root /data/OULU-NPU --out crops/oulu
  liveproof extract … --shard 3/16                                       one of 16 jobs, on one folder

Of each video --frames equally spaced frames are kept, frame i·n/k of n. The largest face is taken, then
the one nearest to it in the frames that follow. A frame without a face is skipped; a video that gave
nothing stands in the report with its reason. After a kill the same command goes on where it was.

--shard runs share one --out. Shards made in separate folders are merged by copying them together; the
manifest is written by whichever run finds all videos done.

--verify extracts nothing: it compares the tree with what the dataset's authors distribute (or with
plan.csv, where "liveproof layout" made the tree) and reads what --out, if given, knows about unreadable,
empty and faceless videos. Exit code 3: incomplete.`

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
	f.BoolVar(&o.verify, "verify", false, "only tell whether the dataset is complete")
	f.BoolVar(&o.json, "json", false, "the report as JSON")
	f.BoolVarP(&o.quiet, "quiet", "q", false, "no progress")
	return cmd
}

// check names the first flag that is wrong.
func (o extractOptions) check() (*benchmark.Dataset, shard, error) {
	part, err := parseShard(o.shard)
	switch {
	case err != nil:
		return nil, part, err
	case o.root == "":
		return nil, part, errors.New("--root: the folder of the dataset is needed")
	case o.out == "" && !o.verify:
		return nil, part, errors.New("--out: a folder for the crops is needed")
	case sameFolder(o.root, o.out):
		return nil, part, errors.New("--out: give the crops a folder of their own, not the dataset's")
	case o.frames < 1 || o.frames > 10000:
		return nil, part, fmt.Errorf("--frames: %d is out of range [1, 10000]", o.frames)
	case o.jobs < 1:
		return nil, part, fmt.Errorf("--jobs: %d is out of range [1, ∞)", o.jobs)
	}
	d, err := benchmark.Known().Open(o.dataset)
	if err != nil {
		return nil, part, fmt.Errorf("--dataset: %w", err)
	}
	return d, part, nil
}

func (o extractOptions) run(ctx context.Context, cfg Config, out, errOut io.Writer) error {
	dataset, part, err := o.check()
	if err != nil {
		return usage(err)
	}
	tree, err := dataset.Discover(o.root)
	if err != nil {
		return usage(fmt.Errorf("--root: %w", err))
	}
	if o.verify {
		return o.verifyTree(ctx, cfg, tree, out, errOut)
	}
	if len(tree.Files) == 0 {
		return fmt.Errorf("--root: no video of %s in %s, but %d files that are none of its; --verify lists them", dataset.Title, o.root, len(tree.Extra))
	}
	return o.extract(ctx, cfg, tree, part, out, errOut)
}

func sameFolder(a, b string) bool {
	one, err1 := os.Stat(a)
	other, err2 := os.Stat(b)
	return err1 == nil && err2 == nil && os.SameFile(one, other)
}

// shard is part i of n, i from 0.
type shard struct{ i, n int }

func parseShard(text string) (shard, error) {
	first, second, ok := strings.Cut(text, "/")
	i, err1 := strconv.Atoi(first)
	n, err2 := strconv.Atoi(second)
	if !ok || err1 != nil || err2 != nil || i < 1 || i > n {
		return shard{}, fmt.Errorf("--shard: %q is not i/n with i from 1 to n, such as 3/16", text)
	}
	return shard{i - 1, n}, nil
}

func (s shard) has(index int) bool { return index%s.n == s.i }
