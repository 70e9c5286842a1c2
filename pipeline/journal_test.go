package pipeline

import (
	"context"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/stretchr/testify/require"

	"github.com/liveproof/liveproof"
)

// TestStoreAwayMidSession: no sample is lost or doubled, and the session goes on.
func TestStoreAwayMidSession(t *testing.T) {
	bubble(t, func(t *testing.T) {
		r := liveRig(t, live(30*30, 30))
		r.info.Mode = liveproof.ModeCall
		time.AfterFunc(5*time.Second, func() { r.store.set(true) })
		time.AfterFunc(20*time.Second, func() { r.store.set(false) })
		v, err := r.run(context.Background())
		require.NoError(t, err)
		require.Equal(t, isLive, v.Outcome)
		require.Equal(t, int64(len(r.timeline())), r.report.Counts.Sampled)
		for i, s := range r.timeline() {
			require.Equal(t, int64(i+1), s.Seq)
		}
		require.Empty(t, r.report.Drops)
		require.NotZero(t, testutil.ToFloat64(r.met.writes.WithLabelValues("retry")))
		require.Zero(t, testutil.ToFloat64(r.met.lost))
	})
}

// TestEndingCarriesWhatTheStoreLacks: the verdict does not wait for a store that
// is away, and the ending has the missing samples.
func TestEndingCarriesWhatTheStoreLacks(t *testing.T) {
	for rho, want := range map[float64]liveproof.Outcome{0.95: isLive, 0.05: isSpoof} {
		bubble(t, func(t *testing.T) {
			r := liveRig(t, live(600, 30))
			r.models.score = always(rho)
			r.store.down = true
			begun := time.Now()
			v, err := r.run(context.Background())
			require.NoError(t, err)
			require.Equal(t, want, v.Outcome)
			require.Less(t, time.Since(begun), 2500*time.Millisecond)
			require.Empty(t, r.store.samples)
			require.Len(t, r.end.Samples, int(r.end.Frames.Sampled))
			require.NotZero(t, r.end.Frames.Scored)
		})
	}
}

// TestStoreSlow: a store that never answers costs one bounded attempt.
func TestStoreSlow(t *testing.T) {
	bubble(t, func(t *testing.T) {
		r := liveRig(t, live(600, 30))
		begun := time.Now()
		v, err := r.runWith(context.Background(), hanging{})
		require.NoError(t, err)
		require.Equal(t, isLive, v.Outcome)
		require.Less(t, time.Since(begun), 2300*time.Millisecond+r.cfg.RecordTimeout)
		require.Len(t, r.end.Samples, int(r.end.Frames.Sampled))
		require.Empty(t, r.report.Drops)
	})
}

// hanging is a store that does not answer.
type hanging struct{}

func (hanging) AppendSamples(ctx context.Context, _ liveproof.SessionID, _ []liveproof.Sample,
	_ liveproof.FrameCounts, _ liveproof.Verdict) error {
	<-ctx.Done()
	return ctx.Err()
}

// TestDecidedElsewhereEndsTheCall: a session stops when its record was ended
// elsewhere or deleted.
func TestDecidedElsewhereEndsTheCall(t *testing.T) {
	for _, refusal := range []error{liveproof.ErrDecided, liveproof.ErrNotFound, liveproof.ErrConflict} {
		bubble(t, func(t *testing.T) {
			r := liveRig(t, live(3000, 30))
			r.info.Mode = liveproof.ModeCall
			begun := time.Now()
			v, err := r.runWith(context.Background(), &closing{record: r.store, after: 3, refusal: refusal})
			require.ErrorIs(t, err, refusal)
			require.Equal(t, inconclusive, v.Outcome)
			require.NotContains(t, r.verdicts(), isLive, "its record was refused")
			require.Less(t, time.Since(begun), 5*time.Second)
		})
	}
}

// closing is a store whose record is closed or deleted after some writes.
type closing struct {
	*record
	after   int
	refusal error
}

func (c *closing) AppendSamples(ctx context.Context, id liveproof.SessionID, s []liveproof.Sample,
	n liveproof.FrameCounts, v liveproof.Verdict) error {
	if c.after--; c.after < 0 {
		return c.refusal
	}
	return c.record.AppendSamples(ctx, id, s, n, v)
}

// TestCallTellsLiveOnlyOnceRecorded: live is told after it is recorded, every other verdict
// at once.
func TestCallTellsLiveOnlyOnceRecorded(t *testing.T) {
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
		require.NoError(t, err)
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
		require.Equal(t, int(r.report.Counts.Sampled), len(r.timeline())+lost)
	})
}

// TestTimelineNeverHoldsAFinalVerdict: a one-shot decision is written with the session's end.
func TestTimelineNeverHoldsAFinalVerdict(t *testing.T) {
	bubble(t, func(t *testing.T) {
		r := liveRig(t, live(600, 30))
		_, err := r.run(context.Background())
		require.NoError(t, err)
		for _, v := range r.store.current {
			require.False(t, v.Final)
			require.Equal(t, pending, v.Outcome)
		}
		require.Equal(t, int(r.end.Frames.Scored), len(r.timeline()))
	})
}
