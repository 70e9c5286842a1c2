package pipeline

import (
	"context"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/stretchr/testify/require"

	"github.com/liveproof/liveproof"
)

// TestCase14StoreAwayMidSession: nothing is lost or doubled, the media path does not notice.
func TestCase14StoreAwayMidSession(t *testing.T) {
	bubble(t, func(t *testing.T) {
		r := liveRig(t, live(30*30, 30))
		r.info.Mode = liveproof.ModeCall
		time.AfterFunc(5*time.Second, func() { r.store.set(true) })
		time.AfterFunc(20*time.Second, func() { r.store.set(false) })
		v, err := r.run(context.Background())
		require.NoError(t, err)
		require.Equal(t, isLive, v.Outcome)
		require.Equal(t, int64(len(r.store.samples)), r.report.Counts.Sampled)
		for i, s := range r.store.samples {
			require.Equal(t, int64(i+1), s.Seq)
		}
		require.Empty(t, r.report.Drops)
		require.NotZero(t, testutil.ToFloat64(r.met.writes.WithLabelValues("append", "retry")))
		require.Zero(t, testutil.ToFloat64(r.met.lost))
	})
}

// TestCase14UnrecordedLiveIsNotLive: who cannot be recorded does not pass.
func TestCase14UnrecordedLiveIsNotLive(t *testing.T) {
	bubble(t, func(t *testing.T) {
		r := liveRig(t, live(600, 30))
		r.store.down = true
		begun := time.Now()
		v, err := r.run(context.Background())
		require.ErrorIs(t, err, liveproof.ErrUnavailable)
		require.ErrorIs(t, err, errDown)
		require.Equal(t, inconclusive, v.Outcome)
		require.Equal(t, []liveproof.Outcome{inconclusive}, r.verdicts(), "live must not be told")
		require.Equal(t, isLive, r.report.Judged.Outcome)
		require.Nil(t, r.store.decided)
		require.Less(t, time.Since(begun), 2300*time.Millisecond+r.cfg.DecideTimeout+r.cfg.RecordTimeout)
	})
}

// TestCase14UnrecordedJudgementIsHandedBack: who can wait longer for the store gets exactly what was judged.
func TestCase14UnrecordedJudgementIsHandedBack(t *testing.T) {
	for rho, want := range map[float64]liveproof.Outcome{0.95: isLive, 0.05: isSpoof} {
		bubble(t, func(t *testing.T) {
			r := liveRig(t, live(600, 30))
			r.models.score = always(rho)
			r.store.down = true
			_, err := r.run(context.Background())
			var lost *liveproof.UnrecordedError
			require.ErrorAs(t, err, &lost)
			require.Equal(t, want, lost.Ending.Verdict.Outcome)
			require.Equal(t, r.report.Judged, lost.Ending.Verdict)
			require.Equal(t, liveproof.StateDecided, lost.Ending.State)
			require.Equal(t, r.report.Counts, lost.Ending.Counts)
			require.NotZero(t, lost.Ending.Counts.Scored)
			told := r.events[len(r.events)-2].Judged
			require.NotNil(t, told, "told before the store was asked")
			require.Equal(t, lost.Ending, *told)
		})
	}
}

// TestCase14StoreBackInTime: the verdict is written once the store is back.
func TestCase14StoreBackInTime(t *testing.T) {
	bubble(t, func(t *testing.T) {
		r := liveRig(t, live(600, 30))
		r.store.down = true
		time.AfterFunc(6*time.Second, func() { r.store.set(false) })
		v, err := r.run(context.Background())
		require.NoError(t, err)
		require.Equal(t, isLive, v.Outcome)
		require.NotEmpty(t, r.store.samples)
	})
}

// TestCase14StoreSlow: a store that never answers costs bounded time.
func TestCase14StoreSlow(t *testing.T) {
	bubble(t, func(t *testing.T) {
		r := liveRig(t, live(600, 30))
		s, err := New(r.cfg, Deps{Source: r.src, Detector: &r.models, Cropper: &r.models, Scorer: &r.models,
			Recorder: hanging{}, Observer: r.observe, Policy: r.policy, Pool: &r.pool}, r.info)
		require.NoError(t, err)
		begun := time.Now()
		v, err := s.Run(context.Background())
		require.ErrorIs(t, err, liveproof.ErrUnavailable)
		require.Equal(t, inconclusive, v.Outcome)
		require.Less(t, time.Since(begun), 14*time.Second)
		require.Empty(t, s.Report().Drops)
	})
}

// hanging is a store that does not answer.
type hanging struct{}

func (hanging) AppendSamples(ctx context.Context, _ liveproof.SessionID, _ []liveproof.Sample,
	_ liveproof.FrameCounts, _ liveproof.Verdict) error {
	<-ctx.Done()
	return ctx.Err()
}

func (hanging) Decide(ctx context.Context, _ liveproof.SessionID, _ liveproof.State, _ liveproof.Verdict, _ liveproof.FrameCounts) error {
	<-ctx.Done()
	return ctx.Err()
}

