package detector

import (
	"math"
	"time"

	"github.com/liveproof/liveproof"
)

// doubt is why the whole picture is searched; it is empty where a region is enough.
type doubt string

const (
	doubtOff     doubt = "off"     // regions are never searched
	doubtNobody  doubt = "nobody"  // the last picture showed nobody
	doubtAsked   doubt = "asked"   // by the caller
	doubtDue     doubt = "due"     // the last search of a whole picture is too long ago
	doubtResized doubt = "resized" // the picture has another size than the last one
	doubtLarge   doubt = "large"   // the face fits into no region
	doubtLost    doubt = "lost"    // the region shows no face, or none surely
	doubtOthers  doubt = "others"  // the region shows several faces, or the last picture several persons
	doubtCut     doubt = "cut"     // the face reaches the region's edge
	doubtChanged doubt = "changed" // the face has jumped, or looks different
)

// follower decides when the region around the followed face is enough.
type follower struct {
	every  time.Duration
	whole  Size // of the network's input for whole pictures
	nearby []nearby

	persons int           // in the last picture, the followed one among them
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

// lateness is how much later than allowed a search may come: no camera's pictures
// come at exactly even distances.
const lateness = 50 * time.Millisecond

// due reports whether the next picture would be too late for a whole search. It is
// expected as long after this one as this one came after the last.
func (f *follower) due(at time.Duration) bool {
	step := at - f.last
	return step <= 0 || at+step-f.full > f.every+lateness
}

// judge says what speaks against taking a region's faces for those of the picture.
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

// saw notes that a picture was searched.
func (f *follower) saw(img *liveproof.Image, at time.Duration, whole bool) {
	f.width, f.height, f.last = img.Width, img.Height, at
	if whole {
		f.full = at
	}
}

// surely reports whether a face would continue the track with half of every
// limit to spare. The track stays as it is.
func (t *tracker) surely(img *liveproof.Image, f liveproof.Face) bool {
	strict := *t
	strict.cfg = t.cfg.halfway()
	shown, ok := appearanceOf(img, f)
	return strict.following && strict.continues(f.Box) && strict.resembles(&shown, ok)
}

// halfway puts every limit halfway between itself and no change at all.
func (c TrackConfig) halfway() TrackConfig {
	c.IoU, c.MaxScale = (1+c.IoU)/2, math.Sqrt(c.MaxScale)
	if c.Appearance > -1 {
		c.Appearance = (1 + c.Appearance) / 2
	}
	return c
}
