package identity

import (
	"context"
	"log/slog"
	"slices"
	"time"

	"github.com/liveproof/liveproof"
)

// cause is why the evidence is restarted; it is a label value of a metric.
type cause string

const (
	causeCut    cause = "cut"    // another scene began from one picture to the next, and nothing says that the person is the same
	causeFade   cause = "fade"   // scene and person have changed within several pictures
	causePerson cause = "person" // the person looks different, in the same scene
	causeFace   cause = "face"   // the embedder says twice that it is another face
)

// How many views must look different before the person counts as another. At 5 views a second a hand before the face is gone sooner.
const (
	fadeViews   = 4 // where the scene has changed too
	personViews = 6 // in the same scene
	// cutViews after a change between two pictures that may have been a cut.
	cutViews = 2
	// sceneAlike is the correlation of two pictures from which the scene is the same.
	sceneAlike = 0.9
	// othersNeeded is how many comparisons in a row must say that it is another face.
	othersNeeded = 2
	// lookAgain is the shortest time between two comparisons for one doubt.
	lookAgain = 150 * time.Millisecond
	// lookSoon is when the embedder compares again after it was not sure without any other doubt.
	lookSoon = time.Second
)

// Watcher watches one session for a change of person. It is for one goroutine at a time.
type Watcher struct {
	cfg   Config
	met   *Metrics
	log   *slog.Logger
	embed func(context.Context, *face) (*embedding, error) // nil without an embedder

	track   int
	past    gallery
	models  []model
	cut     liveproof.Cut // seen since the last view that was compared
	run     run
	looked  time.Duration // stream time of the newest comparison by the embedder
	others  int           // comparisons in a row that said "another face"
	doubted bool          // the newest comparison was not sure
}

// run is a series of views in which the person looks different.
type run struct {
	views   int
	against gallery // what they are compared with
	changed int     // how many of them show another scene
	latest  opinion // of the embedder; "" before its first
}

// Examine compares v with what was seen of the person since the last restart. The finding's reasons are face_changed or scene_cut where
// the evidence must start again. It gives no evidence, and the error is always nil: without a working embedder the other signs decide.
func (w *Watcher) Examine(ctx context.Context, v liveproof.View) (liveproof.Finding, error) {
	w.cut = max(w.cut, v.Cut)
	s, aligned := w.see(v)
	if v.Track != w.track {
		w.begin(v, s, aligned) // the evidence restarts by the change of track
		w.track = v.Track
		return liveproof.Finding{}, nil
	}
	if !aligned {
		return w.blind(v), nil
	}
	if len(w.past) == 0 {
		w.begin(v, s, aligned)
		return liveproof.Finding{}, nil
	}
	return w.judge(ctx, v, s), nil
}

// see describes the view; aligned is false where the face cannot be compared.
func (w *Watcher) see(v liveproof.View) (s sight, aligned bool) {
	if !isComparable(v) {
		return s, false
	}
	at, ok := alignment(v.Face.Landmarks)
	if !ok {
		return s, false
	}
	return sight{t: v.T, look: appearanceOf(v.Image, at), scene: sceneOf(v.Image)}, true
}

// isComparable reports whether the face is seen well enough to be compared.
func isComparable(v liveproof.View) bool {
	return v.Face.Landmarks != nil && frontal(v.Face.Landmarks) && !slices.ContainsFunc(v.Reasons, func(r liveproof.Reason) bool {
		switch r {
		case liveproof.ReasonFaceCutOff, liveproof.ReasonFaceTurned, liveproof.ReasonTooDark, liveproof.ReasonOverexposed, liveproof.ReasonBlurred:
			return true
		}
		return false
	})
}

// begin forgets the person and watches the one of this view.
func (w *Watcher) begin(v liveproof.View, s sight, aligned bool) {
	*w = Watcher{cfg: w.cfg, met: w.met, log: w.log, embed: w.embed, track: w.track, looked: v.T}
	if !aligned {
		return
	}
	w.past.add(s)
	if at, ok := alignment(v.Face.Landmarks); ok && w.embed != nil {
		w.models = []model{{face: faceOf(v.Image, at)}}
	}
}

// restart begins again and says why.
func (w *Watcher) restart(v liveproof.View, s sight, aligned bool, why cause) liveproof.Finding {
	w.met.restarted(why)
	w.log.Debug("another person may be there", "cause", why, "t", v.T, "views", w.run.views, "embedder", w.run.latest)
	w.begin(v, s, aligned)
	reason := liveproof.ReasonFaceChanged
	if why == causeCut || why == causeFade {
		reason = liveproof.ReasonSceneCut
	}
	return liveproof.Finding{Reasons: []liveproof.Reason{reason}}
}

