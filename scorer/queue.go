package scorer

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/liveproof/liveproof"
)

// shedMemory is how long new sessions are refused after a crop was dropped.
const shedMemory = 2 * time.Second

// queue holds the waiting crops and forms batches of them: fairQueue says whose turn
// it is, and policy says when a batch is run. It does not depend on the code that runs
// the batches.
type queue struct {
	policy  policy
	fill    func(n int) int // how many of n crops make a batch
	metrics *Metrics
	wake    chan struct{} // a token in it makes one worker ask the policy again

	mu      sync.Mutex
	backlog backlog
}

func newQueue(cfg Config, fill func(n int) int, metrics *Metrics) *queue {
	return &queue{
		policy:  policy{MaxBatch: cfg.MaxBatch, MaxWait: cfg.MaxWait},
		fill:    fill,
		metrics: metrics,
		wake:    make(chan struct{}, 1),
		backlog: backlog{crops: newFairQueue[*item](cfg.QueueCapacity, cfg.PerSession)},
	}
}

// change is the one place that takes the lock. f reports whether a worker should ask
// the policy again.
func (q *queue) change(f func(*backlog) (wake bool)) {
	q.mu.Lock()
	defer q.mu.Unlock()
	wake := f(&q.backlog)
	q.metrics.waiting.Set(float64(q.backlog.crops.size))
	if !wake {
		return
	}
	select {
	case q.wake <- struct{}{}:
	default:
	}
}

// submit queues a crop. When there is no room, an older one is dropped for it.
func (q *queue) submit(it *item) (err error) {
	var shed *item
	var why shedReason
	q.change(func(b *backlog) bool {
		shed, why, err = b.add(it, time.Now())
		return err == nil
	})
	if shed != nil {
		q.metrics.shed.WithLabelValues(string(why)).Inc()
		shed.finish(0, fmt.Errorf("%w: crop dropped for a newer one (%s)", liveproof.ErrOverloaded, why))
	}
	return err
}

// withdraw takes the crop of a caller who leaves out of the queue; the caller then
// finishes it. It returns false for a crop that is already in a batch, which the
// worker finishes.
func (q *queue) withdraw(it *item) (withdrawn bool) {
	q.change(func(b *backlog) bool {
		withdrawn = b.crops.remove(it.place, it)
		return withdrawn
	})
	return withdrawn
}

// next blocks until a batch is due and returns its items, which are of one model.
// After the run the caller must call done. next returns false when ctx has ended.
func (q *queue) next(ctx context.Context) (items []*item, ok bool) {
	for ctx.Err() == nil {
		items, again := q.take(time.Now())
		if len(items) > 0 {
			return items, true
		}
		q.pause(ctx, again)
	}
	return nil, false
}

// take returns a batch if the policy says so, else the time after which to ask
// again.
func (q *queue) take(now time.Time) (items []*item, again time.Duration) {
	q.change(func(b *backlog) bool {
		p := b.pending()
		d := q.policy.decide(p, now)
		if d.Flush == "" {
			again = d.Again
			return false
		}
		items = b.crops.take(q.fill(min(p.Next, q.policy.MaxBatch)))
		b.running++
		q.metrics.flushes.WithLabelValues(string(d.Flush)).Inc()
		return b.crops.size > 0 // another worker may be free for the rest
	})
	return items, again
}

// pause waits for a change, for again to pass (0: for ever) or for the end of ctx.
func (q *queue) pause(ctx context.Context, again time.Duration) {
	var timeout <-chan time.Time
	if again > 0 {
		timer := time.NewTimer(again)
		defer timer.Stop()
		timeout = timer.C
	}
	select {
	case <-q.wake:
	case <-timeout:
	case <-ctx.Done():
	}
}

// done ends a batch that next returned.
func (q *queue) done() {
	q.change(func(b *backlog) bool {
		b.running--
		return true
	})
}

// close fails the waiting crops and refuses all later ones. It is idempotent.
func (q *queue) close() {
	var left []*item
	q.change(func(b *backlog) bool {
		b.closed = true
		left = b.crops.takeAll()
		return false
	})
	failAll(left, errClosing())
}

// overload returns an error that wraps liveproof.ErrOverloaded when crops were
// dropped lately or the oldest has waited for longer than limit, else nil.
func (q *queue) overload(limit time.Duration) (err error) {
	q.change(func(b *backlog) bool {
		err = b.overload(time.Now(), limit)
		return false
	})
	return err
}

// backlog is the queue's state; only queue.change gives access to it.
type backlog struct {
	crops   *fairQueue[*item]
	running int       // batches between next and done
	shedAt  time.Time // when a crop was last dropped because the queue was full
	closed  bool
}

func (b *backlog) add(it *item, now time.Time) (shed *item, why shedReason, err error) {
	if b.closed {
		return nil, "", errClosing()
	}
	it.at = now
	shed, why = b.crops.add(it.place, it, now)
	if why == shedCapacity { // one session above its own cap says nothing about the load
		b.shedAt = now
	}
	return shed, why, nil
}

func (b *backlog) pending() pending {
	return pending{Waiting: b.crops.size, Next: b.crops.ready(), Oldest: b.crops.oldest(), Running: b.running}
}

func (b *backlog) overload(now time.Time, limit time.Duration) error {
	if !b.shedAt.IsZero() && now.Sub(b.shedAt) < shedMemory {
		return fmt.Errorf("%w: the scorer drops crops", liveproof.ErrOverloaded)
	}
	if oldest := b.crops.oldest(); !oldest.IsZero() && now.Sub(oldest) > limit {
		return fmt.Errorf("%w: crops wait for more than %v", liveproof.ErrOverloaded, limit)
	}
	return nil
}
