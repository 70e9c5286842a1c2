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

	"github.com/liveproof/liveproof/detector"
	"github.com/liveproof/liveproof/engine"
	"github.com/liveproof/liveproof/evaluation"
	"github.com/liveproof/liveproof/evaluation/report"
)

// judge judges the plan's files on the path that was chosen.
func (o evaluateOptions) judge(ctx context.Context, cfg Config, plan evaluation.Plan, errOut io.Writer) ([]evaluation.Result, report.About, error) {
	if o.via == viaWebRTC {
		return o.webrtc(ctx, cfg, plan, errOut)
	}
	return o.direct(ctx, cfg, plan, errOut)
}

// direct judges the files with an engine.
func (o evaluateOptions) direct(ctx context.Context, cfg Config, plan evaluation.Plan, errOut io.Writer) (
	results []evaluation.Result, about report.About, err error,
) {
	if o.quality {
		cfg.Detector.Quality = detector.Unlimited()
	}
	e, err := engine.Open(ctx, cfg.engine(), engine.Deps{Log: newLogger(cfg.Log, errOut)})
	if err != nil {
		return nil, about, err
	}
	defer func() { err = errors.Join(err, e.Close()) }()
	settings, err := o.settings(cfg, e.Model().SHA256, e.Detector()+" "+e.Network())
	if err != nil {
		return nil, about, err
	}
	running, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	var group errgroup.Group
	group.Go(func() error { return e.Run(running) })
	results, err = o.judgeAll(ctx, plan, directJudge{e, o.strict}, o.jobs, settings, errOut)
	stop()
	about = o.about(settings)
	about.Model, about.Detector = e.Model(), e.Detector()
	return results, about, errors.Join(err, group.Wait())
}

// judgeAll shows progress unless that is unwanted.
func (o evaluateOptions) judgeAll(ctx context.Context, plan evaluation.Plan, judge evaluation.Judge, jobs int, s evaluation.Settings, errOut io.Writer) (
	[]evaluation.Result, error,
) {
	do := evaluation.Options{Out: o.out, Jobs: jobs, Settings: s}
	if !o.quiet {
		progress := newListProgress("judging", "files", errOut)
		defer progress.close()
		do.Progress = func(now evaluation.Progress) { progress.show(evaluateAdvance(now)) }
	}
	return evaluation.Run(ctx, plan, judge, do)
}

// settings say with what the files are judged.
func (o evaluateOptions) settings(cfg Config, model, detector string) (evaluation.Settings, error) {
	sum, err := configHash(cfg.engine())
	checks := "frozen, repeated and looped pictures are scored"
	if o.strict {
		checks = "all"
	}
	return evaluation.Settings{Via: evaluation.Via(o.via), Model: model, Detector: detector, Config: sum, Checks: checks}, err
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
