package engine

import (
	"context"
	"errors"
	"slices"

	"github.com/liveproof/liveproof"
	"github.com/liveproof/liveproof/media"
	"github.com/liveproof/liveproof/pipeline"
)

// Report is the result of one file.
type Report struct {
	pipeline.Report
	Model     liveproof.ModelInfo
	Threshold liveproof.Threshold // zero when the file could not be opened
	Detector  string
}

// FileOption changes how a file is judged.
type FileOption func(*fileJob)

// As judges the file in a mode; without it the mode is onboarding.
func As(mode liveproof.Mode) FileOption { return func(j *fileJob) { j.mode = mode } }

// Following reports the share of the file that has been read, in [0,1], from the goroutine that reads it.
func Following(progress func(path string, share float64)) FileOption {
	return func(j *fileJob) { j.progress = progress }
}

// Turned turns every decoded picture by 180 degrees, for a file that is stored upside down although no tag says so.
func Turned() FileOption { return func(j *fileJob) { j.turned = true } }

// Recorded scores pictures that repeat, loop or stand still like others, because the file is known to be a recording of
// the presentation: it may show a print on a stand. It is for measuring error rates. A live session refuses such
// pictures (liveproof.ReasonFrozenPicture).
func Recorded() FileOption { return func(j *fileJob) { j.recorded = true } }

type fileJob struct {
	mode             liveproof.Mode
	progress         func(path string, share float64)
	turned, recorded bool
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
	info, err := e.judgedBy(liveproof.Session{ID: liveproof.SessionID(path), Mode: job.mode}, r.Model)
	if err != nil {
		return err
	}
	r.Threshold = info.Threshold
	cfg := e.cfg.Pipeline.Files()
	cfg.Recorded = job.recorded
	from := followed{file, job.turned, func(share float64) { job.progress(path, share) }}
	session, err := e.session(cfg, info, model, from, nil, nil)
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

// followed reports the progress of a file's reading, and turns its pictures over if that is wanted.
type followed struct {
	*media.File
	turned   bool
	progress func(float64)
}

// Next implements pipeline.Source.
func (f followed) Next(ctx context.Context) (liveproof.Picture, error) {
	picture, err := f.File.Next(ctx)
	f.progress(f.Progress())
	if err == nil && f.turned {
		picture = turnedOver{picture}
	}
	return picture, err
}

// turnedOver is a picture turned by 180 degrees.
type turnedOver struct{ liveproof.Picture }

// Fingerprint implements liveproof.Picture. The digest stays that of the stored pixels: equal ones are equal either way up.
func (p turnedOver) Fingerprint(to *liveproof.Thumbnail) (digest uint64) {
	digest = p.Picture.Fingerprint(to)
	slices.Reverse(to[:])
	return digest
}

// RGB implements liveproof.Picture.
func (p turnedOver) RGB(pool *liveproof.ImagePool) (*liveproof.Image, error) {
	img, err := p.Picture.RGB(pool)
	if err == nil {
		img.TurnOver()
	}
	return img, err
}
