package pipeline

import (
	"context"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/stretchr/testify/require"

	"github.com/liveproof/liveproof"
)

// hesitant is a watcher of identity that answers some views later.
type hesitant struct {
	answer func(n int) (f liveproof.Finding, after time.Duration) // of the n-th view, from 1; after 0: at once; < 0: at Close
	views  []liveproof.View
	open   []func()
	closed int
}

func (h *hesitant) Examine(_ context.Context, v liveproof.View) (liveproof.Finding, error) {
	h.views = append(h.views, v)
	f, after := h.answer(len(h.views))
	if after == 0 {
		return f, nil
	}
	later := liveproof.NewLater()
	if after > 0 {
		time.AfterFunc(after, func() { later.Tell(f) })
	} else {
		h.open = append(h.open, func() { later.Tell(f) })
	}
	return liveproof.Finding{Later: later}, nil
}

func (h *hesitant) Close() error {
	h.closed++
	for _, tell := range h.open {
		tell()
	}
	h.open = nil
	return nil
}

var otherPerson = liveproof.Finding{Reasons: []liveproof.Reason{liveproof.ReasonFaceChanged}}

// asks is a watcher that is asked about its n-th view, and answers f after a time.
func asks(n int, f liveproof.Finding, after time.Duration) *hesitant {
	return &hesitant{answer: func(view int) (liveproof.Finding, time.Duration) {
		if view == n {
			return f, after
		}
		return liveproof.Finding{}, 0
	}}
}

// unsettledAt are the numbers of the samples on which no decision rests.
func unsettledAt(r *rig) (at []int64) {
	for _, s := range r.timeline() {
		if s.Unsettled() {
			at = append(at, s.Seq)
		}
	}
	return at
}

// restartedAt are the numbers of the samples at which the person changed.
func restartedAt(r *rig) (at []int64) {
	for _, s := range r.timeline() {
		if len(s.Reasons) > 0 && changesPerson(s.Reasons[0]) {
			at = append(at, s.Seq)
		}
	}
	return at
}

// TestLateAnswerRestarts: the evidence that was gathered since the doubt is thrown away too, and in between no decision is made.
func TestLateAnswerRestarts(t *testing.T) {
	for name, c := range map[string]struct {
		after            time.Duration
		restart          int64 // the sample
		unsettled, views []int64
	}{
		"before its own sample is judged": {10 * time.Millisecond, 10, nil, nil},
		"before the next":                 {100 * time.Millisecond, 11, []int64{10}, nil},
		"after the verdict was due":       {700 * time.Millisecond, 14, []int64{10, 11, 12, 13}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				r := liveRig(t, live(3000, 30).ending(nil))
				watcher := asks(10, otherPerson, c.after)
				r.identity = watcher
				r.models.score = scoresIn(20*time.Millisecond, 0.9)
				v, err := r.run(context.Background())
				require.NoError(t, err)
				require.Equal(t, isLive, v.Outcome)
				require.Equal(t, []int64{c.restart}, restartedAt(r))
				require.Equal(t, c.unsettled, unsettledAt(r))
				require.GreaterOrEqual(t, v.At, r.timeline()[c.restart-1].T+r.policy.MinSpan, "on the evidence after the answer alone")
				require.Equal(t, 1, watcher.closed)
				require.Equal(t, float64(len(c.unsettled)), testutil.ToFloat64(r.met.unsettled))
			})
		})
	}
}

// TestBlockedIdentityDelaysNoScore: while an answer is outstanding, samples are scored as without, and there is neither live nor spoof.
func TestBlockedIdentityDelaysNoScore(t *testing.T) {
	for rho, want := range map[float64]liveproof.Outcome{0.9: isLive, 0.1: isSpoof} {
		bubble(t, func(t *testing.T) {
			run := func(identity Examiner) (*rig, liveproof.Verdict) {
				r := liveRig(t, live(30*8, 30))
				r.info.Mode = liveproof.ModeCall
				r.models.score = always(rho)
				r.identity = identity
				ctx, cancel := context.WithTimeoutCause(t.Context(), 7900*time.Millisecond, &liveproof.EndError{Reason: liveproof.ReasonDisconnected})
				defer cancel()
				v, err := r.run(ctx)
				require.NoError(t, err)
				return r, v
			}
			without, due := run(trusting{})
			require.Equal(t, want, due.Outcome)
			blocked, v := run(asks(5, liveproof.Finding{}, -1))
			require.Equal(t, inconclusive, v.Outcome)
			require.Empty(t, blocked.verdicts())
			require.Equal(t, without.report.Counts.Scored, blocked.report.Counts.Scored)
			require.Greater(t, blocked.report.Counts.Scored, int64(35))
		})
	}
}

// TestVerdictAfterTheAnswer: the same person is live with the first sample after the answer.
func TestVerdictAfterTheAnswer(t *testing.T) {
	bubble(t, func(t *testing.T) {
		r := liveRig(t, live(3000, 30).ending(nil))
		r.identity = asks(10, liveproof.Finding{}, time.Second)
		v, err := r.run(context.Background())
		require.NoError(t, err)
		require.Equal(t, isLive, v.Outcome)
		require.Empty(t, restartedAt(r))
		require.Equal(t, int64(len(r.timeline())-1), unsettledAt(r)[len(unsettledAt(r))-1])
	})
}

