package scorer

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"github.com/liveproof/liveproof"
	"github.com/liveproof/liveproof/onnx"
)

// queueUnderTest has no workers: the test takes the batches itself.
type queueUnderTest struct {
	*queue
	models *models
}

func newQueueUnderTest(cfg Config) queueUnderTest {
	metrics := NewMetrics(nil)
	return queueUnderTest{newQueue(cfg, (&fakeBackend{}).Fill, metrics), newModels(cfg, &fakeBackend{}, metrics, slog.New(slog.DiscardHandler))}
}

// item returns a new item for submit.
func (q queueUnderTest) item(t *testing.T, id liveproof.SessionID) *item {
	t.Helper()
	m, err := q.models.pin()
	if err != nil {
		t.Fatal(err)
	}
	return newItem(t.Context(), m, id, lend(t, plain(1)))
}

func (q queueUnderTest) submitted(t *testing.T, id liveproof.SessionID) *item {
	t.Helper()
	it := q.item(t, id)
	if err := q.submit(it); err != nil {
		t.Fatal(err)
	}
	return it
}

// users is the number of uses of the model: one for every item that is not
// finished.
func (q queueUnderTest) users() (n int) {
	q.models.change(func(s *modelSet) { n = s.current.state.users })
	return n
}

// Crops that come together wake one worker, which must wake the next one for the
// rest.
func TestQueueGivesTheRestToAnotherWorker(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := DefaultConfig()
		cfg.MaxBatch = 2
		q := newQueueUnderTest(cfg)
		sizes := make(chan int, 2)
		for range 2 {
			go func() {
				items, _ := q.next(t.Context())
				sizes <- len(items)
			}()
		}
		synctest.Wait()
		four := []*item{q.item(t, "a"), q.item(t, "b"), q.item(t, "c"), q.item(t, "d")}
		q.change(func(b *backlog) bool {
			for _, it := range four {
				_, _, _ = b.add(it, time.Now())
			}
			return true
		})
		synctest.Wait()
		if len(sizes) != 2 || <-sizes != 2 || <-sizes != 2 {
			t.Error("two free workers did not share four crops between them")
		}
	})
}

func TestQueueWaitsForCompanyAndNoLonger(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := DefaultConfig()
		q := newQueueUnderTest(cfg)
		q.submitted(t, "a")
		if items, ok := q.next(t.Context()); !ok || len(items) != 1 {
			t.Fatalf("next = %d items, %v: the first goes at once", len(items), ok)
		}
		began := time.Now()
		q.submitted(t, "a")
		q.submitted(t, "b")
		if items, ok := q.next(t.Context()); !ok || len(items) != 2 || time.Since(began) != cfg.MaxWait {
			t.Errorf("next = %d items, %v after %v, want two after %v", len(items), ok, time.Since(began), cfg.MaxWait)
		}
		q.submitted(t, "a")
		go func() { time.Sleep(time.Millisecond); q.done(); q.done() }()
		began = time.Now()
		if items, ok := q.next(t.Context()); !ok || len(items) != 1 || time.Since(began) != time.Millisecond {
			t.Errorf("next = %d items, %v after %v, want one as soon as nothing runs", len(items), ok, time.Since(began))
		}
	})
}

func TestQueueNextEndsWithItsContext(t *testing.T) {
	q := newQueueUnderTest(DefaultConfig())
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan bool)
	go func() { _, ok := q.next(ctx); ended <- ok }()
	cancel()
	if <-ended {
		t.Error("a batch of an empty queue")
	}
}

func TestQueueWithdrawsOnlyWhatWaits(t *testing.T) {
	q := newQueueUnderTest(DefaultConfig())
	waits, runs := q.submitted(t, "a"), q.submitted(t, "b")
	if !q.withdraw(waits) || q.withdraw(waits) {
		t.Error("a waiting item is withdrawn once")
	}
	if items, _ := q.next(t.Context()); len(items) != 1 || items[0] != runs {
		t.Errorf("next = %v, want the item that was left", items)
	}
	if q.withdraw(runs) {
		t.Error("an item was withdrawn from a batch")
	}
}

func TestQueueFinishesWhatItSheds(t *testing.T) {
	cfg := DefaultConfig()
	cfg.PerSession, cfg.QueueCapacity = 1, 2
	q := newQueueUnderTest(cfg)
	first, other := q.submitted(t, "a"), q.submitted(t, "b")
	q.submitted(t, "a")
	if out := <-first.done; !errors.Is(out.err, liveproof.ErrOverloaded) {
		t.Errorf("above its session's cap: %v", out.err)
	}
	if err := q.overload(time.Minute); err != nil {
		t.Errorf("overload = %v for one session above its own cap", err)
	}
	q.submitted(t, "c")
	if out := <-other.done; !errors.Is(out.err, liveproof.ErrOverloaded) {
		t.Errorf("above the capacity: %v", out.err)
	}
	if err := q.overload(time.Minute); !errors.Is(err, liveproof.ErrOverloaded) {
		t.Errorf("overload = %v after a crop was dropped because the queue was full", err)
	}
	if n := q.users(); n != 2 {
		t.Errorf("%d uses of the model by two waiting items", n)
	}
}

func TestQueueCloseFailsWhatWaitsAndWhatComes(t *testing.T) {
	q := newQueueUnderTest(DefaultConfig())
	waits := q.submitted(t, "a")
	q.close()
	q.close()
	if out := <-waits.done; !errors.Is(out.err, ErrClosed) || !errors.Is(out.err, liveproof.ErrUnavailable) {
		t.Errorf("what waited: %v", out.err)
	}
	late := q.item(t, "a")
	if err := q.submit(late); !errors.Is(err, ErrClosed) || !errors.Is(err, liveproof.ErrUnavailable) {
		t.Errorf("submit = %v", err)
	}
	if n := q.users(); n != 1 {
		t.Errorf("%d uses of the model, want that of the refused item alone, which its caller finishes", n)
	}
}

// A GPU's batch leaves crops behind that would only begin the next size: another worker takes them.
func TestQueueFillsABatch(t *testing.T) {
	cfg := DefaultConfig()
	cfg.MaxBatch = 64
	q := newQueueUnderTest(cfg)
	q.queue.fill = sizesFor(onnx.ProviderCUDA, cfg.MaxBatch).fill
	for i := range 20 {
		q.submitted(t, liveproof.SessionID(fmt.Sprint(i)))
	}
	for _, want := range []int{16, 4} {
		items, _ := q.take(time.Now().Add(cfg.MaxWait))
		if len(items) != want {
			t.Errorf("a batch of %d, want %d", len(items), want)
		}
	}
	if len(q.wake) != 1 || q.backlog.crops.size != 0 {
		t.Errorf("%d crops are left, %d wakes", q.backlog.crops.size, len(q.wake))
	}
}
