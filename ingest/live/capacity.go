package live

import (
	"context"
	"fmt"
	"time"

	"github.com/liveproof/liveproof"
	"github.com/liveproof/liveproof/ingest/live/admission"
	"github.com/liveproof/liveproof/internal/cpu"
)

// Capacity measures what sessions cost this server.
type Capacity struct {
	// CPU reads the CPU time, as cpu.Read does. While it fails, only the scorer counts.
	CPU func() (cpu.Reading, error)
	// Scorer is the scorer's utilisation in the last seconds; 1 is all that its workers can score.
	Scorer func() float64
	// SampleRate is how many samples a second a session takes at most.
	SampleRate float64
}

// Reason is why a session is refused; a label value of the metrics. Package admission has the reasons
// that follow from measured cost.
type Reason = admission.Reason

// The other reasons.
const (
	RefusedNumber Reason = "max_sessions" // max_sessions is a number, and it is reached
	RefusedQueue  Reason = "queue"        // crops wait for the scorer for too long
)

// Refusal is the error that says that no further session fits now. It wraps liveproof.ErrOverloaded.
type Refusal struct {
	Reason     Reason
	RetryAfter time.Duration // whole seconds, 1…30 s
}

// Error implements error.
func (r *Refusal) Error() string { return fmt.Sprintf("%v: %s", liveproof.ErrOverloaded, r.Reason) }

// Unwrap gives liveproof.ErrOverloaded.
func (r *Refusal) Unwrap() error { return liveproof.ErrOverloaded }

// measureEvery is the time between two readings.
const measureEvery = 500 * time.Millisecond

// Measure reads what the sessions cost, twice a second until ctx ends. Until it runs, the server
// admits only as many sessions as a cold server.
func (s *Supervisor) Measure(ctx context.Context) {
	if s.deps.Capacity == nil {
		return
	}
	tick := time.NewTicker(measureEvery)
	defer tick.Stop()
	for unread := false; ; {
		err := s.measure()
		if err != nil && !unread {
			s.deps.Log.Warn("CPU time cannot be measured: only the scorer limits the number of sessions", "err", err)
		}
		unread = err != nil
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

func (s *Supervisor) measure() error {
	processor, err := s.deps.Capacity.CPU()
	if err != nil {
		processor = cpu.Reading{}
	}
	r := admission.Reading{
		Cores: processor.Cores, CPU: processor.Used, Idle: processor.Idle,
		Scorer: s.deps.Capacity.Scorer(), Samples: float64(s.samples.Load()),
	}
	s.mu.Lock()
	r.Streaming = s.places.streaming
	s.places.policy.Observe(time.Now(), r)
	view := s.places.policy.View()
	s.mu.Unlock()
	s.metrics.measured(view)
	return err
}
