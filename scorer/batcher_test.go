package scorer

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/liveproof/liveproof"
)

// slow takes d of (fake) time for every batch.
func slow(d time.Duration) *fakeBackend {
	return &fakeBackend{run: func(ctx context.Context, crops []*Crop, rho []float32) error {
		select {
		case <-time.After(d):
			return brightness(ctx, crops, rho)
		case <-ctx.Done():
			return ctx.Err()
		}
	}}
}

// answers collects what concurrent Scores returned.
type answers struct {
	wg   sync.WaitGroup
	mu   sync.Mutex
	rhos map[string]float64
	errs map[string]error
}

func newAnswers() *answers {
	return &answers{rhos: map[string]float64{}, errs: map[string]error{}}
}

// ask scores a crop of brightness v in the background, under a name.
func (a *answers) ask(ctx context.Context, b *Batcher, name string, id liveproof.SessionID, v uint8) {
	crop := plain(v)
	a.wg.Go(func() {
		rho, err := scoreOnce(ctx, b, id, crop)
		a.mu.Lock()
		defer a.mu.Unlock()
		a.rhos[name], a.errs[name] = rho, err
	})
}

func TestEveryCallerGetsItsOwnScore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		backend := slow(10 * time.Millisecond)
		b, reg := startBatcher(t, DefaultConfig(), backend)
		a := newAnswers()
		for i := range 100 {
			a.ask(t.Context(), b, fmt.Sprint(i), liveproof.SessionID(fmt.Sprint(i%10)), uint8(i))
			if i%7 == 0 {
				time.Sleep(3 * time.Millisecond)
			}
		}
		a.wg.Wait()
		for i := range 100 {
			name := fmt.Sprint(i)
			if want := float64(float32(i) / 255); a.errs[name] != nil || a.rhos[name] != want {
				t.Errorf("crop %d: ρ = %v, %v; want %v", i, a.rhos[name], a.errs[name], want)
			}
		}
		if n := value(t, reg, "samples_total", resultScored); n != 100 {
			t.Errorf("%v samples counted as scored", n)
		}
		if m := slices.Max(backend.batches()); m > 8 || m < 2 {
			t.Errorf("the largest batch has %d crops", m)
		}
	})
}

func TestFlushReasonsAreCounted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := DefaultConfig()
		cfg.MaxBatch = 3
		backend := slow(100 * time.Millisecond)
		backend.lanes = 2
		b, reg := startBatcher(t, cfg, backend)
		a := newAnswers()
		a.ask(t.Context(), b, "first", "a", 1) // idle: goes at once
		synctest.Wait()
		if got := backend.batches(); !slices.Equal(got, []int{1}) {
			t.Fatalf("batches %v, want the first crop to go at once", got)
		}
		a.ask(t.Context(), b, "second", "a", 1) // one runs: waits for company for 5 ms
		time.Sleep(4 * time.Millisecond)
		a.ask(t.Context(), b, "third", "b", 1)
		synctest.Wait()
		if got := backend.batches(); len(got) != 1 {
			t.Fatalf("batches %v before max_wait", got)
		}
		time.Sleep(time.Millisecond)
		synctest.Wait()
		if got := backend.batches(); !slices.Equal(got, []int{1, 2}) {
			t.Fatalf("batches %v, want two crops after max_wait", got)
		}
		for i := range 4 { // both workers are busy: three of them fill a batch
			a.ask(t.Context(), b, fmt.Sprint(i), "c", 1)
		}
		a.wg.Wait()
		want := map[flushReason]float64{flushIdle: 1, flushWaited: 2, flushFull: 1}
		for reason, n := range want {
			if got := value(t, reg, "flushes_total", string(reason)); got != n {
				t.Errorf("%s: %v flushes, want %v (batches %v)", reason, got, n, backend.batches())
			}
		}
	})
}

func TestBusySessionDoesNotDelayOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := DefaultConfig()
		cfg.MaxBatch, cfg.PerSession = 2, 50
		b, _ := startBatcher(t, cfg, slow(10*time.Millisecond))
		a := newAnswers()
		for i := range 40 {
			a.ask(t.Context(), b, fmt.Sprint("greedy", i), "greedy", 1)
		}
		time.Sleep(time.Millisecond) // the first two run
		began := time.Now()
		if _, err := scoreOnce(t.Context(), b, "modest", plain(9)); err != nil {
			t.Fatal(err)
		}
		if waited := time.Since(began); waited > 20*time.Millisecond { // the rest of one batch, and its own
			t.Errorf("the modest session waited %v behind 38 crops of another", waited)
		}
		a.wg.Wait()
	})
}

