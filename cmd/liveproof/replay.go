package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"golang.org/x/sync/errgroup"

	"github.com/liveproof/liveproof"
	"github.com/liveproof/liveproof/engine"
	"github.com/liveproof/liveproof/internal/check"
)

const replayHelp = `Judges video files. Prints one line per file, in the order given.

  liveproof replay clip.mp4                       a table for people
  liveproof replay --json *.mp4 | jq .            one JSON object per line
  liveproof replay --json --samples clip.mp4      with ρ of every sample

By default files go straight through the pipeline that judges live streams: every sampled frame is scored, no frame
is dropped, and the time is the file's own. With --via webrtc each file is encoded as a camera's video would be, and
published in real time over WebRTC to the whole live system, which may lose, delay and drop frames:

  liveproof replay --via webrtc clip.mp4                                       a server inside this program
  liveproof replay --via webrtc --codec h264 --bitrate 600k --sessions 4 *.mp4 four at once
  liveproof replay --via webrtc --signalling websocket --mode call clip.mp4    as the web component sends it
  liveproof replay --via webrtc --server http://127.0.0.1:8080 --api-key KEY clip.mp4
  liveproof replay --via webrtc --loss 0.02 --jitter 20ms clip.mp4             over a bad network

"verdict" and "score" (smoothed ρ) are those that a live session got or would have got; "mean_rho" is the
weighted mean over all scored frames, as benchmarks use it. Exit code 3: a file could not be judged.`

// replayOptions are the flags of `liveproof replay`.
type replayOptions struct {
	config        string
	json, samples bool
	mode          string
	jobs          int
	quiet         bool
	via           string
	publish       publishOptions
}

// The values of --via.
const (
	viaDirect = "direct"
	viaWebRTC = "webrtc"
)

func newReplayCommand() *cobra.Command {
	o := replayOptions{}
	ofWebRTC := o.publish.flags()
	cmd := &cobra.Command{
		Use: "replay [flags] FILE...", Short: "Judge video files through the live pipeline, or through the whole live system", Long: replayHelp,
		Args: wantArgs(cobra.MinimumNArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			cfg, err := loadConfig(o.config, os.Environ())
			if err != nil {
				return usage(err)
			}
			if o.via != viaWebRTC {
				if err := refuseChanged(cmd, ofWebRTC, "--via webrtc"); err != nil {
					return err
				}
			}
			return o.run(cmd.Context(), cfg, args, cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.config, "config", "", "configuration file (YAML)")
	f.BoolVar(&o.json, "json", false, "one JSON object a line")
	f.BoolVar(&o.samples, "samples", false, "with --json: add the timeline, ρ of every sample")
	f.StringVar(&o.mode, "mode", string(liveproof.ModeOnboarding), "onboarding: the first verdict is final; call: the last one counts")
	f.IntVar(&o.jobs, "jobs", 2, "files judged at once; with --via webrtc: files encoded at once")
	f.BoolVarP(&o.quiet, "quiet", "q", false, "no progress bar")
	f.StringVar(&o.via, "via", viaDirect, "direct: straight through the pipeline; webrtc: over WebRTC through a server")
	f.AddFlagSet(ofWebRTC)
	return cmd
}

// refuseChanged refuses flags of a set that were given without what they need.
func refuseChanged(cmd *cobra.Command, set *pflag.FlagSet, need string) (err error) {
	cmd.Flags().Visit(func(f *pflag.Flag) { // those that were given
		if set.Lookup(f.Name) != nil {
			err = errors.Join(err, usage(fmt.Errorf("--%s needs %s", f.Name, need)))
		}
	})
	return err
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
	// Threshold judged; nil when the file could not be opened.
	Threshold *liveproof.Threshold `json:"threshold"`
	Detector  string               `json:"detector"`
	Samples   []sampleLine         `json:"samples,omitempty"`
	WebRTC    *webrtcLine          `json:"webrtc,omitempty"`
	Error     string               `json:"error,omitempty"`
}

type sampleLine struct {
	T       float64            `json:"t"`
	Scored  bool               `json:"scored"`
	Rho     float64            `json:"rho"`
	Weight  float64            `json:"weight"`
	Track   int                `json:"track"`
	Quant   float64            `json:"quantiser,omitempty"`
	Signals map[string]float64 `json:"signals,omitempty"`
	Reasons []liveproof.Reason `json:"reasons,omitempty"`
}

func (o replayOptions) run(ctx context.Context, cfg Config, files []string, out, errOut io.Writer) error {
	if err := o.validate(cfg); err != nil {
		return usage(check.Prefix("--", err))
	}
	how := o.direct
	if o.via == viaWebRTC {
		how = o.webrtc
	}
	failed, err := how(ctx, cfg, files, out, errOut)
	switch {
	case ctx.Err() != nil:
		return &exitError{code: exitCanceled, err: errors.New("interrupted")}
	case err == nil && failed > 0:
		return &exitError{code: exitPartial, err: fmt.Errorf("%d of %d files could not be judged", failed, max(failed, len(files)))}
	}
	return err
}

func (o replayOptions) validate(cfg Config) error {
	errs := []error{
		check.OneOf("mode", o.mode, string(liveproof.ModeOnboarding), string(liveproof.ModeCall)),
		check.OneOf("via", o.via, viaDirect, viaWebRTC),
		check.AtLeast("jobs", o.jobs, 1),
	}
	if o.via == viaWebRTC {
		errs = append(errs, o.publish.validate(cfg))
	}
	return errors.Join(errs...)
}

// direct judges the files through the engine alone.
func (o replayOptions) direct(ctx context.Context, cfg Config, files []string, out, errOut io.Writer) (failed int, err error) {
	cfg.Log.Level = max(cfg.Log.Level, slog.LevelWarn) // the results are the output
	judge, err := engine.Open(ctx, cfg.engine(), engine.Deps{Log: newLogger(cfg.Log, errOut)})
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, judge.Close()) }()
	return o.judge(ctx, judge, files, newReplayPrinter(o, files, out, errOut))
}

