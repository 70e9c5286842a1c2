package publish

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/liveproof/liveproof/internal/check"
)

// Window is when a load is measured.
type Window struct {
	Settle time.Duration // from the start of the last session to the start of the window, ≥ 0
	Length time.Duration // ≥ 1 s
}

// Validate reports every value that is out of range; each error begins with its name.
func (w Window) Validate() error {
	return errors.Join(
		check.AtLeast("settle", w.Settle, 0),
		check.AtLeast("window", w.Length, time.Second),
	)
}

// Measurement is what sessions got in a window, and what they cost. Load and Machine are measured on
// the machine that sends; Machine includes the server if it runs on the same machine.
type Measurement struct {
	Sessions     int     `json:"sessions"` // that sent media during the whole window
	Seconds      float64 `json:"seconds"`
	Least        float64 `json:"scored_per_second_least"` // of the session with the fewest
	Median       float64 `json:"scored_per_second_median"`
	Total        float64 `json:"scored_per_second_total"`  // of the whole server
	LatencyP95   float64 `json:"latency_p95_ms"`           // from a sampled picture's arrival until it was judged
	Server       float64 `json:"server_cores"`             // CPU seconds of the server a second
	ServerEach   float64 `json:"server_cores_per_session"` // Server / Sessions
	Load         float64 `json:"load_cores"`               // of this process
	Machine      float64 `json:"machine_cores"`            // of all processes
	MemoryIdle   float64 `json:"memory_idle_mb"`           // of the server before the first session
	Memory       float64 `json:"memory_mb"`
	MemoryEach   float64 `json:"memory_per_session_mb"` // (Memory - MemoryIdle) / Sessions
	SessionsSent int     `json:"sessions_wanted"`       // refused ones included
}

// Measure sends the clip to o.Sessions sessions at once until the window is over, and measures the window. The clip must
// last until then. The first failure ends all sessions.
func Measure(ctx context.Context, o Options, w Window, clip *Clip) (results []Result, m Measurement, err error) {
	if err := errors.Join(o.Validate(), w.Validate()); err != nil {
		return nil, m, err
	}
	meter := meter{client: o.Client}
	o.Connected = meter.watch
	idle, err := meter.read(ctx)
	if err != nil {
		return nil, m, err
	}
	group, ctx := errgroup.WithContext(ctx)
	sending, stop := context.WithCancelCause(ctx)
	group.Go(func() (err error) {
		results, err = Load(sending, o, clip)
		return err
	})
	group.Go(func() error {
		defer stop(errEnough)
		before, after, err := meter.window(ctx, time.Duration(o.Sessions-1)*o.Stagger+w.Settle, w.Length)
		if err == nil {
			m = measurement(idle, before, after)
			m.SessionsSent = o.Sessions
		}
		return err
	})
	err = group.Wait()
	return results, m, err
}

// Load sends the clip to o.Sessions sessions at once and returns their results. The first failure ends all sessions.
func Load(ctx context.Context, o Options, clip *Clip) ([]Result, error) {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	results := make([]Result, o.Sessions)
	var first error
	err := Run(ctx, o, o.Sessions, func(int) (*Clip, error) { return clip, nil }, func(i int, r Result, err error) {
		results[i] = r
		if err != nil && first == nil {
			first = err
			stop(err)
		}
	})
	return results, errors.Join(err, first)
}

// meter reads the counters of a server and its sessions.
type meter struct {
	client   Client
	mu       sync.Mutex
	sessions []string
}

// watch adds a session to those whose counters are read.
func (m *meter) watch(s Session) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.sessions = append(m.sessions, s.ID)
}

// window reads the counters at the beginning and at the end of a window.
func (m *meter) window(ctx context.Context, begin, length time.Duration) (before, after counters, err error) {
	if err = sleep(ctx, begin); err != nil {
		return before, after, err
	}
	if before, err = m.read(ctx); err != nil {
		return before, after, err
	}
	if err = sleep(ctx, length); err != nil {
		return before, after, err
	}
	after, err = m.read(ctx)
	return before, after, err
}

func sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// counters are all counters at one time.
type counters struct {
	at     time.Time
	cpu    cpuTimes
	server serverCounters
	scored map[string]scored // by session
}

// scored is how many samples a session had at a time.
type scored struct {
	at    time.Time
	count int64
}

func (m *meter) read(ctx context.Context) (c counters, err error) {
	m.mu.Lock()
	sessions := slices.Clone(m.sessions)
	m.mu.Unlock()
	c.at = time.Now()
	if c.server, err = m.client.counters(ctx); err != nil {
		return c, err
	}
	if c.cpu, err = readCPU(); err != nil {
		return c, err
	}
	c.scored = make(map[string]scored, len(sessions))
	for _, id := range sessions {
		got, err := m.client.Status(ctx, id)
		if err != nil {
			return c, err
		}
		c.scored[id] = scored{time.Now(), got.Frames.Scored}
	}
	return c, nil
}

// measurement is what happened between two readings; idle was read before the first session.
func measurement(idle, before, after counters) Measurement {
	seconds := after.at.Sub(before.at).Seconds()
	rates := before.ratesUntil(after)
	m := Measurement{
		Sessions: len(rates), Seconds: seconds,
		Total:      float64(after.server.scored-before.server.scored) / seconds,
		LatencyP95: 1000 * before.server.latency.until(after.server.latency).quantile(.95),
		Server:     (after.server.cpu - before.server.cpu) / seconds,
		Load:       (after.cpu.own - before.cpu.own) / seconds,
		Machine:    (after.cpu.machine - before.cpu.machine) / seconds,
		MemoryIdle: idle.server.memory / 1e6, Memory: after.server.memory / 1e6,
	}
	if n := len(rates); n > 0 {
		m.Least, m.Median = rates[0], rates[n/2]
		m.ServerEach, m.MemoryEach = m.Server/float64(n), (m.Memory-m.MemoryIdle)/float64(n)
	}
	return m
}

// ratesUntil returns each session's scored samples a second between two readings, in ascending order.
func (c counters) ratesUntil(after counters) []float64 {
	rates := make([]float64, 0, len(c.scored))
	for id, from := range c.scored {
		to := after.scored[id]
		rates = append(rates, float64(to.count-from.count)/to.at.Sub(from.at).Seconds())
	}
	slices.Sort(rates)
	return rates
}