func TestOverloadShedsTheOldestAndAdmitsNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := DefaultConfig()
		cfg.QueueCapacity, cfg.PerSession, cfg.MaxBatch = 3, 3, 1
		b, reg := startBatcher(t, cfg, slow(time.Second))
		synctest.Wait() // it runs
		a := newAnswers()
		if err := b.Admit(); err != nil {
			t.Fatalf("Admit = %v on an idle scorer", err)
		}
		for i := range 5 { // one runs, three wait, the fifth is one too many
			a.ask(t.Context(), b, fmt.Sprint(i), liveproof.SessionID(fmt.Sprint(i)), uint8(i))
			synctest.Wait()
		}
		a.mu.Lock()
		if err := a.errs["1"]; !errors.Is(err, liveproof.ErrOverloaded) {
			t.Errorf("the oldest waiting crop: %v, want ErrOverloaded", err)
		}
		a.mu.Unlock()
		if err := b.Admit(); !errors.Is(err, liveproof.ErrOverloaded) {
			t.Errorf("Admit = %v while crops are shed", err)
		}
		if b.Ready() != nil {
			t.Error("overload is no failure: it must stay ready")
		}
		a.wg.Wait()
		for _, name := range []string{"0", "2", "3", "4"} {
			if a.errs[name] != nil {
				t.Errorf("crop %s: %v", name, a.errs[name])
			}
		}
		if n := value(t, reg, "shed_total", string(shedCapacity)); n != 1 {
			t.Errorf("%v crops counted as shed", n)
		}
		time.Sleep(shedMemory)
		if err := b.Admit(); err != nil {
			t.Errorf("Admit = %v after the overload", err)
		}
	})
}

func TestAdmitRefusesWhenCropsWaitTooLong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := DefaultConfig()
		cfg.MaxBatch = 1
		b, _ := startBatcher(t, cfg, slow(time.Second))
		a := newAnswers()
		for i := range 2 {
			a.ask(t.Context(), b, fmt.Sprint(i), "a", 1)
		}
		time.Sleep(cfg.AdmitWait + time.Millisecond)
		if err := b.Admit(); !errors.Is(err, liveproof.ErrOverloaded) {
			t.Errorf("Admit = %v with a crop waiting for %v", err, cfg.AdmitWait)
		}
		a.wg.Wait()
		if err := b.Admit(); err != nil {
			t.Errorf("Admit = %v with an empty queue", err)
		}
	})
}

func TestCallerMayLeave(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := DefaultConfig()
		cfg.MaxBatch = 1
		backend := slow(time.Second)
		b, reg := startBatcher(t, cfg, backend)
		a := newAnswers()
		ctx, cancel := context.WithCancel(t.Context())
		a.ask(ctx, b, "runs", "a", 1)
		synctest.Wait()
		a.ask(ctx, b, "waits", "b", 1)
		a.ask(t.Context(), b, "stays", "c", 51)
		synctest.Wait()
		cancel()
		synctest.Wait()
		if n := value(t, reg, "waiting", ""); n != 1 {
			t.Errorf("%v crops wait: one that left keeps its place", n)
		}
		a.mu.Lock()
		if !errors.Is(a.errs["runs"], context.Canceled) || !errors.Is(a.errs["waits"], context.Canceled) {
			t.Errorf("errors %v, want both cancelled at once", a.errs)
		}
		a.mu.Unlock()
		a.wg.Wait()
		if a.errs["stays"] != nil || a.rhos["stays"] != float64(float32(51)/255) {
			t.Errorf("the one that stays: %v, %v", a.rhos["stays"], a.errs["stays"])
		}
		if n := len(backend.batches()); n != 2 {
			t.Errorf("%d batches: the crop that left the queue was still scored", n)
		}
		if n := value(t, reg, "samples_total", resultCancelled); n != 2 {
			t.Errorf("%v samples counted as cancelled", n)
		}
	})
}

