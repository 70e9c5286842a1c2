package detector

import (
	"math"
	"time"

	"github.com/liveproof/liveproof"
)

// doubt is why the whole picture is searched; it is empty if the region is enough.
type doubt string

const (
	doubtOff     doubt = "off"     // regions are never searched
	doubtNobody  doubt = "nobody"  // the last picture showed nobody
	doubtAsked   doubt = "asked"   // the caller asks for the whole picture
	doubtDue     doubt = "due"     // the last search of a whole picture is too long ago
	doubtResized doubt = "resized" // the picture has another size than the last one
	doubtLarge   doubt = "large"   // the face fits into no region
	doubtLost    doubt = "lost"    // the region shows no face, or only an uncertain one
	doubtOthers  doubt = "others"  // the region shows several faces, or the last picture several persons
	doubtCut     doubt = "cut"     // the face reaches the region's edge
	doubtChanged doubt = "changed" // the face has jumped, or looks different
)

// follower decides when a search of the region around the followed face is enough.
type follower struct {
	every  time.Duration
	whole  Size // of the network's input for whole pictures
	nearby []nearby

	persons int           // in the last picture, the followed one included
	width   int           // of the last picture
	height  int           // of the last picture
	last    time.Duration // stream time of the last picture
	full    time.Duration // stream time of the last search of a whole picture
}

func newFollower(cfg Config, n []nearby) follower {
	return follower{every: cfg.Follow.Every, whole: Size{cfg.Width, cfg.Height}, nearby: n}
}

// plan chooses the region to search around the last box, or says why all of img
// must be searched.
func (f *follower) plan(img *liveproof.Image, last liveproof.Box, at time.Duration, thorough bool) (region, doubt) {
	switch {
	case len(f.nearby) == 0:
		return region{}, doubtOff
	case thorough:
		return region{}, doubtAsked
	case f.persons == 0:
		return region{}, doubtNobody
	case f.persons > 1:
		return region{}, doubtOthers
	case img.Width != f.width || img.Height != f.height:
		return region{}, doubtResized
	case f.due(at):
		return region{}, doubtDue
	}
	for _, n := range f.nearby {
		if r, ok := regionAround(img, f.whole, n, last); ok {
			return r, ""
		}
	}
	return region{}, doubtLarge
}

// lateness is how much later than FollowConfig.Every a whole search may come, because
// no camera delivers pictures at exactly even intervals.
const lateness = 50 * time.Millisecond

// due reports whether the whole of this picture must be searched, because the next one
// would be too late. The next picture is expected after the same interval as this one.
func (f *follower) due(at time.Duration) bool {
	step := at - f.last
	return step <= 0 || at+step-f.full > f.every+lateness
}

// judge returns why the faces found in a region cannot stand for the picture's; "" if they can.
func (f *follower) judge(img *liveproof.Image, t *tracker, r region, faces []liveproof.Face) doubt {
	switch {
	case len(faces) == 0 || faces[0].Confidence < t.confident:
		return doubtLost
	case len(faces) > 1:
		return doubtOthers
	case r.cuts(img, faces[0].Box):
		return doubtCut
	case !t.surely(img, faces[0]):
		return doubtChanged
	}
	return ""
}

// saw notes that a picture was searched, as a whole or in part.
func (f *follower) saw(img *liveproof.Image, at time.Duration, whole bool) {
	f.width, f.height, f.last = img.Width, img.Height, at
	if whole {
		f.full = at
	}
}

// surely reports whether a face would continue the track even if every limit allowed
// only half of the change. It does not change the track.
func (t *tracker) surely(img *liveproof.Image, f liveproof.Face) bool {
	strict := *t
	strict.cfg = t.cfg.halfway()
	shown, ok := appearanceOf(img, f)
	return strict.following && strict.continues(f.Box) && strict.resembles(&shown, ok)
}

// halfway allows half of the change that c allows: each limit lies halfway to "no change".
func (c TrackConfig) halfway() TrackConfig {
	c.IoU, c.MaxScale = (1+c.IoU)/2, math.Sqrt(c.MaxScale)
	if c.Appearance > -1 {
		c.Appearance = (1 + c.Appearance) / 2
	}
	return c
}
