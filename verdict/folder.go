package verdict

import (
	"fmt"
	"slices"
	"time"

	"github.com/liveproof/liveproof"
)

// minWeight is the least weight that counts: below it the sums could underflow
// to 0/0, and no quality measure means anything that small.
const minWeight = 1e-6

// obstacleShare: a reason that wasted less than one of so many samples did not keep a session from its decision.
const obstacleShare = 10

// Folder folds one session's samples as they come. Not safe for concurrent use.
type Folder struct {
	policy Policy
	mode   liveproof.Mode

	ev    evidence
	given []liveproof.Evidence // kinds given since the last restart, besides passive
	rigid bool                 // the face moves as a photograph does, in the newest sample that was examined
	seen  time.Duration        // newest sample time; -1 before the first
	track int                  // followed identity; 0 before the first

	injection liveproof.Injection
	suspected bool // it withholds live
	convicted bool // and does so to the end of a one-shot session
	stopped   bool // it has withheld a live that was due

	unsettled bool // it is not known whether the newest sample shows the person of the evidence

	outcome   liveproof.Outcome
	grounds   []liveproof.Reason // why the outcome is what it is; nil while first pending
	at        time.Duration
	final     *liveproof.Verdict
	restarts  int              // of the evidence
	restarted liveproof.Reason // why evidence restarted last, "" if it never did
	missed    liveproof.Reason // why the newest unscored sample since the last scored one was not scored
	samples   int              // over the whole session, as are:
	wasted    tally            // the samples that do not count, by reason: unscored ones, and those before a restart
}

// New returns a folder without evidence. The policy must name its threshold.
func New(p Policy, mode liveproof.Mode) (*Folder, error) {
	if err := p.Validate(); err != nil {
		return nil, err
	}
	if p.Threshold == 0 {
		return nil, fmt.Errorf("threshold: neither the policy nor the model names one")
	}
	if mode != liveproof.ModeOnboarding && mode != liveproof.ModeCall {
		return nil, fmt.Errorf("mode: %q is neither onboarding nor call", mode)
	}
	return &Folder{policy: p, mode: mode, seen: -1, outcome: liveproof.OutcomePending, wasted: tally{}}, nil
}

// Fold judges a whole timeline at stream time elapsed. ended is "" while the
// session runs, else why it ended. A policy that New refuses gives inconclusive.
func Fold(p Policy, mode liveproof.Mode, samples []liveproof.Sample, elapsed time.Duration,
	ended liveproof.Reason) liveproof.Verdict {
	f, err := New(p, mode)
	if err != nil {
		return liveproof.Inconclusive(liveproof.ReasonInternalError)
	}
	for _, s := range samples {
		f.Add(s)
	}
	if ended == "" {
		f.Advance(elapsed)
	} else {
		f.End(elapsed, ended)
	}
	return f.Verdict()
}

// Add takes in the next sample. After a final verdict the evidence is still
// kept up to date (see Smoothed) but the verdict stands.
func (f *Folder) Add(s liveproof.Sample) {
	s = f.checked(s)
	f.samples++
	f.unsettled = s.Unsettled()
	if s.T > f.seen && !mistimed(s.Reasons) {
		f.Advance(s.T)
		f.seen = s.T
	}
	f.identify(s)
	f.receive(s)
	f.suspect(s)
	f.weigh(s)
	f.refuse(s)
}

// weigh takes in what a sample says about ρ.
func (f *Folder) weigh(s liveproof.Sample) {
	if !s.Scored {
		f.miss(s)
		return
	}
	f.missed = ""
	f.ev.count(f.policy, s)
	f.judge(s.T)
}

// Advance records that the stream has reached time t without a further sample: a
// one-shot session may pass its deadline, and evidence becomes stale.
func (f *Folder) Advance(t time.Duration) {
	f.expire(t)
	if f.ev.scored > 0 && t-f.ev.last > f.policy.RestartGap {
		f.restart(t, firstOf(f.missed, liveproof.ReasonInsufficientEvidence))
	}
}

// expire ends a one-shot session at its deadline.
func (f *Folder) expire(t time.Duration) {
	if f.mode == liveproof.ModeOnboarding && t >= f.policy.Deadline {
		f.conclude(f.policy.Deadline, liveproof.ReasonDeadline)
	}
}

// End closes the session at time t. A decision that stands is kept; a
// call that ends regularly (disconnected) keeps live or spoof when its evidence
// is fresh; everything else is inconclusive. For a one-shot session t may be the server's time, which can be later than
// stream time. The session's evidence does not become stale by that difference, so that the reasons name what was seen.
func (f *Folder) End(t time.Duration, why liveproof.Reason) {
	if f.mode == liveproof.ModeCall {
		f.Advance(t)
	}
	f.expire(t)
	standing := f.outcome == liveproof.OutcomeLive || f.outcome == liveproof.OutcomeSpoof
	if standing && why == liveproof.ReasonDisconnected {
		f.settle(f.outcome, f.at, append(slices.Clone(f.grounds), why))
		return
	}
	f.conclude(t, why)
}

