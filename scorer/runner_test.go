package scorer

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/liveproof/liveproof"
)

var errBroken = errors.New("out of memory")

// failing fails its first n batches in the given way.
func failing(n int32, fail func(ctx context.Context, rho []float32) error) *fakeBackend {
	var calls atomic.Int32
	return &fakeBackend{run: func(ctx context.Context, crops []*Crop, rho []float32) error {
		if calls.Add(1) <= n {
			return fail(ctx, rho)
		}
		return brightness(ctx, crops, rho)
	}}
}

func broken(context.Context, []float32) error { return errBroken }

func TestFailedBatchIsTriedTwice(t *testing.T) {
	const always = math.MaxInt32
	spoil := func(v float32) func(context.Context, []float32) error {
		return func(_ context.Context, rho []float32) error { rho[0] = v; return nil }
	}
	hang := func(ctx context.Context, _ []float32) error { <-ctx.Done(); return ctx.Err() }
	explode := func(context.Context, []float32) error { panic("index out of range") }
	cases := []struct {
		name     string
		failures int32
		fail     func(context.Context, []float32) error
		want     error // nil: scored on the second attempt
		reason   string
	}{
		{"one error", 1, broken, nil, failureError},
		{"two errors", always, broken, errBroken, failureError},
		{"one panic", 1, explode, nil, failurePanic},
		{"two panics", always, explode, ErrPanic, failurePanic},
		{"one timeout", 1, hang, nil, failureTimeout},
		{"two timeouts", always, hang, ErrTimeout, failureTimeout},
		{"NaN once", 1, spoil(float32(math.NaN())), nil, failureInvalid},
		{"NaN", always, spoil(float32(math.NaN())), liveproof.ErrScoreInvalid, failureInvalid},
		{"infinite", always, spoil(float32(math.Inf(1))), liveproof.ErrScoreInvalid, failureInvalid},
		{"above one", always, spoil(1.0000001), liveproof.ErrScoreInvalid, failureInvalid},
		{"below zero", always, spoil(-.001), liveproof.ErrScoreInvalid, failureInvalid},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				backend := failing(c.failures, c.fail)
				b, reg := startBatcher(t, DefaultConfig(), backend)
				rho, err := scoreOnce(t.Context(), b, "a", plain(51))
				checkTwoAttempts(t, rho, err, c.want)
				if n := len(backend.batches()); n != 2 {
					t.Errorf("%d attempts", n)
				}
				if value(t, reg, "batch_failures_total", c.reason) == 0 || value(t, reg, "retries_total", "") != 1 {
					t.Errorf("the failed attempt is not counted as %s", c.reason)
				}
			})
		})
	}
}

func checkTwoAttempts(t *testing.T, rho float64, err, want error) {
	t.Helper()
	if want == nil {
		if err != nil || rho != float64(float32(51)/255) {
			t.Errorf("Score = %v, %v", rho, err)
		}
		return
	}
	if !errors.Is(err, want) || rho != 0 {
		t.Errorf("Score = %v, %v; want 0 and %v", rho, err, want)
	}
	if errors.Is(err, context.DeadlineExceeded) {
		t.Error("the batch's timeout looks like the caller's own deadline")
	}
	if !errors.Is(err, liveproof.ErrUnavailable) && !errors.Is(err, liveproof.ErrScoreInvalid) {
		t.Errorf("%v wraps neither ErrUnavailable nor ErrScoreInvalid", err)
	}
}

// A NaN fails its own sample; the others of the batch keep their scores.
func TestInvalidScoreFailsOnlyItsSample(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		backend := &fakeBackend{run: func(ctx context.Context, crops []*Crop, rho []float32) error {
			time.Sleep(10 * time.Millisecond)
			_ = brightness(ctx, crops, rho)
			for i := range rho {
				if firstByte(crops[i]) == 13 {
					rho[i] = float32(math.NaN())
				}
			}
			return nil
		}}
		b, _ := startBatcher(t, DefaultConfig(), backend)
		a := newAnswers()
		for v := range uint8(9) { // the first runs alone, eight together
			a.ask(t.Context(), b, fmt.Sprint(v), liveproof.SessionID(fmt.Sprint(v)), 9+v)
			synctest.Wait()
		}
		a.wg.Wait()
		for v := range 9 {
			name, bad := fmt.Sprint(v), 9+v == 13
			if bad != errors.Is(a.errs[name], liveproof.ErrScoreInvalid) || !bad && a.errs[name] != nil {
				t.Errorf("crop of brightness %d: %v", 9+v, a.errs[name])
			}
		}
		if got := backend.batches(); !slices.Equal(got, []int{1, 8, 1}) {
			t.Errorf("batches %v, want only the invalid sample again", got)
		}
		if b.Ready() != nil {
			t.Error("one bad sample made the scorer not ready")
		}
	})
}

// A failed batch fails its own samples only.
func TestFailedBatchLeavesOthersAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := DefaultConfig()
		cfg.MaxBatch = 2
		b, _ := startBatcher(t, cfg, failing(2, func(ctx context.Context, rho []float32) error {
			time.Sleep(10 * time.Millisecond)
			return errBroken
		}))
		a := newAnswers()
		for i := range 5 {
			a.ask(t.Context(), b, fmt.Sprint(i), "a", 255)
			synctest.Wait()
		}
		a.wg.Wait()
		for i := range 5 {
			if err := a.errs[fmt.Sprint(i)]; (i == 0) != errors.Is(err, errBroken) || i > 0 && err != nil {
				t.Errorf("crop %d: %v", i, err)
			}
		}
	})
}

