package pipeline

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/liveproof/liveproof"
	"github.com/liveproof/liveproof/verdict"
)

// staleCheck is how often a call's evidence is looked at for its age.
const staleCheck = 250 * time.Millisecond

// judge is the last stage: it puts samples back in order, folds them, tells the
// observer and feeds the journal. It alone decides when the session ends.
type judge struct {
	cfg     Config
	deps    Deps
	mode    liveproof.Mode
	limit   time.Duration // one-shot: longest time from the first picture
	line    *line
	journal *journal
	folder  *verdict.Folder
	report  *Report

	threshold float64 // θ of the session

	judged int64            // newest sequence number judged
	early  map[int64]*frame // complete, but one before them is still at work

	hints    hinter
	small    smallness
	loss     loss
	progress liveproof.Progress
	outcome  liveproof.Outcome  // newest outcome
	change   int64              // its number
	track    int                // track of the newest followed face; 0 before the first
	unproved bool               // a call's live verdict is not recorded yet, so the observer is not told
	late     late               // findings of identity
	heard    []liveproof.Reason // of identity, for the next sample

	lastT    time.Duration // stream time of the newest judged sample
	judgedAt time.Time     // server time at which it was judged

	received int64         // of the source's counts
	heardAt  time.Duration // server time since the start at which they last grew
}

// timers of a live session; they never fire for files.
type timers struct {
	idle     *time.Timer
	stale    *time.Ticker
	deadline *time.Timer
}

func (j *judge) timers() timers {
	t := timers{idle: time.NewTimer(max(j.cfg.IdleTimeout, 1)), stale: time.NewTicker(staleCheck), deadline: time.NewTimer(j.limit)}
	if !j.cfg.Live {
		t.stop()
	}
	if !j.timed() {
		t.deadline.Stop()
	}
	if j.cfg.IdleTimeout == 0 {
		t.idle.Stop()
	}
	return t
}

func (t timers) stop() {
	t.idle.Stop()
	t.stale.Stop()
	t.deadline.Stop()
}

// run judges until the session ends. Every arm leaves by returning an ending.
func (j *judge) run(ctx context.Context) ending {
	t := j.timers()
	defer t.stop()
	for {
		select {
		case <-ctx.Done():
			return j.cancelled(ctx)
		case <-t.deadline.C:
			// The time runs from the first picture, which comes later than the timer.
			left := j.limit - j.elapsed()
			if left <= 0 {
				return j.end(liveproof.ReasonDeadline, nil)
			}
			t.deadline.Reset(left)
		case <-t.idle.C:
			left := j.cfg.IdleTimeout - min(j.silence(), j.quiet())
			if left <= 0 {
				return j.end(liveproof.ReasonNoMedia, liveproof.ErrIdle)
			}
			t.idle.Reset(left)
		case <-t.stale.C:
			j.age()
			j.network()
		case <-j.journal.stored:
			j.announceRecorded()
		case c := <-j.line.asks:
			j.deps.Observer(liveproof.Event{Challenge: c})
		case <-j.late.next():
			j.hear()
		case err := <-j.journal.broken:
			return j.end(liveproof.ReasonInternalError, err)
		case f, open := <-j.line.results:
			if end, over := j.result(ctx, f, open); over {
				return end
			}
		}
	}
}

// result takes what the stages completed. What comes after the context or the
// deadline has ended is not judged any more, whichever select saw first.
func (j *judge) result(ctx context.Context, f *frame, open bool) (ending, bool) {
	switch {
	case ctx.Err() != nil:
		return j.cancelled(ctx), true
	case !open:
		return j.sourceEnded(ctx), true
	case j.timed() && j.elapsed() >= j.limit:
		return j.end(liveproof.ReasonDeadline, nil), true
	}
	j.early[f.sample.Seq] = f
	for next := j.early[j.judged+1]; next != nil; next = j.early[j.judged+1] {
		j.judged++
		delete(j.early, j.judged)
		j.take(next)
		if j.folder.Verdict().Final && (j.cfg.Live || j.cfg.StopAtVerdict) {
			return j.ending(nil), true
		}
	}
	return ending{}, false
}

// take judges the next sample.
func (j *judge) take(f *frame) {
	start := time.Now()
	s := j.settle(f)
	j.folder.Add(s)
	j.line.restarts.Store(int64(j.folder.Restarts()))
	j.lastT, j.judgedAt = max(j.lastT, s.T), start
	j.report.add(s, f.quality, j.cfg.KeepSamples)
	j.attend(s)
	j.deps.Metrics.sample(s)
	j.ask(s)
	j.tell(s)
	j.announce(s)
	j.deps.Metrics.total.Observe(time.Since(f.arrived).Seconds())
	j.deps.Metrics.latency.WithLabelValues(string(StageJudge)).Observe(time.Since(start).Seconds())
}

