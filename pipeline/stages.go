package pipeline

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/liveproof/liveproof"
)

// sequence is the sample stage's memory of the stream.
type sequence struct {
	sampler sampler
	recall  *recall
	loops   *loops
	scenes  scenes
	still   stillness // of the region where the face was last seen, in the pictures of the sampling grid
	n       int64     // samples so far
	stream  int       // of the sender's streams, see liveproof.AccessUnit; that of the newest plausible picture, -1 before it
	passed  []glance  // pictures since the last frame that became no samples, of the last stillSpan
	scratch liveproof.Thumbnail
}

// take decides on one picture and releases it.
func (l *line) take(ctx context.Context, seq *sequence, pic liveproof.Picture) error {
	defer pic.Release()
	start := time.Now()
	p := seq.sampler.classify(pic.Time(), l.arrival(start))
	if p.doubt != "" {
		return l.reject(ctx, seq, p, start)
	}
	if seq.switches(pic) {
		l.restart(ctx, seq, p, start)
		return nil
	}
	seen := seq.look(p, pic)
	if p.take && seen.doubt == "" && seq.stands(p.t, seen.cells, l.face.Load()) {
		seen.doubt = causeStill
	}
	if seen.doubt != "" {
		l.attention.doubt(p.t, seen.doubt)
	}
	if !p.take {
		return nil
	}
	seq.recall.markSampled()
	due, thorough := l.attention.due(p.t, seq.scenes.unlike())
	if !due {
		seq.pass(glance{p.t, seen.cells})
		return nil
	}
	seq.scenes.markSampled()
	l.sampled.Add(1)
	f := seq.frame(p, start)
	f.cells, f.thorough, f.reduced = seen.cells, thorough, l.reduced()
	if seen.repeated && !l.cfg.Recorded {
		f.unscored(liveproof.ReasonFrozenPicture)
		l.complete(ctx, f)
		return nil
	}
	if l.cfg.Live && l.scoring.Load() >= int64(l.cfg.InFlight) {
		// Sent on, it would only wait, or push out a sample that was already detected and cropped.
		l.drop(StageScore, liveproof.ReasonOverload)
		f.unscored(liveproof.ReasonOverload)
		l.complete(ctx, f)
		return nil
	}
	return l.convert(ctx, f, pic)
}

// reject drops a picture with an implausible timestamp; some of them become unscored samples.
func (l *line) reject(ctx context.Context, seq *sequence, p picked, at time.Time) error {
	l.drop(StageSample, p.doubt)
	l.attention.doubt(p.t, causeTiming)
	if p.tell {
		l.sampled.Add(1)
		f := seq.frame(p, at)
		f.unscored(p.doubt)
		l.complete(ctx, f)
	}
	return nil
}

// switches reports whether the picture comes from another of the sender's streams than the one before.
func (q *sequence) switches(pic liveproof.Picture) bool {
	streamed, ok := pic.(liveproof.StreamedPicture)
	if !ok || streamed.Stream() == q.stream {
		return false
	}
	first := q.stream < 0
	q.stream = streamed.Stream()
	return !first
}

// restart makes the first picture of another stream a sample that is not scored and starts the
// evidence again, whatever the faces look like: nothing proves that two streams show one person.
func (l *line) restart(ctx context.Context, seq *sequence, p picked, at time.Time) {
	l.attention.doubt(p.t, causeStream)
	l.sampled.Add(1)
	f := seq.frame(p, at)
	f.unscored(liveproof.ReasonStreamChanged)
	l.complete(ctx, f)
}

// seen is what the comparison of a picture with the earlier ones has found.
type seen struct {
	repeated bool // its pixels came before, or it belongs to a loop
	doubt    cause
	cells    *liveproof.Thumbnail // valid until the next picture; for one on the sampling grid, for good
}

