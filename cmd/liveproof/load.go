package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/pion/webrtc/v4"
	"github.com/pion/webrtc/v4/pkg/media"
	"github.com/pion/webrtc/v4/pkg/media/ivfreader"
	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"
)

const loadHelp = `Opens N live WebRTC sessions against a running server, each sending the same VP8
video at its own pace, and tells how many samples a second each of them got scored.
It answers "how many sessions does this machine hold": run it from another machine, or
mind that it shares this one's processors.

The video is an IVF file of VP8 that does not repeat itself (a loop counts as frozen and is
not scored); from any clip:

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
			return runLoad(cmd.Context(), o, args[0], cmd.OutOrStdout())
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.server, "server", "http://127.0.0.1:8080", "address of the server")
	f.StringVar(&o.apiKey, "api-key", os.Getenv("LIVEPROOF_API_KEY"), "API key (or LIVEPROOF_API_KEY)")
	f.IntVar(&o.sessions, "sessions", 1, "concurrent sessions")
	f.DurationVar(&o.stagger, "stagger", 200*time.Millisecond, "time between two sessions' starts")
	return cmd
}

// loadResult is what one session got.
type loadResult struct {
	Session   string  `json:"session"`
	Seconds   float64 `json:"seconds"`
	Sampled   int     `json:"sampled"`
	Scored    int     `json:"scored"`
	PerSecond float64 `json:"scored_per_second"`
	Outcome   string  `json:"verdict"`
}

func runLoad(ctx context.Context, o loadOptions, path string, out io.Writer) error {
	if o.sessions < 1 {
		return usage(fmt.Errorf("--sessions: %d is out of range [1, ∞)", o.sessions))
	}
	frames, err := readIVF(path)
	if err != nil {
		return usage(err)
	}
	results := make([]loadResult, o.sessions)
	group, ctx := errgroup.WithContext(ctx)
	for i := range results {
		group.Go(func() error {
			select {
			case <-time.After(time.Duration(i) * o.stagger):
			case <-ctx.Done():
				return context.Cause(ctx)
			}
			var err error
			results[i], err = o.session(ctx, frames)
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return err
	}
	return reportLoad(results, out)
}

func reportLoad(results []loadResult, out io.Writer) error {
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

type ivfFrame struct {
	data []byte
	at   time.Duration
}

func readIVF(path string) ([]ivfFrame, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	reader, header, err := ivfreader.NewWith(file)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if header.FourCC != "VP80" {
		return nil, fmt.Errorf("%s: codec %s, VP80 is needed", path, header.FourCC)
	}
	var frames []ivfFrame
	for {
		data, h, err := reader.ParseNextFrame()
		if errors.Is(err, io.EOF) {
			return frames, nil
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		frames = append(frames, ivfFrame{data: data, at: time.Duration(h.Timestamp) * time.Millisecond}) // the reader has applied the time base
	}
}

// session publishes the frames once, in real time, and reads back what was scored.
func (o loadOptions) session(ctx context.Context, frames []ivfFrame) (r loadResult, err error) {
	var made struct {
		ID          string `json:"id"`
		ClientToken string `json:"client_token"`
		WHIPURL     string `json:"whip_url"`
	}
	if err := o.call(ctx, http.MethodPost, "/v1/sessions", `{"mode":"call"}`, &made); err != nil {
		return r, err
	}
	p, err := newPublisher(http.DefaultClient, made.ClientToken, webrtc.MimeTypeVP8)
	if err != nil {
		return r, err
	}
	start := time.Now()
	err = p.publish(ctx, o.absolute(made.WHIPURL))
	if err == nil {
		start = time.Now()
		err = send(ctx, p.track, frames)
	}
	sent := time.Since(start).Seconds()
	err = errors.Join(err, p.close(context.WithoutCancel(ctx)))
	if err != nil {
		return r, err
	}
	return o.result(ctx, made.ID, sent)
}

// absolute resolves the server's URLs, which may be relative.
func (o loadOptions) absolute(u string) string {
	if strings.HasPrefix(u, "/") {
		return strings.TrimSuffix(o.server, "/") + u
	}
	return u
}

func send(ctx context.Context, track *webrtc.TrackLocalStaticSample, frames []ivfFrame) error {
	start := time.Now()
	for i, f := range frames {
		length := 33 * time.Millisecond
		if i+1 < len(frames) {
			length = frames[i+1].at - f.at
		}
		select {
		case <-time.After(time.Until(start.Add(f.at))):
		case <-ctx.Done():
			return context.Cause(ctx)
		}
		if err := track.WriteSample(media.Sample{Data: f.data, Duration: length}); err != nil {
			return err
		}
	}
	return nil
}

func (o loadOptions) result(ctx context.Context, id string, seconds float64) (loadResult, error) {
	var s struct {
		Verdict string `json:"verdict"`
		Frames  struct{ Sampled, Scored int }
	}
	if err := o.call(ctx, http.MethodGet, "/v1/sessions/"+id, "", &s); err != nil {
		return loadResult{}, err
	}
	return loadResult{
		Session: id, Seconds: seconds, Sampled: s.Frames.Sampled, Scored: s.Frames.Scored,
		PerSecond: float64(s.Frames.Scored) / seconds, Outcome: s.Verdict,
	}, nil
}

// call is one API request; a problem answer becomes the error.
func (o loadOptions) call(ctx context.Context, method, path, body string, into any) error {
	req, err := http.NewRequestWithContext(ctx, method, strings.TrimSuffix(o.server, "/")+path, bytes.NewBufferString(body))
	if err != nil {
		return usage(err)
	}
	req.Header.Set("Authorization", "Bearer "+o.apiKey)
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
	if err != nil {
		return err
	}
	if resp.StatusCode/100 != 2 {
		return fmt.Errorf("%s %s: %s: %s", method, path, resp.Status, raw)
	}
	return json.Unmarshal(raw, into)
}