// settle gives the frame's sample what identity has found since the last one. What the examiners gathered of a person who is gone is left
// out.
func (j *judge) settle(f *frame) liveproof.Sample {
	j.late.await(f.later)
	j.hear()
	if f.watched && f.later == nil {
		j.late.open = f.unsettled
	}
	s := &f.sample
	s.Reasons, j.heard = append(s.Reasons, j.heard...), nil
	if f.known < j.late.restarts {
		s.Evidence = nil
	}
	if j.late.unsettled() {
		f.add(liveproof.Finding{Signals: map[string]float64{liveproof.SignalUnsettled: 1}})
		j.deps.Metrics.unsettled.Inc()
	}
	return *s
}

// hear takes in what identity has found by now. The next sample gets its reasons, and comes soon if there is doubt.
func (j *judge) hear() {
	for _, found := range j.late.hear() {
		j.heard = append(j.heard, found.Reasons...)
		if found.Doubt || len(found.Reasons) > 0 {
			j.line.attention.doubt(j.lastT, causeIdentity)
		}
	}
}

// ask asks the source for pictures that can be scored.
func (j *judge) ask(s liveproof.Sample) {
	if adaptive, ok := j.deps.Source.(Adaptive); ok && slices.Contains(s.Reasons, liveproof.ReasonLowBitrate) {
		adaptive.PreferFiner()
	}
	if layered, ok := j.deps.Source.(Layered); ok && j.small.observe(s) {
		layered.PreferLarger()
	}
}

// tell is what the observer hears of every sample.
func (j *judge) tell(s liveproof.Sample) {
	j.deps.Observer(liveproof.Event{Sample: &liveproof.SampleEvent{Sample: s, Smoothed: j.folder.Smoothed(), Threshold: j.threshold}})
	if p := j.folder.Progress(); p != j.progress {
		j.progress = p
		j.deps.Observer(liveproof.Event{Progress: &p})
	}
	now := s.T
	if j.cfg.Live {
		now = j.elapsed()
	}
	j.observeLoss()
	if hint, ok := j.hints.observe(s, j.loss.heavy(), j.folder.Wanting(), now); ok {
		j.deps.Observer(liveproof.Event{Hint: &hint})
	}
}

// network looks at the source's losses and, while pictures fail to come for
// them, tells the person so.
func (j *judge) network() {
	j.observeLoss()
	if j.silence() < staleCheck || !j.loss.heavy() {
		return
	}
	if hint, ok := j.hints.propose(liveproof.ReasonPacketLoss, j.elapsed()); ok {
		j.deps.Observer(liveproof.Event{Hint: &hint})
	}
}

// observeLoss reads the source's counts of received and dropped pictures.
func (j *judge) observeLoss() {
	if j.deps.Media == nil {
		return
	}
	now := j.lastT
	if j.cfg.Live {
		now = time.Since(j.line.begun)
	}
	c := j.deps.Media()
	j.loss.observe(now, c)
	if c.Received > j.received {
		j.received, j.heardAt = c.Received, time.Since(j.line.begun)
	}
}

// announce follows the verdict: it numbers its changes, hands it to the journal,
// and in a call tells the observer. A call's live waits for its record.
func (j *judge) announce(samples ...liveproof.Sample) {
	v := j.folder.Verdict()
	changed := v.Outcome != j.outcome
	if changed {
		j.outcome = v.Outcome
		j.change++
	}
	if changed || len(samples) > 0 {
		current := v
		if v.Final {
			// A final verdict is written with the session's end, never with its timeline.
			current = pendingOf(v)
		}
		j.journal.note(entry{counts: j.counts(), current: current, change: j.change}, samples...)
	}
	if !changed || j.mode != liveproof.ModeCall {
		return
	}
	j.unproved = v.Outcome == liveproof.OutcomeLive && !j.journal.has(j.change)
	if !j.unproved {
		j.deps.Observer(liveproof.Event{Verdict: &v})
	}
}

// announceRecorded tells the observer that a call is live, once that is recorded and still
// true.
func (j *judge) announceRecorded() {
	if !j.unproved || !j.journal.has(j.change) {
		return
	}
	j.unproved = false
	v := j.folder.Verdict()
	j.deps.Observer(liveproof.Event{Verdict: &v})
}

// age lets a call's evidence become stale while no sample comes.
func (j *judge) age() {
	if j.mode != liveproof.ModeCall || j.judged == 0 {
		return
	}
	j.folder.Advance(j.now())
	j.line.restarts.Store(int64(j.folder.Restarts()))
	if j.now()-j.lastT > j.cfg.longest()+staleCheck {
		j.line.attention.doubt(j.lastT, causeStale)
	}
	j.announce()
}