// look compares a picture with the earlier ones.
func (q *sequence) look(p picked, pic liveproof.Picture) (s seen) {
	s.cells = &q.scratch
	if p.take {
		s.cells = new(liveproof.Thumbnail) // it goes on with a frame
	}
	again := q.recall.observe(pic.Fingerprint(s.cells))
	cells := coarsen(s.cells)
	s.doubt = q.scenes.observe(p.t, &cells, q.sampler.period)
	looped := q.loops.observe(p.t, &cells, p.take)
	s.repeated = again || looped
	if s.repeated && p.take {
		s.doubt = causeRepeated
	}
	return s
}

// stands reports whether no motion shows in the region where the face was last seen; face is nil
// before the first face.
func (q *sequence) stands(t time.Duration, cells *liveproof.Thumbnail, face *region) bool {
	return face != nil && q.still.observe(nil, t, cells, *face) != moves
}

// pass keeps a picture that becomes no sample: the next frame's test of stillness uses it.
func (q *sequence) pass(g glance) {
	q.passed = append(q.passed, g)
	for g.t-q.passed[0].t > stillSpan+stillSlack {
		q.passed = q.passed[1:]
	}
}

// reduced reports whether the source's pictures are small copies of larger ones.
func (l *line) reduced() bool {
	layered, ok := l.deps.Source.(Layered)
	return ok && layered.Reduced()
}

// frame numbers the next sample.
func (q *sequence) frame(p picked, at time.Time) *frame {
	q.n++
	f := &frame{arrived: at, passed: q.passed, cuts: q.scenes.cuts, sample: liveproof.Sample{Seq: q.n, T: p.t}}
	q.passed = nil
	return f
}

// convert makes the RGB image and sends the frame on its way.
func (l *line) convert(ctx context.Context, f *frame, pic liveproof.Picture) error {
	img, err := pic.RGB(l.deps.Pool)
	l.deps.Metrics.latency.WithLabelValues(string(StageSample)).Observe(time.Since(f.arrived).Seconds())
	switch {
	case errors.Is(err, liveproof.ErrPictureTooLarge):
		return fmt.Errorf("picture at %v: %w", f.sample.T, err)
	case err != nil:
		l.failed("convert", f, err)
		f.unscored(liveproof.ReasonInternalError)
		l.complete(ctx, f)
		return nil
	}
	f.img = img
	l.forward(ctx, StageSample, l.toDetect, f)
	return nil
}

// arrival notes a picture's arrival and returns the server's time since the
// first one, -1 for files.
func (l *line) arrival(now time.Time) time.Duration {
	since := now.Sub(l.begun)
	l.lastAt.Store(int64(since))
	if l.pictures.Add(1) == 1 {
		l.firstAt.Store(int64(since))
	}
	l.deps.Metrics.pictures.Inc()
	if !l.cfg.Live {
		return -1
	}
	return since - time.Duration(l.firstAt.Load())
}

// detect finds the followed face; the frame goes on when there is one to judge.
func (l *line) detect(ctx context.Context, f *frame) bool {
	thorough := l.attention.makesUp(f.sample.T) || f.thorough
	f.thorough = false
	d, err := l.deps.Detector.Detect(ctx, f.img, f.sample.T, thorough)
	if err != nil {
		l.failed(string(StageDetect), f, err)
		f.unscored(failure(err))
		return false
	}
	if d.Primary < 0 || d.Primary >= len(d.Faces) {
		f.unscored(liveproof.ReasonNoFace)
		return false
	}
	f.face, f.sample.Track = d.Faces[d.Primary], d.Track
	if len(d.Faces) > 1 {
		f.unscored(liveproof.ReasonMultipleFaces)
		return false
	}
	return true
}