// blind judges a view in which the face cannot be compared: after a cut its score must not count for the person before.
func (w *Watcher) blind(v liveproof.View) liveproof.Finding {
	if w.cut == liveproof.CutSure && len(v.Reasons) == 0 {
		return w.restart(v, sight{}, false, causeCut)
	}
	return liveproof.Finding{Doubt: w.cut != liveproof.CutNone}
}

// judge compares a view with the person's past.
func (w *Watcher) judge(ctx context.Context, v liveproof.View, s sight) liveproof.Finding {
	against := w.past.until(s.t)
	if w.run.views > 0 {
		against = w.run.against
	}
	if w.cut != liveproof.CutNone {
		against = w.past // a cut is sudden: the newest picture before it is the best one
	}
	person, scene := against.nearest(s)
	if w.cut == liveproof.CutNone && len(against) == 0 {
		person = 1 // too early: every view would be compared with the one before
	}
	f := w.decide(ctx, v, s, person, scene, against)
	f.Signals = map[string]float64{"identity.likeness": person}
	return f
}

func (w *Watcher) decide(ctx context.Context, v liveproof.View, s sight, person, scene float64, against gallery) liveproof.Finding {
	if w.cut == liveproof.CutSure {
		if !w.survives(ctx, v, person) {
			return w.restart(v, s, true, causeCut)
		}
		w.accept(s)
		return liveproof.Finding{Doubt: true}
	}
	if person >= w.cfg.Alike {
		return w.alike(ctx, v, s)
	}
	return w.unlike(ctx, v, s, scene, against)
}

// survives reports whether the person is surely the same after a cut.
func (w *Watcher) survives(ctx context.Context, v liveproof.View, person float64) bool {
	switch w.look(ctx, v) {
	case same:
		return true
	case failed:
		return person >= w.cfg.Sure
	}
	return false
}

// accept takes a view in as one of the person's.
func (w *Watcher) accept(s sight) {
	w.past.add(s)
	w.run, w.cut = run{}, liveproof.CutNone
}

// alike takes in a view that looks like the person. The embedder looks at one of them now and then.
func (w *Watcher) alike(ctx context.Context, v liveproof.View, s sight) liveproof.Finding {
	w.accept(s)
	wait := w.cfg.Every
	if w.doubted {
		wait = min(lookSoon, wait)
	}
	if wait == 0 || v.T-w.looked < wait {
		return liveproof.Finding{}
	}
	o := w.look(ctx, v)
	w.doubted = o == unsure || o == other
	if w.another(o) {
		return w.restart(v, s, true, causeFace)
	}
	return liveproof.Finding{Doubt: o == other}
}

// another counts the comparisons in a row that said "another face", and reports whether they are enough.
func (w *Watcher) another(o opinion) bool {
	switch o {
	case other:
		w.others++
	case same, unsure:
		w.others = 0
	}
	return w.others >= othersNeeded
}

// unlike takes in a view in which the person looks different.
func (w *Watcher) unlike(ctx context.Context, v liveproof.View, s sight, scene float64, against gallery) liveproof.Finding {
	if w.run.views == 0 {
		w.run = run{against: slices.Clone(against)}
	}
	w.run.views++
	if scene < sceneAlike {
		w.run.changed++
	}
	if o := w.lookAt(ctx, v); o == same {
		w.accept(s)
		return liveproof.Finding{}
	} else if w.another(o) {
		return w.restart(v, s, true, causeFace)
	}
	if why := w.over(); why != "" {
		return w.restart(v, s, true, why)
	}
	return liveproof.Finding{Doubt: true}
}

// lookAt asks the embedder, unless it was asked a moment ago.
func (w *Watcher) lookAt(ctx context.Context, v liveproof.View) opinion {
	if w.run.latest != "" && v.T-w.looked < lookAgain {
		return ""
	}
	w.run.latest = w.look(ctx, v)
	return w.run.latest
}

// over reports why the series of different views shows that the person is another; "" if it does not. In the same scene an embedder that
// is not sure, but does not say that the face is another, keeps the person.
func (w *Watcher) over() cause {
	r := w.run
	switch {
	case w.cut == liveproof.CutLikely && r.views >= cutViews && r.latest != unsure:
		return causeCut
	case r.changed >= fadeViews:
		return causeFade
	case r.views >= personViews && r.latest != unsure:
		return causePerson
	}
	return ""
}