// attend sets how closely the stream is watched after a sample. For files it does nothing,
// so that each run samples the same pictures.
func (j *judge) attend(s liveproof.Sample) {
	if !j.cfg.Live {
		return
	}
	was := j.track
	if s.Track != 0 {
		j.track = s.Track
	}
	watch := j.line.attention
	standing := j.outcome == liveproof.OutcomeLive || j.folder.Verdict().Outcome == liveproof.OutcomeLive
	switch {
	case slices.Contains(s.Reasons, liveproof.ReasonOverload):
		watch.missed(s.T)
	case !s.Scored:
		watch.doubt(s.T, causeUnscored)
	case was != 0 && j.track != was:
		watch.doubt(s.T, causeTrack)
	case j.loss.heavy():
		watch.doubt(s.T, causeLoss)
	case j.folder.Settled():
		watch.settled(s.T)
	case standing:
		watch.doubt(s.T, causeScore)
	}
}

// pendingOf is the running verdict beside a one-shot decision that is not recorded yet.
func pendingOf(v liveproof.Verdict) liveproof.Verdict {
	v.Outcome, v.Final, v.At = liveproof.OutcomePending, false, 0
	return v
}

// timed reports whether the server's clock bounds this session.
func (j *judge) timed() bool { return j.cfg.Live && j.mode == liveproof.ModeOnboarding }

// elapsed is the server's time since the first picture; 0 before it.
func (j *judge) elapsed() time.Duration {
	if j.line.pictures.Load() == 0 {
		return 0
	}
	return time.Since(j.line.begun) - time.Duration(j.line.firstAt.Load())
}

// silence is the server's time since the newest picture, or since the start.
func (j *judge) silence() time.Duration {
	return time.Since(j.line.begun) - time.Duration(j.line.lastAt.Load())
}

// quiet is the server's time since the source last received anything, shown or not: a sender whose key frame was lost
// is not idle.
func (j *judge) quiet() time.Duration {
	j.observeLoss()
	return time.Since(j.line.begun) - j.heardAt
}

// now is the stream's time as far as it is known.
func (j *judge) now() time.Duration {
	switch {
	case !j.cfg.Live:
		return j.lastT
	case j.mode == liveproof.ModeOnboarding:
		return j.elapsed()
	case j.judged == 0:
		return 0
	}
	return j.lastT + time.Since(j.judgedAt)
}

// counts follows the session's frames.
func (j *judge) counts() liveproof.FrameCounts {
	pictures := j.line.pictures.Load()
	c := liveproof.FrameCounts{Received: pictures, Decoded: pictures}
	if j.deps.Media != nil {
		c = j.deps.Media()
	}
	c.Sampled = j.line.sampled.Load()
	c.Scored = j.report.Counts.Scored
	c.Dropped += j.line.dropped.Load()
	return c
}

// sourceEnded: everything that the source gave has been judged, but for what identity is still at.
func (j *judge) sourceEnded(ctx context.Context) ending {
	for j.late.next() != nil {
		select {
		case <-j.late.next():
			j.hear()
		case <-ctx.Done():
			return j.cancelled(ctx)
		}
	}
	err := j.line.ended
	why := liveproof.ReasonOf(err)
	if why == liveproof.ReasonDisconnected {
		err = nil
	}
	if err == nil && !j.cfg.Live && j.mode == liveproof.ModeOnboarding {
		why = liveproof.ReasonInsufficientEvidence
	}
	return j.end(why, err)
}

// cancelled: the session's context ended first.
func (j *judge) cancelled(ctx context.Context) ending {
	err := context.Cause(ctx)
	why := liveproof.ReasonOf(err)
	if why != liveproof.ReasonInternalError && why != liveproof.ReasonUnsupportedMedia && !errors.Is(err, liveproof.ErrIdle) {
		err = nil
	}
	return j.end(why, err)
}

// conclude makes a sample of what identity has found since the last one: an end must not overtake it.
func (j *judge) conclude() {
	j.hear()
	if len(j.heard) == 0 {
		return
	}
	j.judged++
	j.line.sampled.Add(1)
	j.take(&frame{arrived: time.Now(), known: j.late.restarts, sample: liveproof.Sample{Seq: j.judged, T: j.lastT}})
}

// end closes the fold for a reason.
func (j *judge) end(why liveproof.Reason, err error) ending {
	j.conclude()
	j.folder.End(j.now(), why)
	return j.ending(err)
}

// ending is the fold's verdict, and what else explains that it lacks evidence: the network, or too few pictures.
func (j *judge) ending(err error) ending {
	j.observeLoss()
	return ending{verdict: j.sparse(j.loss.named(j.folder.Verdict())), err: err}
}
