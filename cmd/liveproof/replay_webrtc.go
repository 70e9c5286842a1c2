package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"

	"github.com/schollz/progressbar/v3"

	"github.com/liveproof/liveproof"
	"github.com/liveproof/liveproof/publish"
)

// webrtcLine is what a result over WebRTC has more than a direct one.
type webrtcLine struct {
	Session    string `json:"session"`
	State      string `json:"state"`
	Codec      string `json:"codec"` // VP8 or H264
	Signalling string `json:"signalling"`
	Refused    bool   `json:"refused"`
	// Seconds for which media flowed.
	Seconds float64 `json:"seconds"`
	// SecondsToVerdict is the time from the first packet until the verdict could be read; 0 without a verdict before the clip's end.
	SecondsToVerdict float64 `json:"seconds_to_verdict"`
	PerSecond        float64 `json:"scored_per_second"`
	Sent             int64   `json:"sent"` // pictures
}

func (l *webrtcLine) heading() string {
	if l == nil {
		return ""
	}
	return fmt.Sprintf("%6s  ", "AFTER")
}

// column is the time to the verdict.
func (l *webrtcLine) column() string {
	switch {
	case l == nil:
		return ""
	case l.SecondsToVerdict == 0:
		return fmt.Sprintf("%6s  ", "–")
	}
	return fmt.Sprintf("%4.1f s  ", l.SecondsToVerdict)
}

// webrtc judges the files by publishing them.
func (o replayOptions) webrtc(ctx context.Context, cfg Config, files []string, out, errOut io.Writer) (failed int, err error) {
	printer := newReplayPrinter(replayOptions{json: o.json, quiet: true}, nil, out, errOut)
	bar := newPublishBar(files, o.quiet, errOut)
	var results []publish.Result
	var printing error
	err = o.publish.publishFiles(ctx, cfg, liveproof.Mode(o.mode), files, o.jobs, errOut, bar, func(p published) {
		if p.Err != nil && ctx.Err() != nil {
			return // interrupted, not judged
		}
		if p.Err != nil {
			failed++
		}
		results = append(results, p.Result)
		bar.clear()
		printing = errors.Join(printing, printer.print(o.webrtcLine(p)))
	})
	bar.close()
	err = errors.Join(err, printing)
	if ctx.Err() == nil && err == nil {
		err = printDistribution(results, o.summaryOut(out, errOut))
	}
	return failed, err
}

// summaryOut keeps the lines of JSON alone on standard output.
func (o replayOptions) summaryOut(out, errOut io.Writer) io.Writer {
	if o.json {
		return errOut
	}
	return out
}

func (o replayOptions) webrtcLine(p published) replayLine {
	r := p.Result
	line := replayLine{
		File: p.Path, Verdict: r.Outcome, Score: r.Score, MeanRho: r.MeanRho, Reasons: r.Reasons, Frames: r.Frames, Unscored: r.Unscored,
		Model: r.Model, Detector: r.Detector,
		WebRTC: &webrtcLine{
			Session: r.Session, State: string(r.State), Codec: string(r.Codec), Signalling: o.publish.signalling, Refused: r.Refused,
			Seconds: r.Seconds, SecondsToVerdict: r.SecondsToVerdict, PerSecond: r.PerSecond, Sent: r.Sent,
		},
	}
	if n := len(r.Samples); n > 0 && r.State == liveproof.StateDecided {
		line.DecidedAt = r.Samples[n-1].T.Seconds()
	}
	if o.samples {
		line.Samples = sampleLines(r.Samples)
	}
	if p.Err != nil {
		line.Error = p.Err.Error()
		line.Verdict, line.Reasons = liveproof.OutcomeInconclusive, []liveproof.Reason{}
	}
	return line
}

// printDistribution tells what the sessions got together.
func printDistribution(results []publish.Result, out io.Writer) error {
	d := publish.Summarize(results)
	if d.Sessions+d.Refused == 0 {
		return nil
	}
	_, err := fmt.Fprintf(out, "\nsessions %d: live %d, spoof %d, inconclusive %d; refused %d for lack of capacity, %d of them at last\n",
		d.Sessions, d.Verdicts[liveproof.OutcomeLive], d.Verdicts[liveproof.OutcomeSpoof], d.Verdicts[liveproof.OutcomeInconclusive],
		d.Refusals, d.Refused)
	_, more := fmt.Fprintf(out, "scored samples a second: min %.2f median %.2f max %.2f; scored %.0f %% of %d samples\n",
		d.PerSecond.Least, d.PerSecond.Median, d.PerSecond.Most, 100*d.ScoredShare, d.Sampled) //nolint:mnd // percent
	err = errors.Join(err, more)
	if d.Decided > 0 {
		_, more = fmt.Fprintf(out, "time to verdict of %d sessions: min %.2f median %.2f p95 %.2f s\n",
			d.Decided, d.ToVerdict.Least, d.ToVerdict.Median, d.ToVerdict.P95)
	}
	return errors.Join(err, more)
}

// publishBar shows on a terminal how far encoding is, then how far sending is.
type publishBar struct {
	out io.Writer // nil: shows nothing

	mu     sync.Mutex
	bar    *progressbar.ProgressBar
	shares map[string]float64 // by file or session
	files  int
}

func newPublishBar(files []string, quiet bool, errOut io.Writer) *publishBar {
	b := &publishBar{files: len(files)}
	if f, ok := errOut.(*os.File); ok && !quiet && isTerminal(f) {
		b.out = errOut
	}
	return b
}

// steps of the bar for each file or session.
const steps = 1000

// begin is called under the lock, except by the constructor.
func (b *publishBar) begin(what string, count int) {
	if b.bar != nil {
		_ = b.bar.Finish()
	}
	b.shares = map[string]float64{}
	b.bar = progressbar.NewOptions(max(1, count)*steps, progressbar.OptionSetWriter(b.out), progressbar.OptionSetDescription(what),
		progressbar.OptionSetPredictTime(true), progressbar.OptionSetElapsedTime(true), progressbar.OptionClearOnFinish())
}

func (b *publishBar) encoded(path string, share float64) { b.advance("encoding", path, share) }

func (b *publishBar) sent(session string, share float64) { b.advance("", session, share) }

func (b *publishBar) sending(sessions int) {
	if b.out == nil {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.begin(fmt.Sprintf("sending %d clips in real time", sessions), sessions)
}

func (b *publishBar) advance(begin, of string, share float64) {
	if b.out == nil {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.bar == nil {
		b.begin(begin, b.files)
	}
	if done := int(share*steps) - int(b.shares[of]*steps); done > 0 {
		b.shares[of] = share
		_ = b.bar.Add(done)
	}
}

// clear makes room for a line of the output.
func (b *publishBar) clear() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.bar != nil {
		_ = b.bar.Clear()
	}
}

func (b *publishBar) close() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.bar != nil {
		_ = b.bar.Finish()
	}
}
