package scorer

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/liveproof/liveproof"
)

// driver lets many sessions score at once, as a server does, and measures how long each crop waits
// from the moment when it is due until its batch starts.
type driver struct {
	clients []*client
	of      map[*liveproof.Image]*client
	next    atomic.Int64 // number of the next crop of all sessions
	failed  atomic.Int64
}

// client is one session; it has one crop at a time.
type client struct {
	picture *liveproof.Image
	due     time.Time
	waits   []time.Duration
}

// newDriver gives each session a picture of its own, so that no cache speeds up the copies.
func newDriver(sessions int) *driver {
	d := &driver{of: map[*liveproof.Image]*client{}}
	pattern := noise()
	for range sessions {
		c := &client{picture: liveproof.NewImage(InputSize, InputSize)}
		copy(c.picture.Pix, pattern.Pix)
		d.clients = append(d.clients, c)
		d.of[c.picture] = c
	}
	return d
}

// timed is a backend that tells the driver when a batch starts. Several batchers, one after the other,
// may run on the same backend: Close leaves it open.
type timed struct {
	Backend
	driver  *driver
	workers int
}

func (t timed) Workers() int { return t.workers }

func (t timed) Close() error { return nil }

func (t timed) Score(ctx context.Context, crops []*Crop, rho []float32) error {
	now := time.Now()
	for _, crop := range crops {
		crop.mu.Lock()
		if c := t.driver.of[crop.picture]; c != nil {
			c.waits = append(c.waits, now.Sub(c.due))
		}
		crop.mu.Unlock()
	}
	return t.Backend.Score(ctx, crops, rho)
}

// saturate lets each session score one crop after the other, n crops in all.
func (d *driver) saturate(b *testing.B, batcher *Batcher, n int) {
	d.run(b, batcher, n, func(int64) time.Time { return time.Now() })
}

// offer lets n crops come at the given rate, the sessions taking turns, whether or not earlier ones are scored.
func (d *driver) offer(b *testing.B, batcher *Batcher, n int, rate float64) {
	began := time.Now()
	d.run(b, batcher, n, func(i int64) time.Time {
		return began.Add(time.Duration(float64(i) / rate * float64(time.Second)))
	})
}

func (d *driver) run(b *testing.B, batcher *Batcher, n int, due func(i int64) time.Time) {
	b.Helper()
	d.next.Store(0)
	d.failed.Store(0)
	began := time.Now()
	var all sync.WaitGroup
	for s, c := range d.clients {
		c.waits = c.waits[:0]
		pin, err := batcher.Pin()
		if err != nil {
			b.Fatal(err)
		}
		all.Go(func() {
			defer pin.Release()
			for i := d.next.Add(1) - 1; i < int64(n); i = d.next.Add(1) - 1 {
				c.due = due(i)
				time.Sleep(time.Until(c.due))
				if _, err := pin.Score(context.Background(), liveproof.SessionID(fmt.Sprint(s)), c.picture); err != nil {
					d.failed.Add(1)
				}
			}
		})
	}
	all.Wait()
	d.report(b, n, time.Since(began))
}

func (d *driver) report(b *testing.B, n int, took time.Duration) {
	b.Helper()
	var waits []time.Duration
	for _, c := range d.clients {
		waits = append(waits, c.waits...)
	}
	slices.Sort(waits)
	at := func(share float64) float64 {
		if len(waits) == 0 {
			return 0
		}
		return float64(waits[int(share*float64(len(waits)-1))]) / float64(time.Millisecond)
	}
	b.ReportMetric(float64(int64(n)-d.failed.Load())/took.Seconds(), "images/s")
	b.ReportMetric(at(.5), "p50-wait-ms")
	b.ReportMetric(at(.99), "p99-wait-ms")
	b.ReportMetric(float64(d.failed.Load()), "failed")
}

// benchConfig is the configuration of a server with a GPU.
func benchConfig(maxBatch int) Config {
	cfg := DefaultConfig()
	cfg.MaxBatch, cfg.QueueCapacity, cfg.BatchTimeout = maxBatch, max(256, 4*maxBatch), 10*time.Second
	return cfg
}