func TestNotReadyAfterRepeatedFailuresAndRecovery(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := DefaultConfig()
		var healed atomic.Bool
		b, reg := startBatcher(t, cfg, &fakeBackend{run: func(ctx context.Context, crops []*Crop, rho []float32) error {
			if !healed.Load() {
				return errBroken
			}
			return brightness(ctx, crops, rho)
		}})
		synctest.Wait() // it runs
		for i := range cfg.FailureThreshold {
			if err := b.Ready(); err != nil {
				t.Fatalf("not ready after %d failures: %v", i, err)
			}
			_, _ = scoreOnce(t.Context(), b, "a", plain(1))
			synctest.Wait()
		}
		if err := b.Ready(); !errors.Is(err, ErrNotReady) || !errors.Is(err, liveproof.ErrUnavailable) || !errors.Is(err, errBroken) {
			t.Fatalf("Ready = %v", err)
		}
		if err := b.Admit(); !errors.Is(err, liveproof.ErrUnavailable) {
			t.Errorf("Admit = %v", err)
		}
		if _, err := scoreOnce(t.Context(), b, "a", plain(255)); !errors.Is(err, ErrNotReady) {
			t.Errorf("Score while not ready = %v", err)
		}
		time.Sleep(3 * cfg.ProbeInterval)
		if b.Ready() == nil || value(t, reg, "ready", "") != 0 {
			t.Fatal("ready though probes fail")
		}
		healed.Store(true)
		time.Sleep(cfg.ProbeInterval + time.Millisecond)
		if err := b.Ready(); err != nil || value(t, reg, "ready", "") != 1 {
			t.Fatalf("Ready = %v after a good probe", err)
		}
		if rho, err := scoreOnce(t.Context(), b, "a", plain(255)); err != nil || rho != 1 {
			t.Errorf("Score = %v, %v after recovery", rho, err)
		}
		if n := value(t, reg, "samples_total", ""); n != float64(cfg.FailureThreshold)+2 {
			t.Errorf("%v samples counted: probes must not be", n)
		}
	})
}

// A hanging batch is noticed even when its callers give up before the batch's
// timeout.
func TestHangIsNoticedThoughCallersLeave(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := DefaultConfig()
		b, _ := startBatcher(t, cfg, failing(math.MaxInt32, func(ctx context.Context, _ []float32) error {
			<-ctx.Done()
			return ctx.Err()
		}))
		for range cfg.FailureThreshold {
			ctx, cancel := context.WithTimeout(t.Context(), cfg.BatchTimeout/2)
			if _, err := scoreOnce(ctx, b, "a", plain(1)); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("Score = %v, want the caller's deadline", err)
			}
			cancel()
			time.Sleep(cfg.BatchTimeout)
		}
		if err := b.Ready(); !errors.Is(err, ErrTimeout) {
			t.Errorf("Ready = %v", err)
		}
	})
}

func TestStuckRunFailsItsSamplesAndHeals(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := DefaultConfig()
		release := make(chan struct{})
		var read atomic.Int32 // by the stuck run when it goes on
		var once atomic.Bool
		b, reg := startBatcher(t, cfg, &fakeBackend{run: func(ctx context.Context, crops []*Crop, rho []float32) error {
			if once.CompareAndSwap(false, true) {
				<-release // ignores its context
				read.Store(int32(firstByte(crops[0])))
			}
			return brightness(ctx, crops, rho)
		}})
		picture := plain(255)
		rho, err := scoreOnce(t.Context(), b, "a", picture)
		if !errors.Is(err, ErrStuck) || !errors.Is(err, liveproof.ErrUnavailable) || rho != 0 {
			t.Fatalf("Score = %v, %v", rho, err)
		}
		synctest.Wait()
		if err := b.Ready(); !errors.Is(err, ErrStuck) {
			t.Errorf("Ready = %v", err)
		}
		if value(t, reg, "batch_failures_total", failureStuck) != 1 {
			t.Error("not counted")
		}
		time.Sleep(2 * cfg.ProbeInterval)
		copy(picture.Pix, plain(77).Pix) // the buffer's next owner
		close(release)
		time.Sleep(2 * cfg.ProbeInterval)
		if got := read.Load(); got != 0 {
			t.Errorf("the stuck run read %d from a picture that its caller has back", got)
		}
		if err := b.Ready(); err != nil {
			t.Errorf("Ready = %v after the run came back", err)
		}
	})
}

// A run that never comes back must not keep the process from ending.
func TestCloseGivesUpOnAStuckRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		backend := failing(1, func(context.Context, []float32) error { <-release; return nil })
		b, err := New(DefaultConfig(), backend, nil, nil)
		if err != nil {
			t.Fatal(err)
		}
		done := make(chan error, 1)
		go func() { done <- b.Run(context.Background()) }()
		_, _ = scoreOnce(t.Context(), b, "a", plain(1))
		if err := b.Close(); !errors.Is(err, ErrStuck) {
			t.Errorf("Close = %v", err)
		}
		if err := <-done; !errors.Is(err, ErrStuck) {
			t.Errorf("Run = %v", err)
		}
		if backend.closed.Load() != 0 {
			t.Error("the backend was closed under a running call")
		}
		close(release)
	})
}
