package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"github.com/schollz/progressbar/v3"

	"github.com/liveproof/liveproof"
	"github.com/liveproof/liveproof/media"
)

// replayPrinter writes results and, on a terminal, a progress bar over all files' bytes.
type replayPrinter struct {
	json bool
	out  io.Writer
	bar  *progressbar.ProgressBar // nil without a terminal

	mu    sync.Mutex
	begun bool
}

func newReplayPrinter(o replayOptions, files []string, out, errOut io.Writer) *replayPrinter {
	p := &replayPrinter{json: o.json, out: out}
	if f, ok := errOut.(*os.File); ok && !o.quiet && isTerminal(f) {
		p.bar = progressbar.NewOptions64(totalBytes(files), progressbar.OptionSetWriter(errOut),
			progressbar.OptionSetDescription("judging"), progressbar.OptionShowBytes(true),
			progressbar.OptionSetPredictTime(true), progressbar.OptionClearOnFinish())
	}
	return p
}

func totalBytes(files []string) (total int64) {
	for _, f := range files {
		if info, err := os.Stat(f); err == nil {
			total += info.Size()
		}
	}
	return max(total, 1)
}

func (p *replayPrinter) print(l replayLine) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.bar != nil {
		_ = p.bar.Clear()
	}
	if p.json {
		return l.encode(p.out)
	}
	if !p.begun {
		p.begun = true
		fmt.Fprintf(p.out, "%-12s  %5s  %5s  %6s  %-32s  %s\n", "VERDICT", "SCORE", "MEAN", "SCORED", "REASONS", "FILE")
	}
	reasons := make([]string, len(l.Reasons))
	for i, r := range l.Reasons {
		reasons[i] = string(r)
	}
	_, err := fmt.Fprintf(p.out, "%-12s  %5.3f  %5.3f  %6d  %-32s  %s\n",
		l.Verdict, l.Score, l.MeanRho, l.Frames.Scored, strings.Join(reasons, ","), filepath.Base(l.File))
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

// follow moves the bar as file is read.
func (p *replayPrinter) follow(file *media.File, path string) mediaSource {
	if p.bar == nil {
		return file
	}
	return &followed{File: file, printer: p, size: totalBytes([]string{path})}
}

type followed struct {
	*media.File
	printer *replayPrinter
	size    int64
	seen    int64
}

// Next implements pipeline.Source.
func (f *followed) Next(ctx context.Context) (liveproof.Picture, error) {
	picture, err := f.File.Next(ctx)
	if at := int64(f.Progress() * float64(f.size)); at > f.seen {
		f.printer.mu.Lock()
		_ = f.printer.bar.Add64(at - f.seen)
		f.printer.mu.Unlock()
		f.seen = at
	}
	return picture, err
}
