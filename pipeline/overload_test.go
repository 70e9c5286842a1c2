package pipeline

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/stretchr/testify/require"

	"github.com/liveproof/liveproof"
)

// TestNewestWins: before a stage that is too slow, frames are dropped and counted by stage
// and reason: the oldest ones before the detector, new ones while the scorer is busy. The samples
// still come in order, each exactly once.
func TestNewestWins(t *testing.T) {
	slow := func(do func()) models {
		return models{
			detect: func(context.Context, int) (liveproof.Detection, error) { do(); return oneFace(1), nil },
		}
	}
	tests := []struct {
		name   string
		models models
		stage  Stage
	}{
		{"slow detector", slow(func() { time.Sleep(500 * time.Millisecond) }), StageDetect},
		{"slow scorer", models{score: func(context.Context, int) (float64, error) {
			time.Sleep(1500 * time.Millisecond)
			return 0.9, nil
		}}, StageScore},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				r := liveRig(t, live(30*14, 30))
				r.models = tt.models
				r.cfg.KeepSamples = true
				r.info.Mode = liveproof.ModeCall
				_, err := r.run(context.Background())
				require.NoError(t, err)
				drops := r.report.Drops[tt.stage][liveproof.ReasonOverload]
				require.Greater(t, drops, int64(10))
				require.Len(t, r.report.Drops, 1)
				require.Equal(t, float64(drops), testutil.ToFloat64(r.met.drops.WithLabelValues(string(tt.stage), "overload")))
				require.Equal(t, drops, r.report.Unscored[liveproof.ReasonOverload])
				require.Equal(t, drops, r.report.Counts.Dropped)
				require.Len(t, r.report.Samples, 71)
				for i, s := range r.report.Samples {
					require.Equal(t, int64(i+1), s.Seq)
				}
				if tt.stage == StageDetect {
					require.True(t, r.report.Samples[70].Scored, "the newest is what gets through")
				}
			})
		})
	}
}

// TestOverloadedSessionWastesLittle: with a scorer that takes fewer than 2 samples a second of 5,
// the others are given up before they are detected and cropped, and what is scored is fresh.
func TestOverloadedSessionWastesLittle(t *testing.T) {
	bubble(t, func(t *testing.T) {
		r := liveRig(t, live(30*30, 30))
		var detected int64
		var mu sync.Mutex
		var age time.Duration // at its score, of the oldest sample
		r.models.detect = func(context.Context, int) (liveproof.Detection, error) {
			detected++
			time.Sleep(20 * time.Millisecond)
			return oneFace(1), nil
		}
		begun := time.Now()
		r.models.score = func(_ context.Context, n int) (float64, error) {
			mu.Lock()
			age = max(age, time.Since(begun)-time.Duration(n-1)*time.Second/30)
			mu.Unlock()
			time.Sleep(1500 * time.Millisecond)
			return 0.9, nil
		}
		r.info.Mode = liveproof.ModeCall
		_, err := r.run(context.Background())
		require.NoError(t, err)
		scored := r.report.Counts.Scored
		t.Logf("%d detected, %d scored, oldest at its score %v", detected, scored, age)
		require.Greater(t, scored, int64(35))
		require.LessOrEqual(t, detected, scored+1)
		require.Less(t, age, 100*time.Millisecond)
		require.Equal(t, 151-scored, r.report.Drops[StageScore][liveproof.ReasonOverload])
	})
}

// TestFilesLoseNothing: the same slow stage makes the reader of a file wait.
func TestFilesLoseNothing(t *testing.T) {
	bubble(t, func(t *testing.T) {
		r := fileRig(t, play(300, 30))
		r.models.detect = func(context.Context, int) (liveproof.Detection, error) {
			time.Sleep(500 * time.Millisecond)
			return oneFace(1), nil
		}
		begun := time.Now()
		v, err := r.run(context.Background())
		require.NoError(t, err)
		require.Equal(t, isLive, v.Outcome)
		require.Equal(t, int64(51), r.report.Counts.Scored)
		require.Greater(t, time.Since(begun), 25*time.Second)
	})
}

// TestOverloadIsNotEvidence: a scorer without capacity gives no verdict.
func TestOverloadIsNotEvidence(t *testing.T) {
	bubble(t, func(t *testing.T) {
		r := liveRig(t, live(600, 30))
		r.models.score = func(context.Context, int) (float64, error) { return 1, liveproof.ErrOverloaded }
		v, err := r.run(context.Background())
		require.NoError(t, err)
		require.Equal(t, inconclusive, v.Outcome)
		require.NotZero(t, r.report.Drops[StageScore][liveproof.ReasonOverload])
	})
}

func TestQueue(t *testing.T) {
	ctx, cancel := context.WithCancelCause(context.Background())
	q := newQueue[int](2, true)
	for i := range 5 {
		oldest, dropped, err := q.push(ctx, i)
		require.NoError(t, err)
		require.Equal(t, i >= 2, dropped)
		if dropped {
			require.Equal(t, i-2, oldest)
		}
	}
	require.Equal(t, 3, <-q.ch)

	q = newQueue[int](1, false)
	_, dropped, err := q.push(ctx, 1)
	require.False(t, dropped)
	require.NoError(t, err)
	cancel(&liveproof.EndError{Reason: liveproof.ReasonServerShutdown})
	_, dropped, err = q.push(ctx, 2)
	require.False(t, dropped)
	require.Equal(t, liveproof.ReasonServerShutdown, liveproof.ReasonOf(err))
}
