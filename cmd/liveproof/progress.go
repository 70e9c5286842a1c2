package main

import (
	"fmt"
	"io"
	"os"
	"time"

	"github.com/schollz/progressbar/v3"

	"github.com/liveproof/liveproof/extract"
)

// reportEvery is how often progress is reported where there is no terminal to draw on.
const reportEvery = 30 * time.Second

// videoProgress draws a bar on a terminal and writes a line now and then elsewhere.
type videoProgress struct {
	out            *os.File // the terminal; nil without one
	lines          io.Writer
	bar            *progressbar.ProgressBar // nil before the first call of show
	began, written time.Time
}

func newVideoProgress(errOut io.Writer) *videoProgress {
	now := time.Now()
	p := &videoProgress{lines: errOut, began: now, written: now}
	if f, ok := errOut.(*os.File); ok && isTerminal(f) {
		p.out = f
	}
	return p
}

// show is called at the start and after each video, one call at a time.
func (p *videoProgress) show(now extract.Progress) {
	switch {
	case p.out != nil:
		if p.bar == nil {
			p.bar = progressbar.NewOptions(now.Total, progressbar.OptionSetWriter(p.out), progressbar.OptionSetDescription("extracting"),
				progressbar.OptionShowCount(), progressbar.OptionShowIts(), progressbar.OptionSetItsString("videos"),
				progressbar.OptionSetPredictTime(true), progressbar.OptionClearOnFinish())
		}
		_ = p.bar.Set(now.Done)
	case time.Since(p.written) >= reportEvery:
		p.written = time.Now()
		fmt.Fprintln(p.lines, progressLine(now, time.Since(p.began)))
	}
}

// progressLine says how much is done and how long the rest will take.
func progressLine(now extract.Progress, elapsed time.Duration) string {
	worked := now.Done - now.Skipped
	text := fmt.Sprintf("extracting: %d of %d videos", now.Done, now.Total)
	if worked == 0 || elapsed <= 0 {
		return text
	}
	left := time.Duration(float64(elapsed) / float64(worked) * float64(now.Total-now.Done))
	return fmt.Sprintf("%s, %.1f crops/s, %v left", text, float64(now.Crops)/elapsed.Seconds(), left.Round(time.Second))
}

func (p *videoProgress) close() {
	if p.bar != nil {
		_ = p.bar.Finish()
	}
}
