package pipeline

import (
	"context"
	"errors"
	"fmt"
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

// journal writes the timeline beside the media path: it never blocks the judge,
// keeps what could not be written yet, and tells which verdict the store has.
type journal struct {
	rec Recorder // nil writes nothing
	id  liveproof.SessionID
	cfg Config
	met *Metrics
	log *slog.Logger

	mu      sync.Mutex
	pending []liveproof.Sample
	latest  entry
	written int64 // newest change that the store has
	dirty   bool  // latest holds something that the store has not

	wake   chan struct{} // something to write at once
	told   chan struct{} // written has grown
	broken chan error    // a write was refused for good
	quit   chan struct{}
	done   chan struct{}
}

func newJournal(rec Recorder, id liveproof.SessionID, cfg Config, met *Metrics, log *slog.Logger) *journal {
	return &journal{
		rec: rec, id: id, cfg: cfg, met: met, log: log,
		wake: make(chan struct{}, 1), told: make(chan struct{}, 1), broken: make(chan error, 1),
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
	j.pending = append(j.pending, samples...)
	j.latest, j.dirty = e, true
	j.mu.Unlock()
	if urgent {
		signal(j.wake)
	}
}

// trim keeps a live session's memory bounded: Backlog and what comes within one
// attempt. The caller holds mu.
func (j *journal) trim() {
	over := len(j.pending) - j.cfg.Backlog
	if over <= 0 || !j.cfg.Live {
		return
	}
	j.pending = append(j.pending[:0], j.pending[over:]...)
	j.met.lost.Add(float64(over))
}

// has tells whether the store has the verdict of that number. Without a store it does.
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

// stop ends run and waits for its write in flight, at most RecordTimeout.
func (j *journal) stop() {
	close(j.quit)
	<-j.done
}

// flush writes what is pending in one call.
func (j *journal) flush(ctx context.Context) error {
	j.mu.Lock()
	batch, e, dirty := j.pending, j.latest, j.dirty
	j.pending, j.dirty = nil, false
	j.mu.Unlock()
	if !dirty || j.rec == nil {
		return nil
	}
	err := j.attempt(ctx, "append", func(ctx context.Context) error {
		return j.rec.AppendSamples(ctx, j.id, batch, e.counts, e.current)
	})
	j.mu.Lock()
	defer j.mu.Unlock()
	if err != nil {
		j.pending, j.dirty = append(batch, j.pending...), true
		j.trim()
		return err
	}
	j.written = max(j.written, e.change)
	signal(j.told)
	return nil
}

// decide writes the rest of the timeline and the verdict, again and again until
// that succeeds, is refused, or ctx ends; then the judgement is handed back in
// an UnrecordedError. The verdict does not wait for a timeline that cannot be
// written.
func (j *journal) decide(ctx context.Context, judged liveproof.Ending) error {
	if j.rec == nil {
		return nil
	}
	for pause := firstPause; ; pause = min(2*pause, lastPause) {
		if err := j.flush(ctx); err != nil {
			j.log.Warn("timeline is not written yet", "session", j.id, "error", err)
		}
		err := j.attempt(ctx, "decide", func(ctx context.Context) error {
			return j.rec.Decide(ctx, j.id, judged.State, judged.Verdict, judged.Counts)
		})
		if err == nil || permanent(err) {
			return err
		}
		select {
		case <-ctx.Done():
			j.met.writes.WithLabelValues("decide", "gave_up").Inc()
			return &liveproof.UnrecordedError{Ending: judged, Err: unavailable(err)}
		case <-time.After(jitter(pause)):
		}
	}
}

// attempt makes one bounded write and counts it.
func (j *journal) attempt(ctx context.Context, op string, write func(context.Context) error) error {
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
	j.met.writes.WithLabelValues(op, result).Inc()
	return err
}

// unavailable makes the error testable as liveproof.ErrUnavailable.
func unavailable(err error) error {
	if errors.Is(err, liveproof.ErrUnavailable) {
		return err
	}
	return fmt.Errorf("%w: %w", liveproof.ErrUnavailable, err)
}

// jitter spreads the retries of many sessions: [d/2, d].
func jitter(d time.Duration) time.Duration { return d/2 + rand.N(d/2+1) }

func signal(ch chan struct{}) {
	select {
	case ch <- struct{}{}:
	default:
	}
}
