package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/liveproof/liveproof"
	"github.com/liveproof/liveproof/internal/check"
	"github.com/liveproof/liveproof/publish"
)

const loadHelp = `Opens N live WebRTC sessions against a running server, each sending the same VP8
video in real time, and prints how many samples per second were scored in each of them.
It answers "how many sessions can this machine run": start it on another machine, as it
otherwise takes processor time from the server.

The sessions are calls. A call that stands at live is sampled less; to measure what the server
holds at the full rate, start it with LIVEPROOF_PIPELINE_RELAXED_RATE=60.

The video is an IVF file of VP8 that does not repeat itself (a loop counts as frozen and is
not scored). To make one from any clip:

  ffmpeg -i clip.mp4 -vf scale=640:480 -r 30 -c:v libvpx -b:v 1M \
         -deadline realtime -cpu-used 8 clip.ivf
  liveproof load --api-key KEY --sessions 10 clip.ivf`

// loadOptions are the flags of `liveproof load`.
type loadOptions struct {
	server, apiKey string
	sessions       int
	stagger        time.Duration
}

func newLoadCommand() *cobra.Command {
	o := loadOptions{}
	cmd := &cobra.Command{
		Use:   "load [flags] VIDEO.ivf",
		Short: "Open many live sessions against a server and measure what they get",
		Long:  loadHelp,
		Args:  wantArgs(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			return o.run(cmd.Context(), args[0], cmd.OutOrStdout())
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.server, "server", "http://127.0.0.1:8080", "address of the server")
	f.StringVar(&o.apiKey, "api-key", os.Getenv("LIVEPROOF_API_KEY"), "API key (or LIVEPROOF_API_KEY)")
	f.IntVar(&o.sessions, "sessions", 1, "concurrent sessions")
	f.DurationVar(&o.stagger, "stagger", 200*time.Millisecond, "time between two sessions' starts")
	return cmd
}

func (o loadOptions) run(ctx context.Context, path string, out io.Writer) error {
	load := publish.Options{
		Client: publish.Client{Server: o.server, APIKey: o.apiKey},
		Mode:   liveproof.ModeCall, Sessions: o.sessions, Stagger: o.stagger,
	}
	if err := check.Prefix("--", load.Validate()); err != nil {
		return usage(err)
	}
	clip, err := publish.ReadIVF(path)
	if err != nil {
		return usage(err)
	}
	results, err := publish.Run(ctx, load, clip)
	if err != nil {
		return err
	}
	return printLoad(results, out)
}

func printLoad(results []publish.Result, out io.Writer) error {
	enc := json.NewEncoder(out)
	rates := make([]float64, 0, len(results))
	for _, r := range results {
		rates = append(rates, r.PerSecond)
		if err := enc.Encode(r); err != nil {
			return err
		}
	}
	slices.Sort(rates)
	_, err := fmt.Fprintf(out, "sessions %d, scored samples a second: min %.2f median %.2f\n",
		len(rates), rates[0], rates[len(rates)/2])
	return err
}
