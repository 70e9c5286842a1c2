package engine

import (
	"context"
	"errors"

	"github.com/liveproof/liveproof"
	"github.com/liveproof/liveproof/media"
	"github.com/liveproof/liveproof/pipeline"
)

// Report is the result of one file.
type Report struct {
	pipeline.Report
	Model    liveproof.ModelInfo
	Detector string
}

// FileOption changes how a file is judged.
type FileOption func(*fileJob)

// As judges the file in a mode; without it the mode is onboarding.
func As(mode liveproof.Mode) FileOption { return func(j *fileJob) { j.mode = mode } }

// Following reports the share of the file that has been read, in [0,1], from the goroutine that reads it.
func Following(progress func(path string, share float64)) FileOption {
	return func(j *fileJob) { j.progress = progress }
}

type fileJob struct {
	mode     liveproof.Mode
	progress func(path string, share float64)
}

// JudgeFile judges a video file as it would judge a live stream: but it drops
// no frame, uses the file's own time and reads to the file's end. It takes any
// file that FFmpeg reads. After an error the report is inconclusive. A file that is cut short or cannot be decoded in part
// (media.ErrDamaged), and one that was not read to its end because ctx has ended, is such an error; counts and samples then tell
// how far it came.
func (e *Engine) JudgeFile(ctx context.Context, path string, options ...FileOption) (Report, error) {
	job := fileJob{mode: liveproof.ModeOnboarding, progress: func(string, float64) {}}
	for _, o := range options {
		o(&job)
	}
	r := Report{Model: e.Model(), Detector: e.Detector()}
	err := e.judgeFile(ctx, path, job, &r)
	if r.Verdict.Outcome == "" {
		r.Verdict = liveproof.Inconclusive(liveproof.ReasonOf(err))
	}
	return r, err
}

func (e *Engine) judgeFile(ctx context.Context, path string, job fileJob, r *Report) (err error) {
	file, err := media.OpenFile(e.cfg.Media, path)
	if err != nil {
		r.Verdict = liveproof.Inconclusive(liveproof.ReasonUnsupportedMedia)
		return err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	model, err := e.scorer.Pin()
	if err != nil {
		return err
	}
	defer model.Release()
	r.Model = model.Info()
	info := liveproof.Session{ID: liveproof.SessionID(path), Mode: job.mode}
	session, err := e.session(e.cfg.Pipeline.Files(), info, model, followed{file, func(share float64) { job.progress(path, share) }}, nil, nil)
	if err != nil {
		return err
	}
	_, err = session.Run(ctx)
	r.Report = session.Report()
	if err == nil {
		err = errors.Join(context.Cause(ctx), file.Damage())
	}
	if err != nil && r.Verdict.Outcome != liveproof.OutcomeInconclusive { // of a part of the file only
		r.Verdict = liveproof.Inconclusive(reasonOf(err))
	}
	return err
}

// reasonOf is liveproof.ReasonOf, with the errors of package media.
func reasonOf(err error) liveproof.Reason {
	if errors.Is(err, media.ErrDamaged) {
		return liveproof.ReasonUnsupportedMedia
	}
	return liveproof.ReasonOf(err)
}

// followed reports the progress of a file's reading.
type followed struct {
	*media.File
	progress func(float64)
}

// Next implements pipeline.Source.
func (f followed) Next(ctx context.Context) (liveproof.Picture, error) {
	picture, err := f.File.Next(ctx)
	f.progress(f.Progress())
	return picture, err
}
