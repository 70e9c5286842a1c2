package main

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/liveproof/liveproof"
	"github.com/liveproof/liveproof/engine"
	"github.com/liveproof/liveproof/evaluation"
	"github.com/liveproof/liveproof/extract"
)

// directJudge judges files with the engine itself.
type directJudge struct {
	engine *engine.Engine
	// strict keeps the tests for repeated, looped and frozen pictures, as live sessions have them.
	strict bool
}

// stillSuffixes are those of files that hold one picture.
var stillSuffixes = []string{".jpg", ".jpeg", ".png", ".webp"}

func isStill(path string) bool {
	return slices.Contains(stillSuffixes, strings.ToLower(filepath.Ext(path)))
}

// Judge implements evaluation.Judge.
func (j directJudge) Judge(ctx context.Context, p evaluation.Presentation) (evaluation.Result, error) {
	judge := j.video
	if isStill(p.Path) {
		judge = j.still
	}
	r, err := judge(ctx, p)
	switch {
	case ctx.Err() != nil:
		return r, ctx.Err()
	case err != nil:
		r.Error = err.Error()
	default:
		r.Error = modelFailed(r.Unscored, liveproof.ReasonScorerFailed, liveproof.ReasonOverload, liveproof.ReasonInternalError)
	}
	return r, nil
}

func (j directJudge) still(ctx context.Context, p evaluation.Presentation) (evaluation.Result, error) {
	s, err := j.engine.JudgeStill(ctx, p.Path)
	r := evaluation.Result{Presentation: p, Still: true, Model: s.Model, Detector: s.Detector, Reasons: s.Sample.Reasons}
	if err != nil {
		return r, err
	}
	r.Frames = liveproof.FrameCounts{Received: 1, Decoded: 1, Sampled: 1}
	r.Samples, r.Qualities = []liveproof.Sample{s.Sample}, []liveproof.Quality{s.Quality}
	if s.Sample.Scored {
		r.Frames.Scored, r.Acquired, r.Score, r.Smoothed = 1, true, s.Sample.Rho, s.Sample.Rho
	} else {
		r.Unscored = map[liveproof.Reason]int64{s.Sample.Reasons[0]: 1}
	}
	return r, nil
}

func (j directJudge) video(ctx context.Context, p evaluation.Presentation) (evaluation.Result, error) {
	var options []engine.FileOption
	turn, _, err := extract.Turn(ctx, j.engine.Faces, p.Path, p.Turned)
	if turn == 180 {
		options = append(options, engine.Turned())
	}
	if !j.strict {
		options = append(options, engine.Recorded())
	}
	report := engine.Report{Model: j.engine.Model(), Detector: j.engine.Detector()}
	report.Verdict = liveproof.Inconclusive(liveproof.ReasonUnsupportedMedia)
	if err == nil {
		report, err = j.engine.JudgeFile(ctx, p.Path, options...)
	}
	return resultOf(p, report), err
}

// resultOf keeps what the evaluation measures of a file's report.
func resultOf(p evaluation.Presentation, report engine.Report) evaluation.Result {
	v := report.Verdict
	r := evaluation.Result{
		Presentation: p, Smoothed: v.Score, Verdict: v.Outcome, Reasons: v.Reasons, Frames: report.Counts, Unscored: report.Unscored,
		Samples: report.Samples, Qualities: report.Qualities, Model: report.Model, Detector: report.Detector,
	}
	r.Score, r.Acquired = evaluation.MeanRho(report.Samples)
	if v.Outcome == liveproof.OutcomeLive || v.Outcome == liveproof.OutcomeSpoof {
		r.DecidedAt = v.At.Seconds()
	}
	return r
}

// modelFailed says that samples were not scored for one of these reasons, which are faults of the machine and not of the
// file: such a result must not stand.
func modelFailed(unscored map[liveproof.Reason]int64, faults ...liveproof.Reason) string {
	for _, why := range faults {
		if n := unscored[why]; n > 0 {
			return fmt.Sprintf("%d samples could not be scored: %s", n, why)
		}
	}
	return ""
}
