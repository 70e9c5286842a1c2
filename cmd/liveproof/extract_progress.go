package main

import (
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"github.com/schollz/progressbar/v3"
)

// reportEvery is how often progress is told where there is no terminal to draw on.
const reportEvery = 30 * time.Second

// extractProgress draws a bar on a terminal and writes a line now and then elsewhere.
type extractProgress struct {
	bar *progressbar.ProgressBar // nil without a terminal
	out io.Writer                // nil when quiet

	mu                   sync.Mutex
	total, done, skipped int
	crops                int
	began, told          time.Time
}

func newExtractProgress(total int, quiet bool, errOut io.Writer) *extractProgress {
	p := &extractProgress{total: total, began: time.Now(), told: time.Now()}
	if quiet {
		return p
	}
	p.out = errOut
	if f, ok := errOut.(*os.File); ok && isTerminal(f) {
		p.bar = progressbar.NewOptions(total, progressbar.OptionSetWriter(errOut), progressbar.OptionSetDescription("extracting"),
			progressbar.OptionShowCount(), progressbar.OptionShowIts(), progressbar.OptionSetItsString("videos"),
			progressbar.OptionSetPredictTime(true), progressbar.OptionClearOnFinish())
	}
	return p
}

// skip counts a video that was done before; it says nothing about the speed.
func (p *extractProgress) skip() { p.count(1, 0) }

// add counts an extracted video.
func (p *extractProgress) add(crops int) { p.count(0, crops) }

func (p *extractProgress) count(skipped, crops int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.done, p.skipped, p.crops = p.done+1, p.skipped+skipped, p.crops+crops
	switch {
	case p.bar != nil:
		_ = p.bar.Add(1)
	case p.out != nil && time.Since(p.told) >= reportEvery:
		p.told = time.Now()
		fmt.Fprintln(p.out, p.line(time.Since(p.began)))
	}
}

// line tells how far it is and when it will end.
func (p *extractProgress) line(elapsed time.Duration) string {
	worked := p.done - p.skipped
	text := fmt.Sprintf("extracting: %d of %d videos", p.done, p.total)
	if worked == 0 || elapsed <= 0 {
		return text
	}
	left := time.Duration(float64(elapsed) / float64(worked) * float64(p.total-p.done))
	return fmt.Sprintf("%s, %.1f crops/s, %v left", text, float64(p.crops)/elapsed.Seconds(), left.Round(time.Second))
}

func (p *extractProgress) close() {
	if p.bar != nil {
		_ = p.bar.Finish()
	}
}