// TestNoVerdictWhileUnsettled: a finding that cannot say whether the person is the same withholds the verdict until one can, whether it is told at
// once or later.
func TestNoVerdictWhileUnsettled(t *testing.T) {
	for name, after := range map[string]time.Duration{"at once": 0, "later": 10 * time.Millisecond} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				r := liveRig(t, live(3000, 30).ending(nil))
				r.identity = &hesitant{answer: func(n int) (liveproof.Finding, time.Duration) {
					return liveproof.Finding{Unsettled: n >= 8 && n < 16}, after
				}}
				r.models.score = scoresIn(20*time.Millisecond, 0.9)
				v, err := r.run(context.Background())
				require.NoError(t, err)
				require.Equal(t, isLive, v.Outcome)
				require.Equal(t, []int64{8, 9, 10, 11, 12, 13, 14, 15}, unsettledAt(r))
				require.Equal(t, r.timeline()[15].T, v.At, "with the first sample after it")
			})
		})
	}
}

// TestAnswersKeepTheirOrder: one that comes first waits for that of an earlier view.
func TestAnswersKeepTheirOrder(t *testing.T) {
	bubble(t, func(t *testing.T) {
		r := liveRig(t, live(3000, 30).ending(nil))
		r.identity = &hesitant{answer: func(n int) (liveproof.Finding, time.Duration) {
			switch n {
			case 5:
				return liveproof.Finding{}, 900 * time.Millisecond
			case 6:
				return otherPerson, 50 * time.Millisecond
			}
			return liveproof.Finding{}, 0
		}}
		_, err := r.run(context.Background())
		require.NoError(t, err)
		require.Equal(t, []int64{10}, restartedAt(r))
		require.Equal(t, []int64{5, 6, 7, 8, 9}, unsettledAt(r))
	})
}

// TestNoEvidenceOfTwoPeople: what an examiner gathered before it could hear of the other person does not count after the restart, and it
// begins again.
func TestNoEvidenceOfTwoPeople(t *testing.T) {
	bubble(t, func(t *testing.T) {
		r := liveRig(t, live(30*6, 30).ending(nil))
		r.info.Deadline = 5 * time.Second
		r.policy.Require = append(r.policy.Require, liveproof.EvidenceMotion)
		// The answer comes while the scorer has the sample in which the examiner completes its evidence.
		r.identity = asks(5, otherPerson, 250*time.Millisecond)
		r.models.score = func(context.Context, int) (float64, error) {
			time.Sleep(100 * time.Millisecond)
			return 0.9, nil
		}
		e := &examiner{answer: func(n int) (f liveproof.Finding, err error) {
			if n == 6 {
				f.Given = []liveproof.Evidence{liveproof.EvidenceMotion}
			}
			return f, nil
		}}
		r.examiners = []Examiner{e}
		v, err := r.run(context.Background())
		require.NoError(t, err)
		require.Equal(t, []int64{6}, restartedAt(r), "with the sample in which the evidence was complete")
		require.Equal(t, inconclusive, v.Outcome)
		require.Contains(t, v.Reasons, liveproof.ReasonMotionMissing)
		require.Equal(t, e.views[5].Track, e.views[4].Track)
		require.Equal(t, e.views[5].Track+1, e.views[6].Track)
	})
}

// TestAnswerWhileNoFaceIsSeen: a call is no longer live, although no view comes that could be examined.
func TestAnswerWhileNoFaceIsSeen(t *testing.T) {
	bubble(t, func(t *testing.T) {
		r := liveRig(t, live(30*5, 30))
		r.cfg.RelaxedRate = r.cfg.SampleRate
		r.info.Mode = liveproof.ModeCall
		r.identity = asks(20, otherPerson, 300*time.Millisecond)
		r.models.detect = func(_ context.Context, n int) (liveproof.Detection, error) {
			if n > 30*4 {
				return liveproof.Detection{Primary: -1}, nil
			}
			return oneFace(1), nil
		}
		v, err := r.run(context.Background())
		require.NoError(t, err)
		require.Equal(t, []liveproof.Outcome{isLive, pending}, r.verdicts())
		require.Equal(t, inconclusive, v.Outcome)
	})
}

// TestEndDoesNotOvertakeAnAnswer: who hangs up while the answer is outstanding is not live by the evidence before.
func TestEndDoesNotOvertakeAnAnswer(t *testing.T) {
	for name, c := range map[string]struct {
		answer liveproof.Finding
		want   liveproof.Outcome
	}{
		"another person":  {otherPerson, inconclusive},
		"the same person": {liveproof.Finding{}, isLive},
		"not sure":        {liveproof.Finding{Unsettled: true}, isLive}, // a call that stands at live stays so until its evidence restarts
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				r := liveRig(t, live(30*4, 30))
				r.cfg.RelaxedRate = r.cfg.SampleRate
				r.info.Mode = liveproof.ModeCall
				r.identity = asks(20, c.answer, 500*time.Millisecond)
				v, err := r.run(context.Background())
				require.NoError(t, err)
				require.Equal(t, c.want, v.Outcome)
				for i, s := range r.timeline() {
					require.Equal(t, int64(i+1), s.Seq)
				}
				require.Len(t, r.timeline(), int(r.report.Counts.Sampled))
			})
		})
	}
}

// TestLateDoubtRestoresTheFullRate: it does not wait for the next sample of a relaxed call.
func TestLateDoubtRestoresTheFullRate(t *testing.T) {
	bubble(t, func(t *testing.T) {
		r := liveRig(t, &script{})
		l := &line{attention: newAttention(r.cfg, liveproof.ModeCall, r.met)}
		l.attention.period = l.attention.longest
		j := &judge{line: l, lastT: time.Second}
		later := liveproof.NewLater()
		j.late.await(later)
		j.hear()
		require.Equal(t, l.attention.longest, l.attention.period)
		later.Tell(liveproof.Finding{Doubt: true})
		<-j.late.next()
		j.hear()
		require.Equal(t, l.attention.full, l.attention.period)
		require.Nil(t, j.late.next())
	})
}
