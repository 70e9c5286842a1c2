package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"runtime"
	"time"

	"github.com/spf13/cobra"

	"github.com/liveproof/liveproof/benchmark"
	"github.com/liveproof/liveproof/evaluation"
	"github.com/liveproof/liveproof/internal/check"
)

const evaluateHelp = `Judges labelled videos and pictures with the live pipeline and reports its error rates
(ISO/IEC 30107-3): DIR/report.html and report.json, and the scores as bob.pad reads them.

Your own files, from a table with the columns filename, subject, attack_type (empty for bona fide):

  liveproof evaluate --csv files.csv --root videos --out results
  liveproof evaluate --csv files.csv --root videos --by camera --by light --out results
  liveproof evaluate --csv dev=dev.csv --csv eval=eval.csv --root videos --out results
  liveproof evaluate --csv list.csv --column subject=person --only camera=phone …

Other columns: set (train, dev, eval), instrument, label (1 bona fide, 0 attack; instead of attack_type);
every further one is kept, and --by groups the report by it. JPEG, PNG and WebP files are single
pictures: they get a score, no verdict; --mean-by series joins pictures of one series. Where there is a set dev, the threshold is chosen on it, else
it is the model's own.

A benchmark protocol (docs/benchmarks.md; "liveproof protocol --list" has the names):

  liveproof evaluate --protocol oulu-1 --root oulu=/data/OULU-NPU --out results
  liveproof evaluate --protocol ICM-O --root oulu=DIR --root casia=DIR --root replay=DIR --root msu=DIR --out results

Its development and test videos are judged, each once, whatever the number of folds.

Over WebRTC, in real time, through a server inside this program or another one, if wanted over a bad network:

  liveproof evaluate … --via webrtc --sessions 4 --codec h264 --bitrate 600k --loss 0.02

Where the model errs, by how well the faces are seen, and what the limits of quality save and cost (docs/quality.md):

  liveproof evaluate … --quality

The score of a video is the mean of ρ over its scored frames, each with the same weight. A file that cannot be
read or shows no face is not left out: it counts with the score 0, as rejected, and is listed. A
recording is not refused for being one: repeated, looped and frozen pictures are scored, unless --strict keeps these tests.

After a kill the same command continues. Exit code 3: some files could not be judged.`

// evaluateOptions are the flags of `liveproof evaluate`.
type evaluateOptions struct {
	config, out          string
	protocol, population string
	csv, roots           []string
	columns, only, by    []string
	via, meanBy          string
	jobs                 int
	strict, json, quiet  bool
	quality              bool
	pictures, rehearsal  bool
	publish              publishOptions
}

func newEvaluateCommand() *cobra.Command {
	o := evaluateOptions{}
	ofWebRTC := o.publish.flags()
	cmd := &cobra.Command{
		Use:   "evaluate (--csv FILE --root DIR | --protocol NAME --root DATASET=DIR) --out DIR",
		Short: "Measure error rates on labelled files or a benchmark", Long: evaluateHelp,
		Args: wantArgs(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, err := loadConfig(o.config, os.Environ())
			if err != nil {
				return usage(err)
			}
			if o.via != viaWebRTC {
				if err := refuseChanged(cmd, ofWebRTC, "--via webrtc"); err != nil {
					return err
				}
			}
			return o.run(cmd.Context(), cfg, cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.config, "config", "", "configuration file (YAML)")
	f.StringArrayVar(&o.csv, "csv", nil, "table of your own files; dev=FILE and eval=FILE for a table a set")
	f.StringArrayVar(&o.roots, "root", nil, "folder of the files; with --protocol DATASET=DIR, once for each dataset")
	f.StringArrayVar(&o.columns, "column", nil, "NAME=COLUMN: take another column of the table, such as subject=person")
	f.StringArrayVar(&o.only, "only", nil, "COLUMN=VALUE: only the rows of the table with this value")
	f.StringVar(&o.protocol, "protocol", "", "a benchmark protocol, or one fold of it")
	f.StringVar(&o.population, "population", string(benchmark.PopulationSplit), "of a leave-one-out setting: split, all-nodev or everything")
	f.StringArrayVar(&o.by, "by", nil, "column by which the report is grouped; may be repeated")
	f.StringVar(&o.meanBy, "mean-by", "", "column: pictures that share its value and their truth are one presentation with their mean score")
	f.StringVar(&o.out, "out", "", "folder for results and report")
	f.StringVar(&o.via, "via", viaDirect, "direct: the pipeline reads the files; webrtc: they are published to a server")
	f.IntVar(&o.jobs, "jobs", runtime.GOMAXPROCS(0), "files at once; with --via webrtc: files encoded at once, before --sessions are sent")
	f.BoolVar(&o.strict, "strict", false, "refuse repeated, looped and frozen pictures as live sessions do")
	f.BoolVar(&o.quality, "quality", false, "score also what the limits of quality refuse, and add error rates by each measure of quality")
	f.BoolVar(&o.rehearsal, "rehearsal", false, "add the section that is ordered as a laboratory's report is")
	f.BoolVar(&o.pictures, "pictures", false, "show thumbnails of the worst files in the report, which then holds pictures of persons")
	f.BoolVar(&o.json, "json", false, "print the report as JSON")
	f.BoolVarP(&o.quiet, "quiet", "q", false, "no progress")
	f.AddFlagSet(ofWebRTC)
	return cmd
}

// check reports every flag that is out of range.
func (o evaluateOptions) check() error {
	return check.Prefix("--", errors.Join(
		check.That("csv, --protocol", (len(o.csv) > 0) != (o.protocol != ""), "give one of them; see --help"),
		check.That("out", o.out != "", "a folder for the results is needed"),
		check.That("root", len(o.roots) > 0, "the folder of the files is needed"),
		check.OneOf("via", o.via, viaDirect, viaWebRTC),
		check.AtLeast("jobs", o.jobs, 1),
		check.That("quality", !o.quality || o.via != viaWebRTC, "only with --via direct: over WebRTC the server keeps its limits"),
	))
}

func (o evaluateOptions) run(ctx context.Context, cfg Config, out, errOut io.Writer) error {
	began := time.Now()
	if err := o.check(); err != nil {
		return usage(err)
	}
	plan, err := o.plan()
	if err != nil {
		return usage(err)
	}
	for _, warning := range plan.Warnings {
		fmt.Fprintln(errOut, "warning:", warning)
	}
	cfg.Log.Level = max(cfg.Log.Level, slog.LevelWarn) // the report is the output
	results, about, err := o.judge(ctx, cfg, plan, errOut)
	switch {
	case err != nil && ctx.Err() != nil:
		return &exitError{code: exitCanceled, err: errors.New("interrupted; run the same command again to continue")}
	case errors.Is(err, evaluation.ErrOutput):
		return fmt.Errorf("--out: %w%s", err, mendOutput(err, o.out))
	case err != nil:
		return err
	}
	about.Time = began
	return o.conclude(cfg, plan, results, about, out)
}

// failure is the error of a run in which some files could not be judged.
func failure(results []evaluation.Result) error {
	failed, first := 0, ""
	for _, r := range results {
		if r.Error == "" {
			continue
		}
		if failed++; failed == 1 {
			first = r.Error
		}
	}
	if failed == 0 {
		return nil
	}
	return &exitError{code: exitPartial, err: fmt.Errorf("%d of %d files could not be judged; they count with the score 0 or what was read of them. "+
		"The first: %s", failed, len(results), first)}
}
