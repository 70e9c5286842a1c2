package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"slices"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/liveproof/liveproof/evaluation"
	"github.com/liveproof/liveproof/evaluation/robustness"
	"github.com/liveproof/liveproof/internal/check"
)

const robustnessHelp = `Measures what encoders, WebRTC and lossy networks change of the results of labelled videos. Each video
is judged directly, directly after each encoder, and over WebRTC in real time for each encoder and
loss of packets, by a server inside this program.

  liveproof robustness --csv files.csv --root videos --out results
  liveproof robustness --csv files.csv --root videos --out results \
      --codec vp8,h264 --bitrate 300k,600k,1.2M --loss 0,0.02,0.05,0.1,0.2
  liveproof robustness --parity --csv files.csv --root videos --out results   only what WebRTC itself changes

The table is that of "liveproof evaluate --csv". DIR gets robustness.txt, .md, .json and .svg: for each cell the
mean of |Δρ| from the direct run of the original files, the HTER at the model's threshold, the changes
of verdicts and the share of videos without one. Single pictures are left out.

A cell takes the sum of the videos' lengths divided by --sessions, or less: a session ends with its verdict. Take no
more sessions than the machine can judge at once: the column overload counts samples that it had no CPU time for. Lost
packets are sent again: give --delay (such as 40ms) for a round trip as in a real network. After a kill the same command continues; results are kept in a folder for each cell, and encoded
files in DIR/clips. Exit code 3: some files could not be judged.`

// robustnessOptions are the flags of `liveproof robustness`. Every path is an evaluation of its own.
type robustnessOptions struct {
	evaluate                  evaluateOptions
	parity                    bool
	losses                    []float64
	bitrates, codecs, presets []string
}

