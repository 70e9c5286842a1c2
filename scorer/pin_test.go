package scorer

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/liveproof/liveproof"
)

// constant scores every crop alike, so that a score tells its model.
func constant(name string, rho float32, takes time.Duration) *fakeBackend {
	return &fakeBackend{name: name, run: func(_ context.Context, _ []*Crop, out []float32) error {
		time.Sleep(takes)
		for i := range out {
			out[i] = rho
		}
		return nil
	}}
}

func pin(t *testing.T, b *Batcher) *Pinned {
	t.Helper()
	p, err := b.Pin()
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func wantScore(t *testing.T, p *Pinned, want float32) {
	t.Helper()
	if rho, err := p.Score(t.Context(), "s", plain(1)); err != nil || rho != float64(want) {
		t.Errorf("%s: Score = %v, %v; want %v", p.Info().Name, rho, err, want)
	}
}

func TestSessionKeepsItsModelThroughASwap(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		old, next := constant("old", .25, 0), constant("next", .75, 0)
		b, reg := startBatcher(t, DefaultConfig(), old)
		before := pin(t, b)
		wantScore(t, before, .25)
		if err := b.Swap(next); err != nil {
			t.Fatal(err)
		}
		after := pin(t, b)
		for range 3 {
			wantScore(t, before, .25)
			wantScore(t, after, .75)
		}
		if before.Info().Name != "old" || after.Info().Name != "next" || b.Info().Name != "next" {
			t.Errorf("models %s, %s, current %s", before.Info().Name, after.Info().Name, b.Info().Name)
		}
		if n := value(t, reg, "models", ""); n != 2 || old.closed.Load() != 0 {
			t.Errorf("%v models, the old one closed %d times while pinned", n, old.closed.Load())
		}
		before.Release()
		before.Release()
		if n := value(t, reg, "models", ""); n != 1 || old.closed.Load() != 1 {
			t.Errorf("%v models, the old one closed %d times after Release", n, old.closed.Load())
		}
		if _, err := before.Score(t.Context(), "s", plain(1)); !errors.Is(err, ErrReleased) || !errors.Is(err, liveproof.ErrUnavailable) {
			t.Errorf("Score after Release = %v", err)
		}
		wantScore(t, after, .75)
		after.Release()
		if next.closed.Load() != 0 {
			t.Error("the current model was closed with its last pin")
		}
	})
}

// Each session has a score of its own model for every crop, however many swaps come meanwhile.
func TestNoBatchMixesModels(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := DefaultConfig()
		cfg.MaxBatch = 4
		model := func(n int) (*fakeBackend, float32) {
			rho := float32(n) / 100
			f := constant(fmt.Sprint(n), rho, 3*time.Millisecond)
			f.lanes = 2
			return f, rho
		}
		backends := make([]*fakeBackend, 10)
		backends[0], _ = model(0)
		b, reg := startBatcher(t, cfg, backends[0])
		var sessions sync.WaitGroup
		var scored atomic.Int32
		for n := range backends {
			if n > 0 {
				backends[n], _ = model(n)
				if err := b.Swap(backends[n]); err != nil {
					t.Fatal(err)
				}
			}
			_, want := model(n)
			for s := range 3 {
				p := pin(t, b)
				sessions.Go(func() {
					defer p.Release()
					for range 10 {
						rho, err := p.Score(t.Context(), liveproof.SessionID(fmt.Sprint(n, s)), plain(1))
						if err != nil || float32(rho) != want {
							t.Errorf("session of model %s: %v, %v", p.Info().Name, rho, err)
						}
						scored.Add(1)
					}
				})
			}
			if n%2 == 1 {
				sessions.Wait() // no more than three generations
			}
		}
		synctest.Wait()
		if n := value(t, reg, "models", ""); n != 1 || scored.Load() != 300 {
			t.Errorf("%v models left, %d scored", n, scored.Load())
		}
		for n, f := range backends[:len(backends)-1] {
			if f.closed.Load() != 1 {
				t.Errorf("model %d closed %d times", n, f.closed.Load())
			}
		}
	})
}

