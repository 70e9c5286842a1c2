package pipeline

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/liveproof/liveproof"
)

// The journal's pauses between failed attempts double from first to last.
const (
	firstPause = 50 * time.Millisecond
	lastPause  = time.Second
)

// entry is what is known when samples are written down.
type entry struct {
	counts  liveproof.FrameCounts
	current liveproof.Verdict
	change  int64 // number of the current verdict; grows with each change
}

// journal writes the timeline in its own goroutine: it never blocks the judge,
// keeps the samples that could not be written yet, and knows which verdict the
// store has.
type journal struct {
	rec Recorder // nil writes nothing
	id  liveproof.SessionID
	cfg Config
	met *Metrics
	log *slog.Logger

	mu        sync.Mutex
	unwritten []liveproof.Sample
	latest    entry
	written   int64 // newest change that the store has
	dirty     bool  // latest holds a change that the store does not have

	wake   chan struct{} // something to write at once
	stored chan struct{} // gets a token when written grows
	broken chan error    // a write was refused for good
	quit   chan struct{}
	done   chan struct{}
}

func newJournal(rec Recorder, id liveproof.SessionID, cfg Config, met *Metrics, log *slog.Logger) *journal {
	return &journal{
		rec: rec, id: id, cfg: cfg, met: met, log: log,
		wake: make(chan struct{}, 1), stored: make(chan struct{}, 1), broken: make(chan error, 1),
		quit: make(chan struct{}), done: make(chan struct{}),
	}
}

// note takes samples, none for a verdict that changed by time alone.
func (j *journal) note(e entry, samples ...liveproof.Sample) {
	if j.rec == nil {
		return
	}
	j.mu.Lock()
	urgent := e.change != j.latest.change
	j.unwritten = append(j.unwritten, samples...)
	j.latest, j.dirty = e, true
	j.mu.Unlock()
	if urgent {
		signal(j.wake)
	}
}

// newest keeps the newest samples, at most n, and says how many it dropped.
func newest(samples []liveproof.Sample, n int) (kept []liveproof.Sample, dropped int) {
	dropped = max(0, len(samples)-n)
	return append(samples[:0], samples[dropped:]...), dropped
}

// has reports whether the store has the verdict of that number; true when there is no
// store.
func (j *journal) has(change int64) bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.rec == nil || j.written >= change
}

// run writes until stopped. It belongs to the session's goroutines.
func (j *journal) run() {
	defer close(j.done)
	pause := firstPause
	next := time.NewTimer(j.cfg.FlushInterval)
	defer next.Stop()
	for {
		select {
		case <-j.quit:
			return
		case <-j.wake:
		case <-next.C:
		}
		err := j.flush(context.Background())
		switch {
		case err == nil:
			pause = firstPause
			next.Reset(j.cfg.FlushInterval)
		case permanent(err):
			j.broken <- err
			return
		default:
			if !j.rest(pause) {
				return
			}
			pause = min(2*pause, lastPause)
			signal(j.wake)
		}
	}
}

// rest waits out a failure; false when the journal was stopped meanwhile.
func (j *journal) rest(pause time.Duration) bool {
	select {
	case <-j.quit:
		return false
	case <-time.After(jitter(pause)):
		return true
	}
}

// stop ends run, waits at most RecordTimeout for a write in flight, and returns
// the samples that the store does not have.
func (j *journal) stop() []liveproof.Sample {
	close(j.quit)
	<-j.done
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.unwritten
}

// flush writes what is pending in one call.
func (j *journal) flush(ctx context.Context) error {
	j.mu.Lock()
	batch, e, dirty := j.unwritten, j.latest, j.dirty
	j.unwritten, j.dirty = nil, false
	j.mu.Unlock()
	if !dirty || j.rec == nil {
		return nil
	}
	err := j.attempt(ctx, func(ctx context.Context) error {
		return j.rec.AppendSamples(ctx, j.id, batch, e.counts, e.current)
	})
	j.mu.Lock()
	defer j.mu.Unlock()
	if err != nil {
		j.unwritten, j.dirty = append(batch, j.unwritten...), true
		if j.cfg.Live { // a live session's memory is bounded: Backlog, and what comes during one attempt
			var dropped int
			j.unwritten, dropped = newest(j.unwritten, j.cfg.Backlog)
			j.met.lost.Add(float64(dropped))
		}
		return err
	}
	j.written = max(j.written, e.change)
	signal(j.stored)
	return nil
}

// attempt makes one bounded write and counts it.
func (j *journal) attempt(ctx context.Context, write func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, j.cfg.RecordTimeout)
	defer cancel()
	start := time.Now()
	err := guard("recorder", func() error { return write(ctx) })
	j.met.latency.WithLabelValues(string(StageRecord)).Observe(time.Since(start).Seconds())
	result := "ok"
	switch {
	case permanent(err):
		result = "refused"
	case err != nil:
		result = "retry"
	}
	j.met.writes.WithLabelValues(result).Inc()
	return err
}

// jitter spreads the retries of many sessions: [d/2, d].
func jitter(d time.Duration) time.Duration { return d/2 + rand.N(d/2+1) } //nolint:gosec // spreads retries; no secret depends on it

func signal(ch chan struct{}) {
	select {
	case ch <- struct{}{}:
	default:
	}
}
