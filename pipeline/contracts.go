package pipeline

import (
	"context"
	"time"

	"github.com/liveproof/liveproof"
)

// Source gives one session's decoded pictures in order.
type Source interface {
	// Next blocks for the next picture, which the caller then owns. It returns
	// io.EOF at the end of the stream and ctx's error when ctx ends.
	Next(ctx context.Context) (liveproof.Picture, error)
}

// Layered is a Source that may have the same pictures in several sizes.
type Layered interface {
	// PreferLarger is called while the face is too small or too coarse in the pictures. It must not block, and
	// does nothing where there are no larger ones.
	PreferLarger()
	// Reduced reports whether the pictures are a small copy of larger ones, which the sender has and which do not come here. It must
	// not block.
	Reduced() bool
}

// Adaptive is a Source whose sender may be asked to encode more finely.
type Adaptive interface {
	// PreferFiner is called for each face that is encoded too coarsely. It must not block, and does nothing where the sender
	// cannot be asked.
	PreferFiner()
}

// Detector finds and follows faces; it belongs to one session.
type Detector interface {
	// Detect gives every face that counts as a person, the followed one among
	// them; more than one forbids scoring. at is the picture's stream time. A detector
	// may search only the region around the followed face, unless thorough asks for
	// the whole picture.
	Detect(ctx context.Context, img *liveproof.Image, at time.Duration, thorough bool) (liveproof.Detection, error)
}

// Cropper cuts the scorer's input out of an image and judges how well the face is seen.
type Cropper interface {
	// Crop returns 224×224 RGB from pool; the caller owns it.
	Crop(img *liveproof.Image, face liveproof.Face, pool *liveproof.ImagePool) (*liveproof.Image, error)
	// Assess measures; Quality.Reasons is empty when the crop may be scored.
	Assess(img, crop *liveproof.Image, face liveproof.Face) liveproof.Quality
}

// Examiner gathers evidence beside ρ from the views of one session. It belongs to that session, and is called from one goroutine,
// in the order of the samples, for those in which exactly one person was found.
type Examiner interface {
	// Examine concludes from v and the views before it. v's images are borrowed until it returns. After an error the sample is
	// not scored. Only Deps.Identity may leave a part of its finding for later, and must tell it in a bounded time.
	Examine(ctx context.Context, v liveproof.View) (liveproof.Finding, error)
}

// Scorer turns a face crop into ρ. It is shared by all sessions and batches inside.
type Scorer interface {
	// Score blocks until this crop is scored or has failed; crop is borrowed
	// until it returns. rho is in [0,1] when err is nil.
	Score(ctx context.Context, id liveproof.SessionID, crop *liveproof.Image) (rho float64, err error)
}

// Recorder keeps a running session's timeline. It may block and retry within ctx.
// The ending that Run returns is written by the caller of Run.
type Recorder interface {
	// AppendSamples adds to the timeline and updates counts and the current (not
	// final) verdict. liveproof.ErrDecided: the session has ended, and current is not recorded.
	AppendSamples(ctx context.Context, id liveproof.SessionID, samples []liveproof.Sample,
		counts liveproof.FrameCounts, current liveproof.Verdict) error
}

// Observer is told of events as they happen, from one goroutine; it must not block.
type Observer func(liveproof.Event)
