package motion

import (
	"context"
	"slices"
	"time"

	"github.com/liveproof/liveproof"
)

// Names of the signals.
const (
	// SignalResidual is the motion besides that of a photograph since the sample of the comparison, in levels.
	SignalResidual = "motion.residual"
	// SignalShift is the way of the face in the picture since then, in shares of its size.
	SignalShift = "motion.shift"
)

const (
	// maxStep is what one difference adds at most to the sum. It is below Config.Needed.
	maxStep = 2
	// half is what a difference of min_residual adds, and what a span without one takes off.
	half = 0.5
	// rigidSpans is how many spans without a difference prove that a face moves as a photograph does.
	rigidSpans = 3
	// late: a view that comes after so many times the last interval, and slack, begins anew, because the pipeline has left out
	// samples: they may have restarted the evidence.
	late  = 1.6
	slack = 50 * time.Millisecond
)

// Examiner gathers one session's evidence of motion. It is not safe for concurrent use.
type Examiner struct {
	cfg Config

	track    int
	last     time.Duration // newest view
	interval time.Duration // between the last two views; 0 before the second

	now    patch
	buffer blocks
	fit    fit

	keyed bool // key is a sample's
	key   reference
	keyAt time.Duration
	keyOn similarity

	sum   float64 // of the differences; evidence from Config.Needed on
	spans int     // without a difference, in a row
	way   float64 // of the face in these spans, in shares of its size
}

// New returns an examiner for one session.
func New(cfg Config) *Examiner { return &Examiner{cfg: cfg} }

// Examine compares the view with an earlier one. Given has liveproof.EvidenceMotion with each view at which the views without a gap
// before it have shown enough motion; Reasons has liveproof.ReasonMotionMissing while they have shown that of a photograph only. A view in
// which the face is badly seen says nothing. It returns no error.
func (e *Examiner) Examine(_ context.Context, v liveproof.View) (liveproof.Finding, error) {
	e.follow(v)
	on := alignment(v.Face)
	if slices.ContainsFunc(v.Reasons, hides) || !on.usable(v.Image) || !e.buffer.cover(v.Image, on) {
		return liveproof.Finding{}, nil
	}
	e.now.cut(&e.buffer, on)
	if !e.keyed || v.T-e.keyAt > 2*e.cfg.Span || !e.key.compare(&e.now, &e.fit) {
		e.keep(v.T, on)
		return liveproof.Finding{}, nil
	}
	residual, way := e.fit.residual(&e.key), shift(e.keyOn, on, e.fit.warp)
	switch {
	case residual >= e.cfg.MinResidual:
		e.sum += min(residual/e.cfg.MinResidual-half, maxStep)
		e.spans, e.way = 0, 0
		e.keep(v.T, on)
	case v.T-e.keyAt >= e.cfg.Span-slack:
		e.sum = max(0, e.sum-half)
		e.spans++
		e.way += way
		e.keep(v.T, on)
	}
	return e.finding(residual, way), nil
}

func (e *Examiner) finding(residual, way float64) liveproof.Finding {
	f := liveproof.Finding{Signals: map[string]float64{SignalResidual: residual, SignalShift: way}}
	switch {
	case e.sum >= e.cfg.Needed:
		f.Given = []liveproof.Evidence{liveproof.EvidenceMotion}
	case e.spans >= rigidSpans && e.way >= e.cfg.RigidShift:
		f.Reasons = []liveproof.Reason{liveproof.ReasonMotionMissing}
	}
	return f
}

// follow begins anew with another face and after a gap.
func (e *Examiner) follow(v liveproof.View) {
	interval := v.T - e.last
	gap := e.interval > 0 && interval > time.Duration(late*float64(e.interval))+slack
	if v.Track != e.track || interval <= 0 || gap {
		e.keyed, e.sum, e.spans, e.way = false, 0, 0, 0
		interval = 0
	}
	e.track, e.last, e.interval = v.Track, v.T, interval
}

// keep makes the view the one that later ones are compared with.
func (e *Examiner) keep(t time.Duration, on similarity) {
	e.key.prepare(&e.now)
	e.keyed, e.keyAt, e.keyOn = true, t, on
}

// hides reports whether the reason against scoring is one against the comparison too. A turned face is a face.
func hides(r liveproof.Reason) bool { return r != liveproof.ReasonFaceTurned }
