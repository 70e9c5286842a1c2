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

// listProgress draws a bar on a terminal and writes a line now and then elsewhere.
type listProgress struct {
	doing, things  string   // such as extracting, videos
	out            *os.File // the terminal; nil without one
	lines          io.Writer
	bar            *progressbar.ProgressBar // nil before the first call of show
	began, written time.Time
}

// advance is how far a list has been worked through.
type advance struct {
	total, done int
	skipped     int                                // of done: no work was needed for them
	extra       func(elapsed time.Duration) string // what else a line says; may be nil
}

func newListProgress(doing, things string, errOut io.Writer) *listProgress {
	now := time.Now()
	p := &listProgress{doing: doing, things: things, lines: errOut, began: now, written: now}
	if f, ok := errOut.(*os.File); ok && isTerminal(f) {
		p.out = f
	}
	return p
}

// show is called at the start and after each thing, one call at a time.
func (p *listProgress) show(now advance) {
	switch {
	case p.out != nil:
		if p.bar == nil {
			p.bar = progressbar.NewOptions(now.total, progressbar.OptionSetWriter(p.out), progressbar.OptionSetDescription(p.doing),
				progressbar.OptionShowCount(), progressbar.OptionShowIts(), progressbar.OptionSetItsString(p.things),
				progressbar.OptionSetPredictTime(true), progressbar.OptionClearOnFinish())
		}
		_ = p.bar.Set(now.done)
	case time.Since(p.written) >= reportEvery:
		p.written = time.Now()
		fmt.Fprintln(p.lines, p.line(now, time.Since(p.began)))
	}
}

// line says how much is done and how long the rest will take.
func (p *listProgress) line(now advance, elapsed time.Duration) string {
	worked := now.done - now.skipped
	text := fmt.Sprintf("%s: %d of %d %s", p.doing, now.done, now.total, p.things)
	if worked == 0 || elapsed <= 0 {
		return text
	}
	if now.extra != nil {
		text += ", " + now.extra(elapsed)
	}
	left := time.Duration(float64(elapsed) / float64(worked) * float64(now.total-now.done))
	return fmt.Sprintf("%s, %v left", text, left.Round(time.Second))
}

func (p *listProgress) close() {
	if p.bar != nil {
		_ = p.bar.Finish()
	}
}

// extractAdvance is the progress of an extraction.
func extractAdvance(now extract.Progress) advance {
	return advance{now.Total, now.Done, now.Skipped, func(elapsed time.Duration) string {
		return fmt.Sprintf("%.1f crops/s", float64(now.Crops)/elapsed.Seconds())
	}}
}
