package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/liveproof/liveproof/evaluation"
	"github.com/liveproof/liveproof/evaluation/robustness"
)

// sweep judges all files on all paths, one path after the other.
type sweep struct {
	robustnessOptions
	cfg       Config
	plan      evaluation.Plan
	encodings []robustness.Encoding
	errOut    io.Writer
	runs      robustness.Runs

	step, steps int             // paths
	took        []time.Duration // of the paths over WebRTC that this run judged
}

func newSweep(o robustnessOptions, cfg Config, plan evaluation.Plan, encodings []robustness.Encoding, errOut io.Writer) *sweep {
	return &sweep{
		robustnessOptions: o, cfg: cfg, plan: plan, encodings: encodings, errOut: errOut,
		runs:  robustness.Runs{Reencoded: map[robustness.Encoding][]evaluation.Result{}, WebRTC: map[robustness.Cell][]evaluation.Result{}},
		steps: 1 + len(encodings)*(1+len(o.losses)),
	}
}

// run reads directly first, which also encodes all files: so no encoder takes the CPU from sessions later.
func (s *sweep) run(ctx context.Context) (err error) {
	s.announce("original files, direct")
	if s.runs.Original, _, err = s.direct("original").judge(ctx, s.cfg, s.plan, s.errOut); err != nil {
		return err
	}
	for _, e := range s.encodings {
		if err := s.reencoded(ctx, e); err != nil {
			return err
		}
	}
	for _, e := range s.encodings {
		for _, loss := range s.losses {
			if err := s.published(ctx, e, loss); err != nil {
				return err
			}
		}
	}
	return nil
}

// reencoded reads the very clips that will be published.
func (s *sweep) reencoded(ctx context.Context, e robustness.Encoding) error {
	s.announce(e.String() + ", direct")
	plan, err := s.clips(ctx, e)
	if err != nil {
		return err
	}
	s.runs.Reencoded[e], _, err = s.direct(e.Name()+"-direct").judge(ctx, s.cfg, plan, s.errOut)
	return err
}

// clips are the files after the encoder. What cannot be encoded is left out here; over WebRTC it is told.
func (s *sweep) clips(ctx context.Context, e robustness.Encoding) (plan evaluation.Plan, err error) {
	p := s.cell(e, 0).publish
	store, err := openClipStore(p.cache, p.encoding(s.cfg))
	if err != nil {
		return plan, fmt.Errorf("%w: %w", evaluation.ErrOutput, err)
	}
	defer func() { err = errors.Join(err, store.close()) }()
	files := make([]string, len(s.plan.Presentations))
	for i, f := range s.plan.Presentations {
		files[i] = f.Path
	}
	bar := newPublishBar(files, s.evaluate.quiet, s.errOut)
	defer bar.close()
	plan = s.plan
	plan.Presentations = nil
	for i, f := range p.encodeAll(ctx, store, files, s.evaluate.jobs, bar) {
		switch {
		case mendOutput(f.err, "") != "": // of the folder, not of the file
			return plan, fmt.Errorf("%w: %w", evaluation.ErrOutput, f.err)
		case f.err == nil:
			clip := s.plan.Presentations[i]
			clip.Path = f.clip
			plan.Presentations = append(plan.Presentations, clip)
		}
	}
	return plan, ctx.Err()
}

// resumed paths take less time than this: they have their results already.
const resumed = 10 * time.Second

func (s *sweep) published(ctx context.Context, e robustness.Encoding, loss float64) (err error) {
	cell := robustness.Cell{Encoding: e, Loss: loss}
	s.announce(fmt.Sprintf("%s, WebRTC with a loss of %g %%", e, 100*loss))
	begun := time.Now()
	if s.runs.WebRTC[cell], _, err = s.cell(e, loss).judge(ctx, s.cfg, s.plan, s.errOut); err != nil {
		return err
	}
	if took := time.Since(begun); took > resumed {
		s.took = append(s.took, took)
	}
	return nil
}

// announce tells which path is next, and how long all that are left will take, by the mean of those that this run judged.
func (s *sweep) announce(path string) {
	s.step++
	if s.evaluate.quiet {
		return
	}
	text := fmt.Sprintf("%d of %d: %s", s.step, s.steps, path)
	if n := len(s.took); n > 0 {
		var sum time.Duration
		for _, d := range s.took {
			sum += d
		}
		left := sum / time.Duration(n) * time.Duration(s.steps-s.step+1)
		text += fmt.Sprintf(", %v left for all", left.Round(time.Minute))
	}
	fmt.Fprintln(s.errOut, text)
}
