package motion

import (
	"context"
	"math"
	"slices"
	"time"

	"github.com/liveproof/liveproof"
)

// Names of the signals.
const (
	// SignalResidual is the motion besides that of a photograph since an earlier sample, in levels of a finely encoded picture.
	SignalResidual = "motion.residual"
	// SignalShift is the way of the face in the picture since then, in shares of its size.
	SignalShift = "motion.shift"
)

const (
	// maxStep is what one difference adds at most to the sum. It is below Config.Needed, so that a cut is not enough.
	maxStep = 2
	// half is taken off each difference, in multiples of Config.MinResidual.
	half = 0.5
	// quiet is what a span without a difference takes off the sum.
	quiet = 1
	// rigidSpans is how many spans without a difference show that a face moves as a photograph does.
	rigidSpans = 3
	// settling is for how long another face's differences do not count. A fade from one face to another is taken for another face in its middle, and what
	// is left of the first would pass as motion of the second.
	settling = time.Second
	// slack takes in samples that are a picture early.
	slack = 50 * time.Millisecond
	// coarse is how much of an encoder's quantiser step its noise reaches, in levels of the residual.
	coarse = 0.08
)

// Examiner gathers one session's evidence of motion. It is not safe for concurrent use.
type Examiner struct {
	cfg     Config
	metrics *Metrics

	// The newest view.
	track int // 0 before the first
	seq   int64
	at    time.Duration

	counts time.Duration // from when on differences count

	now    patch
	buffer blocks
	fit    fit

	keyed bool // key is a sample's
	key   reference
	keyAt time.Duration
	keyOn similarity

	sum   float64 // of the differences, up to Config.Needed
	spans int     // without a difference, in a row
	way   float64 // of the face in these spans, in shares of its size
}

// New returns an examiner for one session. The metrics are those of all sessions.
func New(cfg Config, metrics *Metrics) *Examiner { return &Examiner{cfg: cfg, metrics: metrics} }

// Examine compares the view with an earlier one. Given has liveproof.EvidenceMotion with each view at which enough motion was seen
// in the views just before, without one left out, and not in the first second of another face; Reasons has liveproof.ReasonRigidMotion
// while they show the motion of a photograph only.
// A view in which the face is badly seen says nothing. It returns no error.
func (e *Examiner) Examine(_ context.Context, v liveproof.View) (liveproof.Finding, error) {
	e.follow(v)
	on := alignment(v.Face)
	if slices.ContainsFunc(v.Reasons, hides) || !on.usable(v.Image) || !e.buffer.cover(v.Image, on) {
		e.metrics.seen(resultPoor)
		return liveproof.Finding{}, nil
	}
	e.now.cut(&e.buffer, on)
	if !e.keyed || v.T-e.keyAt > 2*e.cfg.Span || !e.key.compare(&e.now, &e.fit) {
		e.metrics.seen(resultFirst)
		e.keep(v.T, on)
		return liveproof.Finding{}, nil
	}
	residual, way := e.fit.residual(&e.key)/noise(v), shift(e.keyOn, on, e.fit.warp)
	e.weigh(residual, way, v.T, on)
	return e.finding(residual, way), nil
}

// weigh adds a comparison to the sum.
func (e *Examiner) weigh(residual, way float64, t time.Duration, on similarity) {
	e.metrics.residuals.Observe(residual)
	if residual >= e.cfg.MinResidual {
		e.metrics.seen(resultMoved)
		if t >= e.counts {
			e.sum = min(e.sum+min(residual/e.cfg.MinResidual-half, maxStep), e.cfg.Needed)
		}
		e.spans, e.way = 0, 0
		e.keep(t, on)
		return
	}
	e.metrics.seen(resultRigid)
	if t-e.keyAt >= e.cfg.Span-slack {
		e.sum = max(0, e.sum-quiet)
		e.spans++
		e.way += way
		e.keep(t, on)
	}
}

func (e *Examiner) finding(residual, way float64) liveproof.Finding {
	f := liveproof.Finding{Signals: map[string]float64{SignalResidual: residual, SignalShift: way}}
	switch {
	case e.sum >= e.cfg.Needed:
		f.Given = []liveproof.Evidence{liveproof.EvidenceMotion}
	case e.spans >= rigidSpans && e.way >= e.cfg.RigidShift:
		f.Reasons = []liveproof.Reason{liveproof.ReasonRigidMotion}
	}
	return f
}

// follow begins anew with another face, and where a sample was left out: whatever was in it may have restarted the evidence.
func (e *Examiner) follow(v liveproof.View) {
	first, another := e.track == 0, v.Track != e.track
	if another || v.Seq != e.seq+1 || v.T <= e.at {
		e.keyed, e.sum, e.spans, e.way = false, 0, 0, 0
	}
	if another && !first {
		e.counts = v.T + settling
	}
	e.track, e.seq, e.at = v.Track, v.Seq, v.T
}

// keep makes the view the one that later ones are compared with.
func (e *Examiner) keep(t time.Duration, on similarity) {
	e.key.prepare(&e.now)
	e.keyed, e.keyAt, e.keyOn = true, t, on
}

// hides reports whether the reason against scoring is one against the comparison too. A turned face is a face.
func hides(r liveproof.Reason) bool { return r != liveproof.ReasonFaceTurned }

// noise is by how much a coarse encoding raises the limit.
func noise(v liveproof.View) float64 {
	if v.Image.Coding == nil {
		return 1
	}
	return math.Hypot(1, coarse*v.Image.Coding.Quantisers.Around(v.Face.Box, v.Image))
}
