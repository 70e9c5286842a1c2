package identity

import (
	"time"

	"github.com/liveproof/liveproof"
)

// How many views must look different before the person counts as another. At 5 views a second a hand before the face is gone sooner.
const (
	fadeViews   = 4 // where the scene has changed too
	personViews = 6 // in the same scene
	// cutViews after a change between two pictures that may have been a cut.
	cutViews = 2
	// unsureViews, or unsureSpan where views come seldom, while an embedder is not sure, unless another scene is seen.
	unsureViews = 8
	unsureSpan  = 2 * time.Second
	// nearViews are how many comparisons are enough to keep the person although none was sure, if their mean cosine is at least nearSame: of
	// 68,000 such means between filmed people who differ, 99.5 % were below 0.45, and the largest was 0.54.
	nearViews = 4
	nearSame  = 0.46
	// sceneAlike is the correlation of two pictures from which the scene is the same.
	sceneAlike = 0.9
	// sceneOther is the correlation below which it is another one. Hands near the camera left 0.75 and more.
	sceneOther = 0.7
)

// run is a series of views in which the person looks different.
type run struct {
	views   int
	begun   time.Duration // stream time of the first
	against gallery       // what they are compared with
	changed int           // how many of them do not show the same scene
	gone    int           // how many of them show another scene
	latest  opinion       // of the embedder; "" before its first
	asked   int           // how many comparisons the embedder made
	cosines float64       // their sum
}

// add takes in a view whose picture correlates with the scene as it was.
func (r *run) add(scene float64) {
	r.views++
	if scene < sceneAlike {
		r.changed++
	}
	if scene < sceneOther {
		r.gone++
	}
}

// hear takes in what the embedder says.
func (r *run) hear(c comparison) {
	r.latest = c.opinion
	if c.opinion != failed && c.opinion != absent {
		r.asked++
		r.cosines += c.cosine
	}
}

// near reports whether the embedder, though not sure, has found the face nearer than that of another person would be, in a scene that is not
// another.
func (r *run) near() bool {
	return r.latest == unsure && r.gone == 0 && r.asked >= nearViews && r.cosines >= nearSame*float64(r.asked)
}

// unsettled reports whether nothing may be decided until the series is over: an embedder has compared a view of it, and none since was surely the
// person's, or it is asked about a newer view next. Where it only failed, the series decides as without one.
func (r *run) unsettled() bool { return r.asked > 0 || r.views > 0 && r.latest == "" }

// over reports why the series shows that the person is another; "" if it does not, or before the embedder was asked. Where the embedder is
// not sure, only another scene or a long series shows it.
func (r *run) over(cut liveproof.Cut, t time.Duration) cause {
	switch {
	case r.latest == "":
	case r.latest == unsure && r.gone < fadeViews && r.views < unsureViews && t-r.begun < unsureSpan:
	case cut == liveproof.CutLikely && r.views >= cutViews:
		return causeCut
	case r.changed >= fadeViews:
		return causeFade
	case r.views >= personViews, r.latest == unsure:
		return causePerson
	}
	return ""
}