// The picture goes back to its pool when Score returns, though the batch may still run.
func TestBatchDoesNotReadThePictureOfACallerThatLeft(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var read atomic.Int32
		b, _ := startBatcher(t, DefaultConfig(), &fakeBackend{run: func(ctx context.Context, crops []*Crop, rho []float32) error {
			time.Sleep(time.Second)
			read.Store(int32(firstByte(crops[0])))
			return brightness(ctx, crops, rho)
		}})
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer cancel()
		picture := plain(255)
		read.Store(-1)
		if _, err := scoreOnce(ctx, b, "a", picture); !errors.Is(err, context.DeadlineExceeded) {
			t.Fatalf("Score = %v", err)
		}
		copy(picture.Pix, plain(77).Pix) // the buffer's next owner
		time.Sleep(2 * time.Second)
		if got := read.Load(); got != 0 {
			t.Errorf("the batch read %d, want black", got)
		}
	})
}

func TestScoreRefusesOtherPictures(t *testing.T) {
	b, _ := startBatcher(t, DefaultConfig(), &fakeBackend{})
	short := plain(1)
	short.Pix = short.Pix[:len(short.Pix)-1]
	for name, crop := range map[string]*liveproof.Image{
		"none": nil, "larger": liveproof.NewImage(256, 256), "too few bytes": short,
	} {
		if _, err := scoreOnce(t.Context(), b, "a", crop); !errors.Is(err, ErrCrop) {
			t.Errorf("%s: %v, want ErrCrop", name, err)
		}
	}
}

func TestCloseFailsWhatWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := DefaultConfig()
		cfg.MaxBatch = 1
		backend := slow(time.Second)
		b, _ := startBatcher(t, cfg, backend)
		a := newAnswers()
		for i := range 3 {
			a.ask(t.Context(), b, fmt.Sprint(i), "a", 255)
		}
		synctest.Wait()
		for range 2 {
			if err := b.Close(); err != nil {
				t.Fatal(err)
			}
		}
		a.wg.Wait()
		for name, err := range a.errs {
			if !errors.Is(err, ErrClosed) || !errors.Is(err, liveproof.ErrUnavailable) || a.rhos[name] != 0 {
				t.Errorf("crop %s: %v, %v", name, a.rhos[name], err)
			}
		}
		if _, err := scoreOnce(t.Context(), b, "a", plain(1)); !errors.Is(err, ErrClosed) {
			t.Errorf("Score after Close = %v", err)
		}
		if b.Ready() == nil || backend.closed.Load() != 1 {
			t.Errorf("ready %v, backend closed %d times", b.Ready(), backend.closed.Load())
		}
	})
}

func TestLifecycle(t *testing.T) {
	backend := &fakeBackend{}
	b, err := New(DefaultConfig(), backend, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	if b.Ready() == nil {
		t.Error("ready before Run")
	}
	a := newAnswers()
	a.ask(t.Context(), b, "early", "a", 255) // waits for Run
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	select {
	case <-b.Started():
		t.Error("started before Run")
	default:
	}
	go func() { done <- b.Run(ctx) }()
	<-b.Started()
	if err := b.Ready(); err != nil {
		t.Errorf("Ready = %v after the start", err)
	}
	a.wg.Wait()
	if a.errs["early"] != nil || a.rhos["early"] != 1 {
		t.Errorf("the crop from before Run: %v, %v", a.rhos["early"], a.errs["early"])
	}
	if err := b.Run(ctx); err == nil {
		t.Error("a second Run")
	}
	cancel()
	if err := <-done; err != nil {
		t.Errorf("Run = %v at the end of its context", err)
	}
	if err := errors.Join(b.Close(), b.Close()); err != nil || backend.closed.Load() != 1 {
		t.Errorf("Close = %v, backend closed %d times", err, backend.closed.Load())
	}

	unstarted, err := New(DefaultConfig(), backend, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	a.ask(t.Context(), unstarted, "never", "a", 1)
	if err := unstarted.Close(); err != nil || backend.closed.Load() != 2 {
		t.Errorf("Close without Run = %v", err)
	}
	a.wg.Wait()
	if err := unstarted.Run(t.Context()); !errors.Is(err, ErrClosed) || !errors.Is(a.errs["never"], ErrClosed) {
		t.Errorf("Run after Close = %v, its crop %v", err, a.errs["never"])
	}
}

func TestNewRefusesABadConfig(t *testing.T) {
	cfg := DefaultConfig()
	cfg.MaxBatch = math.MaxInt
	if _, err := New(cfg, &fakeBackend{}, nil, nil); err == nil {
		t.Fatal("no error")
	}
}
