package scorer

import (
	"context"
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// TestUtilisationIsOfWhatFullBatchesCould: single crops keep the workers of a GPU busy long before its
// capacity is used; on a CPU they do not.
func TestUtilisationIsOfWhatFullBatchesCould(t *testing.T) {
	for name, c := range map[string]struct {
		fixed, perCrop time.Duration // of a run
		batch          func() int
		every          time.Duration // between the starts of two runs
		workers        int
		want           float64
	}{
		"nothing":                      {want: 0, workers: 1},
		"cpu, single crops":            {perCrop: 7 * time.Millisecond, batch: one, every: 14 * time.Millisecond, workers: 1, want: .5},
		"two workers":                  {perCrop: 7 * time.Millisecond, batch: one, every: 14 * time.Millisecond, workers: 2, want: .25},
		"cpu, full batches, no pause":  {perCrop: 7 * time.Millisecond, batch: eight, every: 56 * time.Millisecond, workers: 1, want: 1},
		"gpu, always busy, mixed":      {fixed: 3 * time.Millisecond, perCrop: time.Millisecond, batch: mixed(), every: 4 * time.Millisecond, workers: 1, want: 1.5 / 4 * 11 / 8},
		"gpu, one size only: cautious": {fixed: 3 * time.Millisecond, perCrop: time.Millisecond, batch: one, every: 8 * time.Millisecond, workers: 1, want: .5},
	} {
		t.Run(name, func(t *testing.T) {
			var w workload
			now := time.Unix(0, 0)
			for c.batch != nil && now.Before(time.Unix(60, 0)) {
				n := c.batch()
				now = now.Add(c.every)
				w.ran(now, n, c.fixed+time.Duration(n)*c.perCrop)
			}
			require.InDelta(t, c.want, w.utilisation(now, c.workers, 8), .02)
			require.InDelta(t, 0, w.utilisation(now.Add(time.Minute), c.workers, 8), .001, "it is forgotten")
		})
	}
}

func one() int   { return 1 }
func eight() int { return 8 }

func mixed() func() int {
	r := rand.New(rand.NewPCG(1, 2))
	return func() int { return 1 + r.IntN(2) }
}

func FuzzFit(f *testing.F) {
	f.Add(uint8(1), 4.0, uint8(8), 11.0)
	f.Fuzz(func(t *testing.T, n1 uint8, s1 float64, n2 uint8, s2 float64) {
		if !(s1 >= 0 && s1 < 1e6 && s2 >= 0 && s2 < 1e6) {
			t.Skip("no duration")
		}
		var sums runs
		for _, run := range []struct{ n, s float64 }{{float64(n1) + 1, s1}, {float64(n2) + 1, s2}} {
			sums.add(run.n, run.s)
		}
		fixed, perCrop := sums.fit()
		require.GreaterOrEqual(t, fixed, 0.)
		require.GreaterOrEqual(t, perCrop, 0.)
	})
}

func TestBatcherReportsItsUtilisation(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, _ := startBatcher(t, DefaultConfig(), slow(10*time.Millisecond))
		require.Zero(t, b.Utilisation())
		for range 3000 { // for a minute one crop at a time, half of the time
			_, err := scoreOnce(t.Context(), b, "a", plain(1))
			require.NoError(t, err)
			time.Sleep(10 * time.Millisecond)
		}
		require.InDelta(t, .5/float64(b.workers), b.Utilisation(), .01)
	})
}

// A run that ends after its timeout has kept a worker busy like any other.
func TestUtilisationCountsLateRuns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := DefaultConfig()
		cfg.BatchTimeout = 100 * time.Millisecond
		late := &fakeBackend{run: func(ctx context.Context, _ []*Crop, _ []float32) error {
			time.Sleep(150 * time.Millisecond)
			return ctx.Err()
		}}
		b, _ := startBatcher(t, cfg, late)
		_, err := scoreOnce(t.Context(), b, "a", plain(1))
		require.ErrorIs(t, err, ErrTimeout)
		require.InDelta(t, 2*.15/loadOver.Seconds()/float64(b.workers), b.Utilisation(), .01)
	})
}