// checked turns what must not count into an unscored sample with its reason.
func (f *Folder) checked(s liveproof.Sample) liveproof.Sample {
	var why liveproof.Reason
	switch {
	case s.T < 0 || (s.Scored && s.T <= f.seen):
		why = liveproof.ReasonTimestampsBackward
	case !s.Scored || blocked(s.Reasons):
	case !(s.Rho >= 0 && s.Rho <= 1) || !(s.Weight >= minWeight && s.Weight <= 1):
		why = liveproof.ReasonScorerFailed
	case s.Track == 0:
		why = liveproof.ReasonNoFace
	default:
		return s
	}
	s.Scored = false
	if why != "" {
		s.Reasons = append([]liveproof.Reason{why}, s.Reasons...)
	}
	return s
}

// identify restarts the evidence when it is not sure that one and the same person was seen.
func (f *Folder) identify(s liveproof.Sample) {
	switch {
	case slices.Contains(s.Reasons, liveproof.ReasonMultipleFaces):
		f.restart(s.T, liveproof.ReasonMultipleFaces)
	case slices.Contains(s.Reasons, liveproof.ReasonStreamChanged):
		f.restart(s.T, liveproof.ReasonStreamChanged)
		f.track = 0 // whoever is seen next begins the new evidence
	case slices.Contains(s.Reasons, liveproof.ReasonSceneCut):
		f.restart(s.T, liveproof.ReasonSceneCut)
	case slices.Contains(s.Reasons, liveproof.ReasonTimestampsJumped):
		f.restart(f.seen, liveproof.ReasonTimestampsJumped)
	case slices.Contains(s.Reasons, liveproof.ReasonFaceChanged),
		s.Track != 0 && f.track != 0 && s.Track != f.track:
		f.restart(s.T, liveproof.ReasonFaceChanged)
	}
	if s.Track != 0 {
		f.track = s.Track
	}
}

// receive takes in the evidence that is complete with a sample, scored or not: a head that turns away as it was asked to is not
// scored.
func (f *Folder) receive(s liveproof.Sample) {
	if blocked(s.Reasons) || s.Track == 0 {
		return
	}
	f.rigid = slices.Contains(s.Reasons, liveproof.ReasonRigidMotion)
	for _, e := range s.Evidence {
		if e != liveproof.EvidencePassive && !slices.Contains(f.given, e) {
			f.given = append(f.given, e)
		}
	}
}

// suspect takes in the risk of injection. It outlives restarts of the evidence, because it is one of the sender, not of the person. In
// a one-shot session the largest risk counts; in a call the newest does. A suspicion for the lack of an attestation passes when that comes.
func (f *Folder) suspect(s liveproof.Sample) {
	risk, measured := liveproof.InjectionOf(s.Signals)
	suspected := slices.Contains(s.Reasons, liveproof.ReasonInjectionSuspected)
	lasts := f.mode == liveproof.ModeOnboarding
	if measured && (!lasts || risk.Risk >= f.injection.Risk) {
		f.injection = risk
	}
	if measured || suspected {
		f.convicted = f.convicted || lasts && suspected && s.Signals[liveproof.InjectionUnattested] == 0
		f.suspected = suspected || f.convicted
	}
}

// missing is the required evidence that was not given since the last restart, nor any that may take its place, besides passive.
func (f *Folder) missing() (kinds []liveproof.Evidence) {
	for _, e := range f.policy.Require {
		instead := slices.Contains(f.given, f.policy.Instead(e))
		if e != liveproof.EvidencePassive && !instead && !slices.Contains(f.given, e) {
			kinds = append(kinds, e)
		}
	}
	return kinds
}

// miss takes in a sample that was not scored.
func (f *Folder) miss(s liveproof.Sample) {
	why := liveproof.ReasonInsufficientEvidence
	if len(s.Reasons) > 0 {
		why = s.Reasons[0]
	}
	f.missed = why
	f.waste(why, 1)
	doubt := slices.IndexFunc(s.Reasons, liveproof.Reason.Doubtful)
	if doubt < 0 {
		return
	}
	f.ev.trust(f.policy, f.seen, true)
	if f.ev.doubtRun >= f.policy.MaxDoubt {
		f.restart(f.seen, s.Reasons[doubt])
	}
}

// restart throws the evidence away.
func (f *Folder) restart(t time.Duration, why liveproof.Reason) {
	// The run of doubt outlives the evidence: a frozen picture stays one.
	run := f.ev.doubtRun
	f.waste(why, f.ev.scored)
	f.ev, f.given, f.rigid = evidence{doubtRun: run}, nil, false
	f.restarts++
	f.restarted = why
	if f.mode == liveproof.ModeCall && f.outcome != liveproof.OutcomePending {
		f.change(liveproof.OutcomePending, t, why)
	}
}

