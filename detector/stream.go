package detector

import (
	"context"
	"time"

	"golang.org/x/sync/semaphore"

	"github.com/liveproof/liveproof"
)

// Stream finds and follows the face of one session. It is for one goroutine at
// a time and holds nothing that needs closing (4 KB).
type Stream struct {
	finder   finder
	slots    *semaphore.Weighted
	met      *Metrics
	rules    rules
	tracker  *tracker
	follower follower
}

// Detect finds the faces of img. at is its stream time; call Detect in the order in
// which the pictures were taken. It searches the whole picture if thorough is set or in
// doubt, and else only the region around the followed face (see "Searching a region"
// in the package's documentation). A picture without a face is no error: Primary is then
// -1 and Track 0. After an error the track is as before the call. Errors: ctx's,
// ErrImage, ErrClosed, and those of a failed run of the network.
func (s *Stream) Detect(ctx context.Context, img *liveproof.Image, at time.Duration, thorough bool) (liveproof.Detection, error) {
	none := liveproof.Detection{Primary: -1}
	if err := checkImage(img); err != nil {
		return none, err
	}
	faces, err := s.search(ctx, img, at, thorough)
	if err != nil {
		return none, err
	}
	primary, track := s.tracker.follow(img, faces)
	if primary < 0 {
		s.follower.persons = 0
		return none, nil
	}
	kept, primary := s.rules.persons(faces, primary)
	s.follower.persons = len(kept)
	return liveproof.Detection{Faces: kept, Primary: primary, Track: track}, nil
}

// search returns the plausible faces of img: those of the whole picture, or only the
// followed one if the search of its region leaves no doubt.
func (s *Stream) search(ctx context.Context, img *liveproof.Image, at time.Duration, thorough bool) ([]liveproof.Face, error) {
	if err := s.slots.Acquire(ctx, 1); err != nil {
		return nil, err
	}
	defer s.slots.Release(1)
	faces, why, err := s.searchRegion(ctx, img, at, thorough)
	if why != "" && err == nil {
		s.met.whole(why)
		faces, err = s.finder.find(ctx, img)
		faces = s.rules.plausible(faces, img)
	}
	if err == nil {
		s.follower.saw(img, at, why != "")
	}
	return faces, err
}

// searchRegion returns the followed face, or why the whole picture must be searched.
func (s *Stream) searchRegion(ctx context.Context, img *liveproof.Image, at time.Duration, thorough bool) ([]liveproof.Face, doubt, error) {
	r, why := s.follower.plan(img, s.tracker.box, at, thorough)
	if why != "" {
		return nil, why, nil
	}
	s.met.region()
	faces, err := r.find(ctx, img)
	if err != nil {
		return nil, "", err
	}
	faces = s.rules.plausible(faces, img)
	return faces, s.follower.judge(img, s.tracker, r, faces), nil
}