// A replaced model that fails makes its own sessions fail, and nobody else's.
func TestBrokenOldModelLeavesTheNewOneAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := DefaultConfig()
		var broke atomic.Bool
		old := &fakeBackend{name: "old", run: func(ctx context.Context, crops []*Crop, rho []float32) error {
			if broke.Load() {
				return errBroken
			}
			return brightness(ctx, crops, rho)
		}}
		b, reg := startBatcher(t, cfg, old)
		before := pin(t, b)
		if err := b.Swap(constant("next", .75, 0)); err != nil {
			t.Fatal(err)
		}
		after := pin(t, b)
		broke.Store(true)
		for range cfg.FailureThreshold {
			if _, err := before.Score(t.Context(), "a", plain(1)); !errors.Is(err, errBroken) {
				t.Errorf("Score = %v", err)
			}
			synctest.Wait()
		}
		if _, err := before.Score(t.Context(), "a", plain(1)); !errors.Is(err, ErrNotReady) {
			t.Errorf("Score on the broken model = %v", err)
		}
		wantScore(t, after, .75)
		if err := errors.Join(b.Ready(), b.Admit()); err != nil || value(t, reg, "ready", "") != 1 {
			t.Errorf("the scorer is not ready for the sake of an old model: %v", err)
		}
		broke.Store(false)
		time.Sleep(cfg.ProbeInterval + time.Millisecond)
		if rho, err := before.Score(t.Context(), "a", plain(255)); err != nil || rho != 1 {
			t.Errorf("after a good probe: %v, %v", rho, err)
		}
		before.Release()
		after.Release()
		synctest.Wait()
		if old.closed.Load() != 1 {
			t.Errorf("old model closed %d times", old.closed.Load())
		}
	})
}

// A run of the old model hangs: its pin is gone, but the model must outlast the run.
func TestReleasedModelOutlastsItsRuns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := DefaultConfig()
		goOn := make(chan struct{})
		old := &fakeBackend{lanes: 2, run: func(context.Context, []*Crop, []float32) error { <-goOn; return nil }}
		b, _ := startBatcher(t, cfg, old)
		before := pin(t, b)
		if _, err := before.Score(t.Context(), "a", plain(1)); !errors.Is(err, ErrStuck) {
			t.Fatalf("Score = %v", err)
		}
		if err := b.Swap(constant("next", .75, 0)); err != nil {
			t.Fatal(err)
		}
		before.Release()
		after := pin(t, b)
		defer after.Release()
		time.Sleep(3 * cfg.ProbeInterval) // probes of a hanging replaced model would take the other worker
		wantScore(t, after, .75)
		if old.closed.Load() != 0 {
			t.Error("closed under a running call")
		}
		close(goOn)
		synctest.Wait()
		if old.closed.Load() != 1 {
			t.Errorf("closed %d times after its run", old.closed.Load())
		}
	})
}

// Release during a Score: the crop still gets its answer from its own model.
func TestReleaseDuringAScore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := DefaultConfig()
		old := constant("old", .25, time.Second)
		b, _ := startBatcher(t, cfg, old)
		p := pin(t, b)
		var scores sync.WaitGroup
		for i := range 3 { // one runs, two wait
			scores.Go(func() {
				if rho, err := p.Score(t.Context(), liveproof.SessionID(fmt.Sprint(i)), plain(1)); err != nil || rho != .25 {
					t.Errorf("Score = %v, %v", rho, err)
				}
			})
			synctest.Wait()
		}
		if err := b.Swap(constant("next", .75, 0)); err != nil {
			t.Fatal(err)
		}
		p.Release()
		if old.closed.Load() != 0 {
			t.Error("closed under a running call")
		}
		scores.Wait()
		synctest.Wait()
		if old.closed.Load() != 1 {
			t.Errorf("closed %d times", old.closed.Load())
		}
	})
}

func TestCloseFreesPinnedModelsOnce(t *testing.T) {
	old, next := constant("old", .25, 0), constant("next", .75, 0)
	b, _ := startBatcher(t, DefaultConfig(), old)
	before := pin(t, b)
	if err := b.Swap(next); err != nil {
		t.Fatal(err)
	}
	after := pin(t, b)
	if err := errors.Join(b.Close(), b.Close()); err != nil {
		t.Fatal(err)
	}
	if _, err := before.Score(t.Context(), "a", plain(1)); !errors.Is(err, ErrClosed) {
		t.Errorf("Score = %v", err)
	}
	before.Release()
	after.Release()
	if o, n := old.closed.Load(), next.closed.Load(); o != 1 || n != 1 {
		t.Errorf("closed %d and %d times", o, n)
	}
	if _, err := b.Pin(); !errors.Is(err, ErrClosed) || !errors.Is(err, liveproof.ErrUnavailable) {
		t.Errorf("Pin after Close = %v", err)
	}
}