// side is that of the evidence. An unsettled sample changes none: nothing new rests on it.
func (f *Folder) side() liveproof.Outcome {
	side := f.ev.side(f.policy)
	if f.unsettled && side != f.outcome {
		return liveproof.OutcomePending
	}
	return side
}

// judge weighs the evidence after a scored sample.
func (f *Folder) judge(t time.Duration) {
	side := f.side()
	switch {
	case side == liveproof.OutcomeSpoof && f.ev.blurred() != "":
		f.excuse(t)
	case f.suspected && f.outcome == liveproof.OutcomeLive && side == f.outcome:
		f.withhold(t)
	case side == f.outcome:
	case side == liveproof.OutcomeLive && f.Wanting() != "":
		f.withhold(t)
	case side == liveproof.OutcomeLive:
		f.change(side, t, liveproof.ReasonScoreAbove)
	case side == liveproof.OutcomeSpoof:
		f.change(side, t, liveproof.ReasonScoreBelow)
	case f.outcome == liveproof.OutcomeLive && f.ev.score.value() < f.policy.leave():
		f.change(side, t, liveproof.ReasonScoreUndecided)
	}
}

// excuse takes the place of spoof where the evidence proves no attack: a one-shot session ends without a decision, and a call is
// live no longer.
func (f *Folder) excuse(t time.Duration) {
	switch {
	case f.mode == liveproof.ModeOnboarding:
		f.settle(liveproof.OutcomeInconclusive, t, []liveproof.Reason{f.ev.blurred(), liveproof.ReasonInsufficientEvidence})
	case f.outcome == liveproof.OutcomeLive:
		f.change(liveproof.OutcomePending, t, f.ev.blurred())
	}
}

// withhold takes the place of live where required evidence is missing or injection is suspected: the session stays pending, and a call becomes
// so.
func (f *Folder) withhold(t time.Duration) {
	f.stopped = f.stopped || f.suspected
	if f.outcome != liveproof.OutcomePending {
		f.change(liveproof.OutcomePending, t, f.Wanting())
	}
}

// refuse ends a one-shot session whose challenge was not passed, and to which no further one is asked; a call stays without live.
func (f *Folder) refuse(s liveproof.Sample) {
	for _, why := range []liveproof.Reason{liveproof.ReasonChallengeFailed, liveproof.ReasonChallengeUnanswered} {
		switch {
		case !slices.Contains(s.Reasons, why):
		case f.mode == liveproof.ModeOnboarding:
			f.settle(liveproof.OutcomeInconclusive, max(f.seen, 0), []liveproof.Reason{why})
		case f.outcome == liveproof.OutcomePending:
			f.change(liveproof.OutcomePending, max(f.seen, 0), why)
		}
	}
}

// change moves to another outcome; one-shot decisions are final.
func (f *Folder) change(to liveproof.Outcome, t time.Duration, why liveproof.Reason) {
	if f.final != nil {
		return
	}
	f.outcome, f.at, f.grounds = to, max(t, 0), []liveproof.Reason{why}
	if f.mode == liveproof.ModeOnboarding {
		f.settle(to, f.at, f.grounds)
	}
}

// conclude ends without a decision. The reasons name what the session lacked, with its cause in the samples first where there is one.
func (f *Folder) conclude(t time.Duration, why liveproof.Reason) {
	lack := f.lack()
	if f.stopped && f.suspected { // whatever else came later
		lack = liveproof.ReasonInjectionSuspected
	}
	if why == liveproof.ReasonInsufficientEvidence {
		why = lack
	}
	reasons := distinct(why, lack, f.ev.blurred(), f.obstacle())
	if lack == liveproof.ReasonInsufficientEvidence {
		reasons = distinct(why, f.obstacle(), f.ev.blurred(), lack)
	}
	f.settle(liveproof.OutcomeInconclusive, t, reasons)
}

// obstacle is the reason for which most samples do not count; "" when that is less than one in obstacleShare.
func (f *Folder) obstacle() liveproof.Reason {
	top := f.wasted.top()
	if f.wasted[top]*obstacleShare < f.samples {
		return ""
	}
	return top
}

// waste counts samples that do not count. A lack of evidence is no cause of itself.
func (f *Folder) waste(why liveproof.Reason, samples int) {
	if why != liveproof.ReasonInsufficientEvidence {
		f.wasted.add(why, samples)
	}
}

// settle fixes the final verdict, once.
func (f *Folder) settle(o liveproof.Outcome, t time.Duration, reasons []liveproof.Reason) {
	if f.final != nil {
		return
	}
	f.outcome, f.at, f.grounds = o, max(t, 0), reasons
	v := f.current()
	v.Final = true
	f.final = &v
}