// TestCase14AnotherVerdictStands: it is neither overwritten nor contradicted by a live.
func TestCase14AnotherVerdictStands(t *testing.T) {
	for _, refuse := range []error{liveproof.ErrDecided, liveproof.ErrNotFound, liveproof.ErrConflict} {
		bubble(t, func(t *testing.T) {
			r := liveRig(t, live(600, 30))
			r.store.refuse = refuse
			v, err := r.run(context.Background())
			require.ErrorIs(t, err, refuse)
			require.Equal(t, inconclusive, v.Outcome)
			require.Equal(t, 1, r.store.decides, "a refusal is not tried again")
		})
	}
}

// TestCase14DecidedElsewhereEndsTheCall: a session whose record is closed or deleted stops.
func TestCase14DecidedElsewhereEndsTheCall(t *testing.T) {
	bubble(t, func(t *testing.T) {
		r := liveRig(t, live(3000, 30))
		r.info.Mode = liveproof.ModeCall
		store := &closing{record: r.store, after: 3}
		s, err := New(r.cfg, Deps{Source: r.src, Detector: &r.models, Cropper: &r.models, Scorer: &r.models,
			Recorder: store, Observer: r.observe, Policy: r.policy, Pool: &r.pool}, r.info)
		require.NoError(t, err)
		begun := time.Now()
		v, err := s.Run(context.Background())
		require.ErrorIs(t, err, liveproof.ErrNotFound)
		require.Equal(t, inconclusive, v.Outcome)
		require.Less(t, time.Since(begun), 5*time.Second)
	})
}

// closing is a store whose record is deleted after some writes.
type closing struct {
	*record
	after int
}

func (c *closing) AppendSamples(ctx context.Context, id liveproof.SessionID, s []liveproof.Sample,
	n liveproof.FrameCounts, v liveproof.Verdict) error {
	if c.after--; c.after < 0 {
		return liveproof.ErrNotFound
	}
	return c.record.AppendSamples(ctx, id, s, n, v)
}

func (c *closing) Decide(context.Context, liveproof.SessionID, liveproof.State, liveproof.Verdict, liveproof.FrameCounts) error {
	return liveproof.ErrNotFound
}

// TestCase14CallTellsLiveOnlyOnceRecorded: bad news travel at once, good news after their record.
func TestCase14CallTellsLiveOnlyOnceRecorded(t *testing.T) {
	bubble(t, func(t *testing.T) {
		r := liveRig(t, live(30*20, 30))
		r.info.Mode = liveproof.ModeCall
		r.store.down = true
		time.AfterFunc(10*time.Second, func() { r.store.set(false) })
		begun := time.Now()
		var told time.Duration
		r.watch = func(e liveproof.Event) {
			if e.Verdict != nil && e.Verdict.Outcome == isLive && told == 0 {
				told = time.Since(begun)
				r.store.mu.Lock()
				defer r.store.mu.Unlock()
				require.Equal(t, isLive, r.store.current[len(r.store.current)-1].Outcome)
			}
		}
		_, err := r.run(context.Background())
		require.NoError(t, err)
		require.Greater(t, told, 10*time.Second)
	})
	bubble(t, func(t *testing.T) {
		r := liveRig(t, live(30*20, 30))
		r.info.Mode = liveproof.ModeCall
		r.store.down = true
		r.models.score = func(_ context.Context, n int) (float64, error) { return 0.9 - 0.8*float64(n/240), nil }
		_, err := r.run(context.Background())
		require.ErrorIs(t, err, liveproof.ErrUnavailable)
		require.NotContains(t, r.verdicts(), isLive)
		require.Contains(t, r.verdicts(), isSpoof)
	})
}

// TestBacklogIsBounded: a long outage costs the oldest samples, not memory.
func TestBacklogIsBounded(t *testing.T) {
	bubble(t, func(t *testing.T) {
		r := liveRig(t, live(30*20, 30))
		r.info.Mode = liveproof.ModeCall
		r.cfg.Backlog = 16
		r.store.down = true
		time.AfterFunc(15*time.Second, func() { r.store.set(false) })
		_, err := r.run(context.Background())
		require.NoError(t, err)
		lost := int(testutil.ToFloat64(r.met.lost))
		require.NotZero(t, lost)
		require.Equal(t, int(r.report.Counts.Sampled), len(r.store.samples)+lost)
	})
}

// TestTimelineNeverHoldsAFinalVerdict: a one-shot decision is Decide's to write.
func TestTimelineNeverHoldsAFinalVerdict(t *testing.T) {
	bubble(t, func(t *testing.T) {
		r := liveRig(t, live(600, 30))
		_, err := r.run(context.Background())
		require.NoError(t, err)
		for _, v := range r.store.current {
			require.False(t, v.Final)
			require.Equal(t, pending, v.Outcome)
		}
		require.Equal(t, int(r.store.counts.Scored), len(r.store.samples), "the whole timeline precedes the verdict")
	})
}
