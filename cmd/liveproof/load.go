package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/liveproof/liveproof"
	"github.com/liveproof/liveproof/internal/atomicfile"
	"github.com/liveproof/liveproof/internal/check"
	"github.com/liveproof/liveproof/publish"
)

const loadHelp = `Opens N live WebRTC sessions against a running server, each sending the same video in real time, and
prints how many samples per second were scored in each of them. It is replay --via webrtc with one file for all
sessions, and with a measurement of the server. It answers "how many sessions can this machine run": start it on
another machine, as it otherwise takes processor time from the server. Sessions for which the server has no
capacity are counted as refused.

  liveproof load --api-key KEY --sessions 10 clip.mp4
  liveproof load --api-key KEY --sessions 10 --window 20s --append results.jsonl clip.mp4

With --window the server is measured too, while all sessions send. Its metrics give its
CPU time, its memory and the time from a picture to its score; the server prints their
address when it starts (--metrics). The sessions end after the window. With --mode
onboarding each session ends with its verdict, and the time to it is printed: from the
first packet until the verdict could be read.

By default the sessions are calls. A call that stands at live is sampled less often. To
measure how many sessions the server can run at the full sampling rate, start it with
LIVEPROOF_PIPELINE_RELAXED_RATE=60.

With --chaos N it runs N short onboarding sessions through all servers of --nodes, while you kill servers, let Redis fail over
or break the network (--loss 0.2). Clients vanish or come to the wrong server. Afterwards each session is one line of
JSON, and what its client saw is compared with what every server reads from the store: a session that is lost, that
ends twice or differently, or that is live although it must not be (--never-live) makes the command fail.

  liveproof load --api-key KEY --chaos 1000 --sessions 8 --loss 0.2 --nodes https://a.example,https://b.example clip.mp4

The video must not repeat itself: a loop counts as frozen and is not scored. It is encoded once, as VP8 unless
--codec says otherwise. An IVF file of VP8 or H.264 is sent as it is.`

// loadOptions are the flags of `liveproof load`.
type loadOptions struct {
	publish                 publishOptions
	metrics, mode, appendTo string
	window                  publish.Window
	chaos                   chaosOptions
}

