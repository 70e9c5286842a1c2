package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/liveproof/liveproof/engine"
	"github.com/liveproof/liveproof/evaluation"
	"github.com/liveproof/liveproof/evaluation/report"
)

// judge judges the plan's files on the path that was chosen.
func (o evaluateOptions) judge(ctx context.Context, cfg Config, plan evaluation.Plan, errOut io.Writer) (
	results []evaluation.Result, about report.About, err error,
) {
	e, err := engine.Open(ctx, cfg.engine(), engine.Deps{Log: newLogger(cfg.Log, errOut)})
	if err != nil {
		return nil, about, err
	}
	defer func() { err = errors.Join(err, e.Close()) }()
	do, err := o.options(cfg, e)
	if err != nil {
		return nil, about, err
	}
	if !o.quiet {
		progress := newListProgress("judging", "files", errOut)
		defer progress.close()
		do.Progress = func(now evaluation.Progress) { progress.show(evaluateAdvance(now)) }
	}
	running, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	var group errgroup.Group
	group.Go(func() error { return e.Run(running) })
	results, err = evaluation.Run(ctx, plan, directJudge{e, o.strict}, do)
	stop()
	return results, o.about(cfg, e, do.Settings), errors.Join(err, group.Wait())
}

// options say with what the files are judged.
func (o evaluateOptions) options(cfg Config, e *engine.Engine) (evaluation.Options, error) {
	sum, err := configHash(cfg.engine())
	checks := "frozen, repeated and looped pictures are scored"
	if o.strict {
		checks = "all"
	}
	return evaluation.Options{Out: o.out, Jobs: o.jobs, Settings: evaluation.Settings{
		Via: evaluation.Via(o.via), Model: e.Model().SHA256, Detector: e.Detector() + " " + e.Network(), Config: sum, Checks: checks,
	}}, err
}

// configHash is the SHA-256 of all that decides how a file is judged, but for the folders of models.
func configHash(cfg engine.Config) (string, error) {
	cfg.Models = engine.Config{}.Models
	text, err := json.Marshal(cfg)
	if err != nil {
		return "", fmt.Errorf("configuration: %w", err)
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:]), nil
}

// evaluateAdvance is the progress of an evaluation.
func evaluateAdvance(now evaluation.Progress) advance {
	a := advance{total: now.Total, done: now.Done, skipped: now.Skipped}
	if now.Failed > 0 {
		a.extra = func(time.Duration) string { return fmt.Sprintf("%d failed", now.Failed) }
	}
	return a
}
