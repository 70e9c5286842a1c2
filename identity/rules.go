package identity

import (
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

const (
	// othersNeeded is how many comparisons in a row must say that it is another face.
	othersNeeded = 2
	// lookAgain is the shortest time between two comparisons for one doubt.
	lookAgain = 150 * time.Millisecond
	// waryViews are how many more views may look different than not, over several series, before the person counts as another: so that nobody
	// takes turns with the person.
	waryViews = 12
	// unseenSpan is for how long a face may be scored without being compared, as one that is turned half away. It is the restart_gap of verdicts,
	// after which evidence without new scores is thrown away too.
	unseenSpan = 2 * time.Second
	// lookSoon is when the embedder compares again after it was not sure without any other doubt.
	lookSoon = time.Second
)

// rules decide on one session's views, one after the other.
type rules struct {
	cfg    Config
	met    *Metrics
	log    *slog.Logger
	embeds bool // there is an embedder

	track   int
	past    gallery
	models  []model
	cut     liveproof.Cut // seen since the last view that was compared
	run     run
	looked  time.Duration // stream time of the newest view that the embedder was asked about
	others  int           // comparisons in a row that said "another face"
	doubted bool          // the newest comparison was not sure
	seen    time.Duration // stream time of the newest view that was compared or remembered
	wary    int           // views that looked different, less those that did not
	unmet   bool          // a view was scored before the first that could be remembered
}

// then is what follows from what the embedder says of a view.
type then func(comparison) liveproof.Finding

// follow compares a view with what was seen of the person since the last restart. next is nil, or the embedder must be asked about the
// view before the next one is followed: then the finding is what is known already, and next gives the rest. ask is false where a newer view
// waits, of which it is better asked.
func (r *rules) follow(s *shot, ask bool) (f liveproof.Finding, next then) {
	r.cut = max(r.cut, s.cut)
	switch {
	case s.track != r.track:
		r.begin(s) // the evidence restarts by the change of track
		r.track = s.track
		return f, nil
	case !r.compares(s):
		return r.blind(s), nil
	case r.unmet && r.cut == liveproof.CutSure:
		return r.restart(s, causeCut), nil
	case len(r.past) == 0:
		r.begin(s)
		return f, nil
	}
	return r.judge(s, ask)
}

// compares reports whether a view is compared, or remembered as the first one: a face that can be aligned and is scored; once there is a past,
// after a sure cut, one that is not scored too.
func (r *rules) compares(s *shot) bool {
	return s.aligned && (s.scored || r.cut == liveproof.CutSure && len(r.past) > 0)
}

// begin forgets the person and watches the one of this view. What is not scored is no evidence, and is not remembered.
func (r *rules) begin(s *shot) {
	*r = rules{cfg: r.cfg, met: r.met, log: r.log, embeds: r.embeds, track: r.track, looked: s.t, seen: s.t}
	if !s.aligned || !s.scored {
		r.unmet = s.scored
		return
	}
	r.past.add(s.sight)
	if r.embeds {
		r.models = []model{{face: s.cutOut()}}
	}
}

// restart begins again and says why.
func (r *rules) restart(s *shot, why cause) liveproof.Finding {
	r.met.restarted(why)
	r.log.Debug("another person may be there", "cause", why, "t", s.t, "views", r.run.views, "embedder", r.run.latest)
	r.begin(s)
	reason := liveproof.ReasonFaceChanged
	if why == causeCut || why == causeFade {
		reason = liveproof.ReasonSceneCut
	}
	return liveproof.Finding{Reasons: []liveproof.Reason{reason}}
}

// blind judges a view in which the face is not compared: it is turned away or badly seen, or not scored. After a cut nothing that it does, as a
// movement of a challenge, may count for the person before.
func (r *rules) blind(s *shot) liveproof.Finding {
	switch {
	case r.cut == liveproof.CutSure && (len(r.past) > 0 || r.unmet):
		return r.restart(s, causeCut)
	case s.scored && len(r.past) > 0 && s.t-r.seen >= unseenSpan:
		return r.restart(s, causePerson)
	}
	r.unmet = r.unmet || s.scored && len(r.past) == 0
	return liveproof.Finding{Doubt: r.cut != liveproof.CutNone || r.run.unsettled(), Unsettled: r.run.unsettled()}
}

// judge compares a view with the person's past.
func (r *rules) judge(s *shot, ask bool) (f liveproof.Finding, next then) {
	against := r.past.until(s.t)
	if r.run.views > 0 {
		against = r.run.against
	}
	if r.cut != liveproof.CutNone {
		against = r.past // a cut is sudden: the newest picture before it is the best one
	}
	r.seen = s.t
	person, scene := against.nearest(s.sight)
	if r.cut == liveproof.CutNone && len(against) == 0 {
		person = 1 // too early: every view would be compared with the one before
	}
	f, next = r.decide(s, person, scene, against, ask)
	f.Signals = map[string]float64{"identity.likeness": person}
	return f, next
}

func (r *rules) decide(s *shot, person, scene float64, against gallery, ask bool) (liveproof.Finding, then) {
	switch {
	case r.cut == liveproof.CutSure && !ask:
		return liveproof.Finding{Doubt: true, Unsettled: true}, nil // the newer view is asked about in its place
	case r.cut == liveproof.CutSure:
		return r.ask(s, true, func(c comparison) liveproof.Finding { return r.afterCut(s, person, c.opinion) })
	case person >= r.cfg.Alike:
		return r.alike(s, ask)
	}
	return r.unlike(s, scene, against, ask)
}

// ask leaves the decision to the embedder, where there is one. Until it is known, doubt asks for more samples.
func (r *rules) ask(s *shot, doubt bool, next then) (liveproof.Finding, then) {
	if !r.embeds || len(r.models) == 0 {
		return next(comparison{opinion: absent}), nil
	}
	r.looked = s.t
	return liveproof.Finding{Doubt: doubt}, next
}

// afterCut keeps the person who is surely the same after a cut.
func (r *rules) afterCut(s *shot, person float64, o opinion) liveproof.Finding {
	if o == same || o == failed && person >= r.cfg.Sure {
		r.accept(s)
		return liveproof.Finding{Doubt: true}
	}
	return r.restart(s, causeCut)
}

// accept takes a view in as one of the person's.
func (r *rules) accept(s *shot) {
	if s.scored {
		r.past.add(s.sight)
	}
	r.run, r.cut = run{}, liveproof.CutNone
}

// alike takes in a view that looks like the person. The embedder looks at one of them now and then.
func (r *rules) alike(s *shot, ask bool) (liveproof.Finding, then) {
	r.accept(s)
	r.wary = max(0, r.wary-1)
	wait := r.cfg.Every
	if r.doubted {
		wait = min(lookSoon, wait)
	}
	if !ask || wait == 0 || s.t-r.looked < wait {
		return liveproof.Finding{}, nil
	}
	return r.ask(s, false, func(c comparison) liveproof.Finding {
		r.doubted = c.opinion == unsure || c.opinion == other
		if r.another(c.opinion) {
			return r.restart(s, causeFace)
		}
		return liveproof.Finding{Doubt: c.opinion == other}
	})
}

// another counts the comparisons in a row that said "another face", and reports whether they are enough.
func (r *rules) another(o opinion) bool {
	switch o {
	case other:
		r.others++
	case same, unsure:
		r.others = 0
	}
	return r.others >= othersNeeded
}

// unlike takes in a view in which the person looks different. The embedder is asked, unless it was asked a moment ago.
func (r *rules) unlike(s *shot, scene float64, against gallery, ask bool) (liveproof.Finding, then) {
	if r.run.views == 0 {
		r.run = run{against: slices.Clone(against), begun: s.t}
	}
	r.run.add(scene)
	r.wary++
	if !ask || r.run.latest != "" && s.t-r.looked < lookAgain {
		return r.different(s), nil
	}
	return r.ask(s, true, func(c comparison) liveproof.Finding {
		r.run.hear(c)
		switch {
		case c.opinion == same || r.run.near():
			r.accept(s)
			r.wary = 0
			return liveproof.Finding{}
		case r.another(c.opinion):
			return r.restart(s, causeFace)
		}
		return r.different(s)
	})
}

// different decides on a view in which the person looks different. Until an embedder has agreed, nothing is decided.
func (r *rules) different(s *shot) liveproof.Finding {
	why := r.run.over(r.cut, s.t)
	if why == "" && r.wary >= waryViews {
		why = causePerson
	}
	if why != "" {
		return r.restart(s, why)
	}
	return liveproof.Finding{Doubt: true, Unsettled: r.run.unsettled()}
}
