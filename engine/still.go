package engine

import (
	"context"
	"errors"
	"fmt"

	"github.com/liveproof/liveproof"
	"github.com/liveproof/liveproof/detector"
	"github.com/liveproof/liveproof/media"
	"github.com/liveproof/liveproof/scorer"
)

// Still is what the models make of one picture. There is no verdict: that rests on the samples of a stream.
type Still struct {
	// Sample is scored whenever a face was found. Its reasons tell why a session would not have scored it; the first of
	// them is liveproof.ReasonNoFace where there is none. Its weight is 0 with any reason.
	Sample liveproof.Sample
	// Quality is zero without a face.
	Quality  liveproof.Quality
	Model    liveproof.ModelInfo
	Detector string
}

// JudgeStill scores a still picture (JPEG, PNG, WebP) with the decoder, detector, crop and model that judge streams. Of several faces
// it takes the one that a session would follow, the largest. The limits of quality are measured and reported, but forbid
// nothing: a picture cannot be taken again, and a measurement that leaves out the difficult ones says less.
// Errors are those of media.OpenFile, or the model's.
func (e *Engine) JudgeStill(ctx context.Context, path string) (s Still, err error) {
	s = Still{Sample: liveproof.Sample{Seq: 1}, Model: e.Model(), Detector: e.Detector()}
	img, err := e.firstPicture(ctx, path)
	if err != nil {
		return s, err
	}
	defer img.Release()
	model, err := e.scorer.Pin()
	if err != nil {
		return s, err
	}
	defer model.Release()
	s.Model = model.Info()
	err = e.scoreStill(ctx, liveproof.SessionID(path), img, model, &s)
	return s, err
}

// firstPicture decodes the first picture of a file.
func (e *Engine) firstPicture(ctx context.Context, path string) (img *liveproof.Image, err error) {
	file, err := media.OpenFile(e.cfg.Media, path)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	picture, err := file.Next(ctx)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	defer picture.Release()
	return picture.RGB(e.pool)
}

func (e *Engine) scoreStill(ctx context.Context, id liveproof.SessionID, img *liveproof.Image, model *scorer.Pinned, still *Still) error {
	s := &still.Sample
	found, err := e.detector.NewStream().Detect(ctx, img, 0, true)
	if err != nil {
		return err
	}
	if found.Primary < 0 {
		s.Reasons = []liveproof.Reason{liveproof.ReasonNoFace}
		return nil
	}
	face := found.Faces[found.Primary]
	crop, err := e.cropper.Crop(img, face, e.pool)
	if errors.Is(err, detector.ErrImage) { // the face is too large for a crop
		s.Reasons = []liveproof.Reason{liveproof.ReasonFaceCutOff}
		return nil
	}
	if err != nil {
		return err
	}
	defer crop.Release()
	q := e.cropper.Assess(img, crop, face)
	still.Quality = q
	s.Track, s.Weight, s.Quantiser, s.Reasons = found.Track, q.Weight, q.Quantiser, q.Reasons
	if len(found.Faces) > 1 {
		s.Weight, s.Reasons = 0, append([]liveproof.Reason{liveproof.ReasonMultipleFaces}, s.Reasons...)
	}
	s.Rho, err = model.Score(ctx, id, crop)
	s.Scored = err == nil
	return err
}