// crop cuts the face out and judges how well it is seen. The full image ends here.
func (l *line) crop(ctx context.Context, f *frame) bool {
	at := faceRegion(f.face.Box, f.img.Width, f.img.Height)
	l.face.Store(&at)
	motion := l.still.observe(f.passed, f.sample.T, f.cells, at)
	crop, err := l.deps.Cropper.Crop(f.img, f.face, l.deps.Pool)
	if err != nil {
		l.failed(string(StageCrop), f, err)
		f.unscored(liveproof.ReasonInternalError)
		return false
	}
	f.crop = crop
	q := l.deps.Cropper.Assess(f.img, f.crop, f.face)
	sound := l.examine(ctx, f, q)
	f.img.Release()
	f.img = nil
	if !sound {
		return false
	}
	f.quality, f.sample.Weight, f.sample.Quantiser = q, 0, q.Quantiser
	switch {
	case l.cfg.Recorded:
	case motion == stands && !badlySeen(q.Reasons):
		q.Reasons = append([]liveproof.Reason{liveproof.ReasonFrozenPicture}, q.Reasons...)
	case motion == flat && len(q.Reasons) == 0:
		q.Reasons = []liveproof.Reason{liveproof.ReasonLowContrast}
	}
	if len(q.Reasons) > 0 {
		f.unscored(f.excused(q.Reasons)...)
		return false
	}
	if !(q.Weight > 0 && q.Weight <= 1) {
		l.failed(string(StageCrop), f, fmt.Errorf("quality weight %v is out of range (0, 1]", q.Weight))
		f.unscored(liveproof.ReasonInternalError)
		return false
	}
	f.sample.Weight = q.Weight
	return true
}

// excused keeps a person from being told to come closer where a larger picture does not come.
func (f *frame) excused(reasons []liveproof.Reason) []liveproof.Reason {
	if !f.reduced || !slices.Contains(reasons, liveproof.ReasonFaceTooSmall) {
		return reasons
	}
	excused := []liveproof.Reason{liveproof.ReasonLowBitrate}
	for _, r := range reasons {
		if r != liveproof.ReasonFaceTooSmall && r != liveproof.ReasonLowBitrate {
			excused = append(excused, r)
		}
	}
	return excused
}

// badlySeen reports whether the person can be blamed for an unscored face. A coarse encoding hides no stillness: else who
// shows a still need only send it coarsely, and it would be no doubt.
func badlySeen(reasons []liveproof.Reason) bool {
	return slices.ContainsFunc(reasons, func(r liveproof.Reason) bool { return r != liveproof.ReasonLowBitrate })
}

// score asks for ρ; every frame is complete after it.
func (l *line) score(ctx context.Context, f *frame) bool {
	defer l.scoring.Add(-1)
	asked := ctx
	if l.cfg.Live {
		var cancel context.CancelFunc
		asked, cancel = context.WithTimeout(ctx, l.cfg.ScoreTimeout)
		defer cancel()
	}
	rho, err := l.deps.Scorer.Score(asked, l.id, f.crop)
	if err == nil && !(rho >= 0 && rho <= 1) {
		err = fmt.Errorf("ρ = %v: %w", rho, liveproof.ErrScoreInvalid)
	}
	if err != nil {
		why := failure(err)
		if why == liveproof.ReasonOverload {
			l.drop(StageScore, why)
		} else if ctx.Err() == nil {
			l.failed(string(StageScore), f, err)
		}
		f.unscored(why)
		return false
	}
	f.sample.Scored, f.sample.Rho = true, rho
	if f.reduced {
		f.sample.Reasons = append(f.sample.Reasons, liveproof.ReasonLowBitrate)
	}
	return false
}

// failure is the reason for a sample whose model call failed.
func failure(err error) liveproof.Reason {
	if errors.Is(err, liveproof.ErrOverloaded) {
		return liveproof.ReasonOverload
	}
	return liveproof.ReasonScorerFailed
}

// failed logs a sample's failure; how often it happens is a metric.
func (l *line) failed(what string, f *frame, err error) {
	l.deps.Log.Debug("sample failed", "session", l.id, "stage", what, "seq", f.sample.Seq, "error", err)
}