func newRobustnessCommand() *cobra.Command {
	o := robustnessOptions{}
	cmd := &cobra.Command{
		Use:   "robustness --csv FILE --root DIR --out DIR",
		Short: "Measure what encoders, WebRTC and lossy networks change", Long: robustnessHelp,
		Args: wantArgs(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, err := loadConfig(o.evaluate.config, os.Environ())
			if err != nil {
				return usage(err)
			}
			if o.parity && cmd.Flags().Changed("loss") {
				return usage(errors.New("--parity, --loss: give one of them; --parity is --loss 0"))
			}
			if o.parity {
				o.losses = []float64{0}
			}
			return o.run(cmd.Context(), cfg, cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	f := cmd.Flags()
	o.addFileFlags(f)
	f.BoolVar(&o.parity, "parity", false, "no loss of packets: compare WebRTC with the direct run")
	f.Float64SliceVar(&o.losses, "loss", []float64{0, .02, .05, .1, .2}, "shares of the packets that are lost in each direction")
	f.StringSliceVar(&o.codecs, "codec", []string{"vp8", "h264"}, "vp8, h264")
	f.StringSliceVar(&o.bitrates, "bitrate", []string{"300k", "600k", "1.2M"}, "bit/s of the encoded videos")
	f.StringSliceVar(&o.presets, "preset", []string{""}, `speeds of the encoder, see "liveproof replay --help"; empty: the default`)
	f.IntVar(&o.evaluate.publish.sessions, "sessions", runtime.GOMAXPROCS(0), "videos that are sent at once")
	return cmd
}

// addFileFlags adds the flags that evaluate and replay have too.
func (o *robustnessOptions) addFileFlags(f *pflag.FlagSet) {
	e := &o.evaluate
	sending := e.publish.flags()
	for _, name := range []string{"ramp", "longest-side", "key-frames", "max-duration", "burst", "jitter", "delay", "bandwidth", "network-seed"} {
		f.AddFlag(sending.Lookup(name))
	}
	f.StringVar(&e.config, "config", "", "configuration file (YAML)")
	f.StringArrayVar(&e.csv, "csv", nil, "table of the files, as of liveproof evaluate")
	f.StringArrayVar(&e.roots, "root", nil, "folder of the files")
	f.StringArrayVar(&e.columns, "column", nil, "NAME=COLUMN: take another column of the table, such as subject=person")
	f.StringArrayVar(&e.only, "only", nil, "COLUMN=VALUE: only the rows of the table with this value")
	f.StringVar(&e.out, "out", "", "folder for results and report")
	f.IntVar(&e.jobs, "jobs", runtime.GOMAXPROCS(0), "files read directly, or encoded, at once")
	f.BoolVar(&e.strict, "strict", false, "refuse repeated, looped and frozen pictures as live sessions do")
	f.BoolVar(&e.json, "json", false, "print the report as JSON")
	f.BoolVarP(&e.quiet, "quiet", "q", false, "no progress")
}

// encodings are the combinations of the flags.
func (o robustnessOptions) encodings() ([]robustness.Encoding, error) {
	var rates []int
	for _, text := range o.bitrates {
		var b bitrate
		if err := b.Set(text); err != nil {
			return nil, fmt.Errorf("--bitrate: %w", err)
		}
		rates = append(rates, int(b))
	}
	return robustness.Encodings(o.codecs, o.presets, rates), nil
}

// check reports every flag that is out of range.
func (o robustnessOptions) check(cfg Config, encodings []robustness.Encoding) error {
	e := o.evaluate
	errs := []error{
		check.That("csv", len(e.csv) > 0, "a table of the files is needed; see --help"),
		check.That("root", len(e.roots) > 0, "the folder of the files is needed"),
		check.That("out", e.out != "", "a folder for the results is needed"),
		check.AtLeast("jobs", e.jobs, 1),
		check.That("loss", len(o.losses) > 0 && len(encodings) > 0, "a value is needed for each of --loss, --codec, --bitrate and --preset"),
		check.That("loss", distinct(o.losses) && distinct(encodings), "a value of --loss, --codec, --bitrate or --preset comes twice"),
	}
	for _, encoding := range encodings {
		for _, loss := range o.losses {
			if err := o.cell(encoding, loss).publish.validate(cfg); err != nil {
				return check.Prefix("--", errors.Join(append(errs, err)...)) // the others would be the same in other words
			}
		}
	}
	return check.Prefix("--", errors.Join(errs...))
}

func distinct[T comparable](list []T) bool {
	seen := map[T]bool{}
	for _, v := range list {
		seen[v] = true
	}
	return len(seen) == len(list)
}

// cell is the evaluation over WebRTC of one cell.
func (o robustnessOptions) cell(e robustness.Encoding, loss float64) evaluateOptions {
	cell := o.evaluate
	cell.via, cell.out = viaWebRTC, filepath.Join(o.evaluate.out, robustness.Cell{Encoding: e, Loss: loss}.Name())
	p := &cell.publish
	p.codec, p.preset, p.bitrate, p.network.Loss = e.Codec, e.Preset, bitrate(e.Bitrate), loss
	p.cache = filepath.Join(o.evaluate.out, "clips")
	return cell
}

// direct is the evaluation of files that the pipeline reads itself.
func (o robustnessOptions) direct(name string) evaluateOptions {
	direct := o.evaluate
	direct.via, direct.out = viaDirect, filepath.Join(o.evaluate.out, name)
	return direct
}

func (o robustnessOptions) run(ctx context.Context, cfg Config, out, errOut io.Writer) error {
	encodings, err := o.encodings()
	if err == nil {
		err = o.check(cfg, encodings)
	}
	if err != nil {
		return usage(err)
	}
	plan, err := o.plan(errOut)
	if err != nil {
		return usage(err)
	}
	cfg.Log.Level = max(cfg.Log.Level, slog.LevelWarn) // the report is the output
	s := newSweep(o, cfg, plan, encodings, errOut)
	err = s.run(ctx)
	switch {
	case err != nil && ctx.Err() != nil:
		return &exitError{code: exitCanceled, err: errors.New("interrupted; run the same command again to continue")}
	case errors.Is(err, evaluation.ErrOutput):
		return fmt.Errorf("--out: %w%s", err, mendOutput(err, o.evaluate.out))
	case err != nil:
		return err
	}
	return o.conclude(cfg, plan, s, out)
}

// plan says which videos are judged.
func (o robustnessOptions) plan(errOut io.Writer) (evaluation.Plan, error) {
	plan, err := o.evaluate.plan()
	if err != nil {
		return plan, err
	}
	for _, warning := range plan.Warnings {
		fmt.Fprintln(errOut, "warning:", warning)
	}
	all := len(plan.Presentations)
	plan.Presentations = slices.DeleteFunc(plan.Presentations, func(p evaluation.Presentation) bool { return isStill(p.Path) })
	if left := all - len(plan.Presentations); left > 0 {
		fmt.Fprintf(errOut, "warning: %d single pictures are left out, because only videos can be published\n", left)
	}
	if len(plan.Presentations) == 0 {
		return plan, errors.New("--csv: it has no video")
	}
	return plan, nil
}