// judge runs the engine until all files are judged and printed.
func (o replayOptions) judge(ctx context.Context, e *engine.Engine, files []string, p *replayPrinter) (failed int, err error) {
	running, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	var group errgroup.Group
	group.Go(func() error { return e.Run(running) })
	e.JudgeFiles(ctx, files, o.jobs, func(judged engine.Judged) {
		if judged.Err != nil {
			failed++
		}
		err = errors.Join(err, p.print(o.line(judged)))
	}, engine.As(liveproof.Mode(o.mode)), engine.Following(p.follow))
	stop()
	return failed, errors.Join(err, p.close(), group.Wait())
}

func (o replayOptions) line(judged engine.Judged) replayLine {
	v := judged.Verdict
	line := replayLine{
		File: judged.Path, Verdict: v.Outcome, Score: v.Score, MeanRho: judged.MeanRho, Reasons: v.Reasons, DecidedAt: v.At.Seconds(),
		Frames: judged.Counts, Unscored: judged.Unscored, Model: judged.Model, Detector: judged.Detector,
	}
	if judged.Threshold.Valid() {
		line.Threshold = &judged.Threshold
	}
	if o.samples {
		line.Samples = sampleLines(judged.Samples)
	}
	if judged.Err != nil {
		line.Error = judged.Err.Error()
	}
	return line
}

func sampleLines(samples []liveproof.Sample) []sampleLine {
	lines := make([]sampleLine, len(samples))
	for i, s := range samples {
		lines[i] = sampleLine{
			T: s.T.Round(time.Millisecond).Seconds(), Scored: s.Scored, Rho: s.Rho, Weight: s.Weight, Track: s.Track, Quant: s.Quantiser,
			Signals: s.Signals, Reasons: s.Reasons,
		}
	}
	return lines
}