func newLoadCommand() *cobra.Command {
	o := loadOptions{}
	cmd := &cobra.Command{
		Use:   "load [flags] VIDEO",
		Short: "Open many live sessions against a server and measure what they get",
		Long:  loadHelp,
		Args:  wantArgs(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			return o.run(cmd.Context(), args[0], cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	f := cmd.Flags()
	f.AddFlagSet(o.publish.flags())
	// What differs from replay: there is no server inside this program, and a refusal is a result.
	setDefault(f.Lookup("server"), "http://127.0.0.1:8080", "address of the server")
	f.Lookup("api-key").Usage = "API key of the server (or LIVEPROOF_API_KEY)"
	setDefault(f.Lookup("sessions"), "1", "concurrent sessions, all with the same video")
	setDefault(f.Lookup("patience"), "0s", "how long a session is asked for again while the server has no capacity; 0: once")
	f.SetNormalizeFunc(func(_ *pflag.FlagSet, name string) pflag.NormalizedName {
		if name == "stagger" { // the flag's name before 0.2
			name = "ramp"
		}
		return pflag.NormalizedName(name)
	})
	f.StringVar(&o.metrics, "metrics", "http://127.0.0.1:9464/metrics", "with --window, address of the server's metrics (its ops.listen)")
	f.StringVar(&o.mode, "mode", string(liveproof.ModeCall), "call or onboarding")
	f.DurationVar(&o.window.Length, "window", 0, "measure the server for this time; 0: send the whole video and measure only the sessions")
	f.DurationVar(&o.window.Settle, "settle", 4*time.Second, "time from the last session's start to the window")
	o.chaos.addFlags(f)
	f.StringVar(&o.appendTo, "append", "", "append the summary to this file, as one line of JSON")
	return cmd
}

// setDefault changes a flag's default and what --help says of it.
func setDefault(f *pflag.Flag, value, help string) {
	_ = f.Value.Set(value) // a constant
	f.DefValue, f.Usage = value, help
}

func (o loadOptions) run(ctx context.Context, path string, out, errOut io.Writer) error {
	cfg := DefaultConfig()
	if err := check.Prefix("--", o.validate(cfg)); err != nil {
		return usage(err)
	}
	clip, err := o.clip(ctx, cfg, path, errOut)
	if err != nil {
		return usage(err)
	}
	load := o.publish.options(publish.Client{Server: o.publish.server, APIKey: o.publish.apiKey, Metrics: o.metrics}, liveproof.Mode(o.mode))
	if o.chaos.count > 0 {
		return o.runChaos(ctx, load, clip, out, errOut)
	}
	summary, results, err := o.measure(ctx, load, clip)
	if err != nil {
		return err
	}
	return errors.Join(printLoad(results, out), printSummary(summary, out), appendJSON(o.appendTo, summary))
}

func (o loadOptions) validate(cfg Config) error {
	errs := []error{
		o.publish.validate(cfg), o.validateChaos(), check.OneOf("mode", o.mode, string(liveproof.ModeCall), string(liveproof.ModeOnboarding)),
		check.That("metrics", publish.IsAddress(o.metrics), "%q is not an address such as http://127.0.0.1:9464/metrics", o.metrics),
	}
	if o.window.Length != 0 {
		errs = append(errs, o.window.Validate(),
			check.That("window", o.mode == string(liveproof.ModeCall), "needs --mode call, because an onboarding session ends at its verdict"))
	}
	return errors.Join(errs...)
}

// clip is the file's clip, encoded if need be.
func (o loadOptions) clip(ctx context.Context, cfg Config, path string, errOut io.Writer) (clip *publish.Clip, err error) {
	clips, err := openClipStore(o.publish.cache, o.publish.encoding(cfg))
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, clips.close()) }()
	bar := newPublishBar([]string{path}, false, errOut)
	defer bar.close()
	file := o.publish.encodeAll(ctx, clips, []string{path}, 1, bar)[0]
	if file.err != nil {
		return nil, file.err
	}
	return clips.load(file.clip)
}

// loadSummary is what `liveproof load` measured of all sessions together.
type loadSummary struct {
	At time.Time `json:"at"`
	*publish.Measurement
	Verdicts *publish.VerdictTimes `json:"verdicts,omitempty"`
}

func (o loadOptions) measure(ctx context.Context, load publish.Options, clip *publish.Clip) (loadSummary, []publish.Result, error) {
	summary := loadSummary{At: time.Now().UTC()}
	var results []publish.Result
	var err error
	if o.window.Length == 0 {
		results, err = publish.Load(ctx, load, clip)
	} else {
		summary.Measurement = new(publish.Measurement)
		results, *summary.Measurement, err = publish.Measure(ctx, load, o.window, clip)
	}
	if load.Mode == liveproof.ModeOnboarding {
		times := publish.SummarizeVerdicts(results)
		summary.Verdicts = &times
	}
	return summary, results, err
}

func printLoad(results []publish.Result, out io.Writer) error {
	enc := json.NewEncoder(out)
	rates := make([]float64, 0, len(results))
	for _, r := range results {
		if !r.Refused {
			rates = append(rates, r.PerSecond)
		}
		if err := enc.Encode(r); err != nil {
			return err
		}
	}
	if len(rates) == 0 {
		return errors.New("the server refused every session for lack of capacity")
	}
	slices.Sort(rates)
	_, err := fmt.Fprintf(out, "sessions %d, refused %d, scored samples a second: min %.2f median %.2f\n",
		len(rates), len(results)-len(rates), rates[0], rates[len(rates)/2])
	return err
}

func printSummary(s loadSummary, out io.Writer) (err error) {
	if m := s.Measurement; m != nil {
		_, err = fmt.Fprintf(out, "in a window of %.1f s, %d sessions: scored samples a second: least %.2f median %.2f total %.1f\n"+
			"latency p95 %.0f ms; server %.2f cores, %.4f a session; load generator %.2f, machine %.2f cores\n"+
			"memory %.0f MB idle, %.0f MB, %.1f MB a session\n",
			m.Seconds, m.Sessions, m.Least, m.Median, m.Total, m.LatencyP95, m.Server, m.ServerEach, m.Load, m.Machine,
			m.MemoryIdle, m.Memory, m.MemoryEach)
	}
	if v := s.Verdicts; v != nil {
		_, more := fmt.Fprintf(out, "time to verdict of %d sessions, %d without one, %d refused: median %.2f p95 %.2f worst %.2f s\n",
			v.Sessions, v.Undecided, v.Refused, v.Median, v.P95, v.Worst)
		err = errors.Join(err, more)
	}
	return err
}

// appendJSON appends v to a file as one line of JSON, whole or not at all; it does nothing without a path.
func appendJSON(path string, v any) error {
	if path == "" {
		return nil
	}
	line, err := json.Marshal(v)
	if err != nil {
		return err
	}
	return atomicfile.Append(path, append(line, '\n'))
}
