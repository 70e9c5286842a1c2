package pipeline

import (
	"context"

	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/stretchr/testify/require"

	"github.com/liveproof/liveproof"
)

const (
	isLive       = liveproof.OutcomeLive
	isSpoof      = liveproof.OutcomeSpoof
	inconclusive = liveproof.OutcomeInconclusive
	pending      = liveproof.OutcomePending
)

// bubble runs a test under a fake clock.
func bubble(t *testing.T, f func(t *testing.T)) {
	t.Helper()
	synctest.Test(t, f)
}

func TestLiveEndsAtTheVerdict(t *testing.T) {
	for rho, want := range map[float64]liveproof.Outcome{0.9: isLive, 0.1: isSpoof} {
		bubble(t, func(t *testing.T) {
			r := liveRig(t, live(3000, 30).ending(nil))
			r.models.score = always(rho)
			begun := time.Now()
			v, err := r.run(context.Background())
			require.NoError(t, err)
			require.Equal(t, want, v.Outcome)
			require.Equal(t, liveproof.StateDecided, r.end.State)
			require.InDelta(t, 2.2, time.Since(begun).Seconds(), 0.3)
			require.InDelta(t, 2.2, v.At.Seconds(), 0.3)
			require.Empty(t, r.verdicts(), "a one-shot verdict is final")
			require.Equal(t, 1.0, testutil.ToFloat64(r.met.verdicts.WithLabelValues("onboarding", string(want))))
			require.Zero(t, testutil.ToFloat64(r.met.active))
		})
	}
}

func TestDeadlineIsTheServersClock(t *testing.T) {
	bubble(t, func(t *testing.T) {
		// Stream time runs at a tenth of real time; the person waits no longer for that.
		r := liveRig(t, live(3000, 30).ending(nil).edit(func(_ int, p *picture) { p.t /= 10 }))
		r.info.Deadline = 6 * time.Second
		begun := time.Now()
		v, err := r.run(context.Background())
		require.NoError(t, err)
		require.Equal(t, inconclusive, v.Outcome)
		require.Equal(t, liveproof.ReasonDeadline, v.Reasons[0])
		require.Equal(t, liveproof.StateDecided, r.end.State)
		require.Equal(t, 6*time.Second, time.Since(begun))
		require.Equal(t, 6*time.Second, v.At)
	})
}

func TestDeadlineHoldsWhileAStageHangs(t *testing.T) {
	bubble(t, func(t *testing.T) {
		r := liveRig(t, live(3000, 30).ending(nil))
		var endedAt, begun = time.Duration(0), time.Now()
		r.models.detect = func(context.Context, int) (liveproof.Detection, error) {
			time.Sleep(40 * time.Second) // and does not heed its context
			return oneFace(1), nil
		}
		r.watch = func(e liveproof.Event) {
			if e.Ended != nil {
				endedAt = time.Since(begun)
			}
		}
		v, err := r.run(context.Background())
		require.NoError(t, err)
		require.Equal(t, inconclusive, v.Outcome)
		require.Equal(t, 15*time.Second, endedAt, "the ending does not wait for the stage")
	})
}

func TestCallFollowsTheEvidence(t *testing.T) {
	bubble(t, func(t *testing.T) {
		r := liveRig(t, live(30*40, 30))
		r.info.Mode = liveproof.ModeCall
		r.models.score = func(_ context.Context, n int) (float64, error) {
			if n > 30*10 && n < 30*20 {
				return 0.05, nil
			}
			return 0.95, nil
		}
		v, err := r.run(context.Background())
		require.NoError(t, err)
		require.Equal(t, []liveproof.Outcome{isLive, pending, isSpoof, isLive}, r.verdicts())
		require.Equal(t, isLive, v.Outcome)
		require.True(t, hasReason(v, liveproof.ReasonDisconnected))
		require.Equal(t, liveproof.StateDecided, r.end.State)
		require.Greater(t, len(r.timeline()), 195)
	})
}

func TestCallGoesStaleWithoutMedia(t *testing.T) {
	bubble(t, func(t *testing.T) {
		r := liveRig(t, live(150, 30).ending(nil))
		r.info.Mode = liveproof.ModeCall
		v, err := r.run(context.Background())
		require.ErrorIs(t, err, liveproof.ErrIdle)
		require.Equal(t, inconclusive, v.Outcome)
		require.Equal(t, []liveproof.Outcome{isLive, pending}, r.verdicts())
		require.Equal(t, pending, r.store.current[len(r.store.current)-1].Outcome, "the store must not go on saying live")
	})
}

func TestHintsAreSteady(t *testing.T) {
	bubble(t, func(t *testing.T) {
		r := liveRig(t, live(30*16, 30).ending(nil))
		r.models.score = always(0.5)
		r.models.assess = func(n int) liveproof.Quality {
			second := n / 30
			switch {
			case second < 4:
				return liveproof.Quality{Reasons: []liveproof.Reason{liveproof.ReasonTooDark}}
			case second < 8 && n%30 < 6: // one sample a second flickers
				return liveproof.Quality{Reasons: []liveproof.Reason{liveproof.ReasonBlurred}}
			}
			return liveproof.Quality{Weight: 1}
		}
		_, err := r.run(context.Background())
		require.NoError(t, err)
		require.Equal(t, []liveproof.Reason{liveproof.ReasonTooDark, ""}, r.hints())
	})
}

func TestRunOnlyOnce(t *testing.T) {
	r := fileRig(t, play(300, 30))
	s, err := New(r.cfg, Deps{Source: r.src, Detector: &r.models, Cropper: &r.models, Scorer: &r.models, Identity: trusting{}, Policy: r.policy}, r.info)
	require.NoError(t, err)
	end, err := s.Run(context.Background())
	require.NoError(t, err)
	require.Equal(t, isLive, end.Verdict.Outcome)
	end, err = s.Run(context.Background())
	require.ErrorIs(t, err, ErrRan)
	require.Equal(t, inconclusive, end.Verdict.Outcome)
}

// TestMediaCounts: what the source counted is added to what the stages did.
func TestMediaCounts(t *testing.T) {
	r := fileRig(t, play(30, 30))
	s, err := New(r.cfg, Deps{Source: r.src, Detector: &r.models, Cropper: &r.models, Scorer: &r.models, Identity: trusting{}, Policy: r.policy,
		Media: func() liveproof.FrameCounts { return liveproof.FrameCounts{Received: 50, Decoded: 30, Dropped: 20} }}, r.info)
	require.NoError(t, err)
	_, err = s.Run(context.Background())
	require.NoError(t, err)
	require.Equal(t, liveproof.FrameCounts{Received: 50, Decoded: 30, Sampled: 6, Scored: 6, Dropped: 20}, s.Report().Counts)
}
