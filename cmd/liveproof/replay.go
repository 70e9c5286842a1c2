package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"github.com/liveproof/liveproof"
	"github.com/liveproof/liveproof/media"
)

const replayHelp = `Judges video files through the pipeline that judges live streams: every sampled frame is
scored (lossless), time is the file's own. One line a file, in the order given.

  liveproof replay clip.mp4                       a table for people
  liveproof replay --json *.mp4 | jq .            one JSON object a line
  liveproof replay --json --samples clip.mp4      with ρ of every sample

"verdict" and "score" (smoothed ρ) are what a live session would have got; "mean_rho" is the
weighted mean over all scored frames, as benchmarks use it. Exit code 3: a file could not be judged.`

// replayOptions are the flags of `liveproof replay`.
type replayOptions struct {
	config        string
	json, samples bool
	mode          string
	jobs          int
	quiet         bool
}

func newReplayCommand() *cobra.Command {
	o := replayOptions{}
	cmd := &cobra.Command{
		Use: "replay [flags] FILE...", Short: "Judge video files through the live pipeline", Long: replayHelp,
		Args: wantArgs(cobra.MinimumNArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			cfg, err := loadConfig(o.config, os.Environ())
			if err != nil {
				return usage(err)
			}
			return o.run(cmd.Context(), cfg, args, cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.config, "config", "", "configuration file (YAML)")
	f.BoolVar(&o.json, "json", false, "one JSON object a line")
	f.BoolVar(&o.samples, "samples", false, "with --json: add the timeline, ρ of every sample")
	f.StringVar(&o.mode, "mode", string(liveproof.ModeOnboarding), "onboarding: the first verdict is final; call: the last one counts")
	f.IntVar(&o.jobs, "jobs", 2, "files judged at once")
	f.BoolVarP(&o.quiet, "quiet", "q", false, "no progress bar")
	return cmd
}

// replayLine is one file's result. Times are seconds of the file.
type replayLine struct {
	File      string                `json:"file"`
	Verdict   liveproof.Outcome     `json:"verdict"`
	Score     float64               `json:"score"`
	MeanRho   float64               `json:"mean_rho"`
	Reasons   []liveproof.Reason    `json:"reasons"`
	DecidedAt float64               `json:"decided_at"`
	Frames    liveproof.FrameCounts `json:"frames"`
	// Unscored counts samples that were not scored by their first reason.
	Unscored map[liveproof.Reason]int64 `json:"unscored,omitempty"`
	Model    liveproof.ModelInfo        `json:"model"`
	Detector string                     `json:"detector"`
	Samples  []sampleLine               `json:"samples,omitempty"`
	Error    string                     `json:"error,omitempty"`
}

type sampleLine struct {
	T       float64            `json:"t"`
	Scored  bool               `json:"scored"`
	Rho     float64            `json:"rho"`
	Weight  float64            `json:"weight"`
	Track   int                `json:"track"`
	Reasons []liveproof.Reason `json:"reasons,omitempty"`
}

func (o replayOptions) run(ctx context.Context, cfg Config, files []string, out, errOut io.Writer) (err error) {
	mode := liveproof.Mode(o.mode)
	if mode != liveproof.ModeOnboarding && mode != liveproof.ModeCall {
		return usage(fmt.Errorf("--mode: %q is not one of onboarding, call", o.mode))
	}
	if o.jobs < 1 {
		return usage(fmt.Errorf("--jobs: %d is out of range [1, ∞)", o.jobs))
	}
	cfg.Log.Level = max(cfg.Log.Level, 4) // warnings: the results are the output
	engine, err := openEngine(ctx, cfg, newLogger(cfg.Log, errOut), nil)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, engine.Close()) }()
	engineCtx, stop := context.WithCancel(context.WithoutCancel(ctx))
	var engineGroup errgroup.Group
	engineGroup.Go(func() error { return engine.Run(engineCtx) })
	failed, err := o.judgeAll(ctx, engine, files, newReplayPrinter(o, files, out, errOut))
	stop()
	err = errors.Join(err, engineGroup.Wait())
	switch {
	case ctx.Err() != nil:
		return &exitError{code: exitCanceled, err: errors.New("interrupted")}
	case err == nil && failed > 0:
		return &exitError{code: exitPartial, err: fmt.Errorf("%d of %d files could not be judged", failed, len(files))}
	}
	return err
}

// judgeAll judges o.jobs files at once and prints them in the order given.
func (o replayOptions) judgeAll(ctx context.Context, e *engine, files []string, p *replayPrinter) (failed int, err error) {
	lines := make([]chan replayLine, len(files))
	for i := range lines {
		lines[i] = make(chan replayLine, 1)
	}
	var group errgroup.Group
	group.Go(func() error {
		var err error
		for _, line := range lines {
			l := <-line
			if l.Error != "" {
				failed++
			}
			err = errors.Join(err, p.print(l))
		}
		return errors.Join(err, p.close())
	})
	var judges errgroup.Group
	judges.SetLimit(o.jobs)
	for i, file := range files {
		judges.Go(func() error {
			lines[i] <- o.judgeFile(ctx, e, file, p)
			return nil
		})
	}
	return failed, errors.Join(judges.Wait(), group.Wait())
}

// judgeFile never fails: what went wrong stands in the line, and the verdict is then inconclusive.
func (o replayOptions) judgeFile(ctx context.Context, e *engine, path string, p *replayPrinter) replayLine {
	line := replayLine{
		File: path, Verdict: liveproof.OutcomeInconclusive, Reasons: []liveproof.Reason{liveproof.ReasonInternalError},
		Model: e.Model(), Detector: e.Detector(),
	}
	if err := o.fill(ctx, e, path, p, &line); err != nil {
		line.Error = err.Error()
	}
	return line
}

func (o replayOptions) fill(ctx context.Context, e *engine, path string, p *replayPrinter, line *replayLine) (err error) {
	file, err := media.OpenFile(e.cfg.Media, path)
	if err != nil {
		line.Reasons = []liveproof.Reason{liveproof.ReasonUnsupportedMedia}
		return err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	model, err := e.scorer.Pin()
	if err != nil {
		return err
	}
	defer model.Release()
	line.Model = model.Info()
	info := liveproof.Session{ID: liveproof.SessionID(path), Mode: liveproof.Mode(o.mode)}
	session, err := e.session(e.cfg.Pipeline.Files(), info, model, p.follow(file, path), nil, nil)
	if err != nil {
		return err
	}
	v, err := session.Run(ctx)
	r := session.Report()
	line.Verdict, line.Score, line.Reasons, line.DecidedAt = v.Outcome, v.Score, v.Reasons, v.At.Seconds()
	line.MeanRho, line.Frames, line.Unscored = r.MeanRho, r.Counts, r.Unscored
	if o.samples {
		line.Samples = sampleLines(r.Samples)
	}
	return err
}

func sampleLines(samples []liveproof.Sample) []sampleLine {
	lines := make([]sampleLine, len(samples))
	for i, s := range samples {
		lines[i] = sampleLine{
			T: s.T.Round(time.Millisecond).Seconds(), Scored: s.Scored, Rho: s.Rho, Weight: s.Weight, Track: s.Track, Reasons: s.Reasons,
		}
	}
	return lines
}

// encode writes one JSON line.
func (l replayLine) encode(w io.Writer) error { return json.NewEncoder(w).Encode(l) }
