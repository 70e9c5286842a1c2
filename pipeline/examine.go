package pipeline

import (
	"context"
	"maps"
	"slices"

	"github.com/liveproof/liveproof"
)

// examined is what the crop stage remembers of the views that were examined.
type examined struct {
	cuts     cuts // that the newest view was told of
	restarts int  // of the evidence, because the person may be another
	late     late // findings of identity
}

// examine shows the frame to the watcher of identity and to the examiners of evidence, and reports whether it may still be scored: not
// after an error, and not with a doubt about the stream. q is how well the face is seen. Examiners see a restart
// by the watcher as another track, because what they have gathered is another person's.
func (l *line) examine(ctx context.Context, f *frame, q liveproof.Quality) bool {
	view := liveproof.View{Seq: f.sample.Seq, T: f.sample.T, Image: f.img, Face: f.face, Track: f.sample.Track, Reasons: q.Reasons,
		Restarts: int(l.restarts.Load()), Cut: f.cuts.since(l.examined.cuts)}
	if f.face.Landmarks != nil {
		pose := q.Pose()
		view.Pose = &pose
	}
	l.examined.cuts = f.cuts
	if !l.identify(ctx, f, view) {
		return false
	}
	l.examined.late.hear() // its reasons are the judge's
	f.known = l.examined.late.restarts
	view.Track += l.examined.restarts + f.known
	for _, e := range l.deps.Examiners {
		if !l.consult(ctx, f, e, view) {
			return false
		}
	}
	if slices.ContainsFunc(f.sample.Reasons, liveproof.Reason.Doubtful) {
		f.unscored()
		return false
	}
	return true
}

// identify asks whether the person is still the same. Who does not answer is taken to say no.
func (l *line) identify(ctx context.Context, f *frame, view liveproof.View) (sound bool) {
	before := len(f.sample.Reasons)
	switch {
	case l.cfg.Recorded:
		return true
	case l.deps.Identity == nil:
		if view.Cut == liveproof.CutSure {
			f.sample.Reasons = append(f.sample.Reasons, liveproof.ReasonSceneCut)
		}
		sound = true
	default:
		f.watched = true
		if sound = l.consult(ctx, f, l.deps.Identity, view); !sound {
			f.sample.Reasons = append(f.sample.Reasons, liveproof.ReasonFaceChanged)
		}
		l.examined.late.await(f.later)
	}
	if slices.ContainsFunc(f.sample.Reasons[before:], changesPerson) {
		l.examined.restarts++
	}
	return sound
}

func changesPerson(r liveproof.Reason) bool {
	return r == liveproof.ReasonFaceChanged || r == liveproof.ReasonSceneCut
}

// consult takes in one examiner's finding; after an error the frame is not scored.
func (l *line) consult(ctx context.Context, f *frame, e Examiner, view liveproof.View) bool {
	found, err := e.Examine(ctx, view)
	if err != nil {
		l.failed("examine", f, err)
		f.unscored(liveproof.ReasonInternalError)
		return false
	}
	if found.Doubt {
		l.attention.doubt(view.T, causeIdentity)
	}
	f.add(found)
	l.ask(found.Ask)
	return true
}

// add puts a finding into the frame's sample.
func (f *frame) add(found liveproof.Finding) {
	s := &f.sample
	s.Evidence = append(s.Evidence, found.Given...)
	s.Reasons = append(s.Reasons, found.Reasons...)
	f.unsettled = f.unsettled || found.Unsettled
	if found.Later != nil {
		f.later = found.Later
	}
	if len(found.Signals) > 0 && s.Signals == nil {
		s.Signals = make(map[string]float64, len(found.Signals))
	}
	maps.Copy(s.Signals, found.Signals)
}

// mostAsks is how many challenges wait to be told at a time. An examiner asks one after the other.
const mostAsks = 8

// ask hands a challenge to the judge, who tells the observer at once: a challenge does not wait for its sample's score.
func (l *line) ask(c *liveproof.Challenge) {
	if c == nil {
		return
	}
	select {
	case l.asks <- c:
	default: // the judge has stopped, or an examiner asks without end: an untold challenge is not answered, and withholds
	}
}
