package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"github.com/schollz/progressbar/v3"
)

// replayPrinter writes results and, on a terminal, a progress bar over all files' bytes.
type replayPrinter struct {
	json  bool
	out   io.Writer
	bar   *progressbar.ProgressBar // nil without a terminal
	sizes map[string]int64         // bytes, by path

	mu    sync.Mutex
	begun bool
	read  map[string]int64 // bytes, by path
}

func newReplayPrinter(o replayOptions, files []string, out, errOut io.Writer) *replayPrinter {
	p := &replayPrinter{json: o.json, out: out, sizes: map[string]int64{}, read: map[string]int64{}}
	if f, ok := errOut.(*os.File); ok && !o.quiet && isTerminal(f) {
		p.bar = progressbar.NewOptions64(max(1, p.measure(files)), progressbar.OptionSetWriter(errOut),
			progressbar.OptionSetDescription("judging"), progressbar.OptionShowBytes(true),
			progressbar.OptionSetPredictTime(true), progressbar.OptionClearOnFinish())
	}
	return p
}

// measure remembers the files' sizes and returns their sum.
func (p *replayPrinter) measure(files []string) (total int64) {
	for _, path := range files {
		if info, err := os.Stat(path); err == nil {
			p.sizes[path] = info.Size()
			total += info.Size()
		}
	}
	return total
}

func (p *replayPrinter) print(l replayLine) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.bar != nil {
		_ = p.bar.Clear()
	}
	if p.json {
		return json.NewEncoder(p.out).Encode(l)
	}
	if !p.begun {
		p.begun = true
		fmt.Fprintf(p.out, "%-12s  %5s  %5s  %6s  %s%-32s  %s\n", "VERDICT", "SCORE", "MEAN", "SCORED", l.WebRTC.heading(), "REASONS", "FILE")
	}
	reasons := make([]string, len(l.Reasons))
	for i, r := range l.Reasons {
		reasons[i] = string(r)
	}
	_, err := fmt.Fprintf(p.out, "%-12s  %5.3f  %5.3f  %6d  %s%-32s  %s\n",
		l.Verdict, l.Score, l.MeanRho, l.Frames.Scored, l.WebRTC.column(), strings.Join(reasons, ","), filepath.Base(l.File))
	if l.Error != "" {
		_, err = fmt.Fprintf(p.out, "%14s%s\n", "", l.Error)
	}
	return err
}

func (p *replayPrinter) close() error {
	if p.bar == nil {
		return nil
	}
	return p.bar.Finish()
}

// follow moves the bar as the file is read; several files are read at once.
func (p *replayPrinter) follow(path string, share float64) {
	if p.bar == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if at := int64(share * float64(p.sizes[path])); at > p.read[path] {
		_ = p.bar.Add64(at - p.read[path])
		p.read[path] = at
	}
}
