package live

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pion/webrtc/v4"
	"github.com/prometheus/client_golang/prometheus"
	"go.opentelemetry.io/otel/trace"

	"github.com/liveproof/liveproof"
	"github.com/liveproof/liveproof/internal/ids"
	"github.com/liveproof/liveproof/internal/tracing"
)

// Errors of this package; test with errors.Is.
var (
	// ErrDraining: the server is shutting down. It wraps liveproof.ErrOverloaded.
	ErrDraining = fmt.Errorf("server is shutting down: %w", liveproof.ErrOverloaded)
	// ErrNegotiation: the connection could not be negotiated in time.
	ErrNegotiation = errors.New("negotiation timed out")
	// ErrStuck: some sessions did not end although they were aborted; their
	// goroutines still run.
	ErrStuck = errors.New("sessions did not end in time")
)

// overtime is longer than an analyzer needs to end, plus the time to write its
// ending.
const overtime = 20 * time.Second

// Deps are what a supervisor works with. Sessions, Analyzer and Dial are
// required.
type Deps struct {
	Sessions Sessions
	Analyzer Analyzer
	Dial     Dialer
	Capacity *Capacity             // nil measures nothing: max_sessions auto then admits all
	Log      *slog.Logger          // nil discards
	Metrics  prometheus.Registerer // nil leaves the metrics unregistered
	Now      func() time.Time      // nil is time.Now
	Tracer   trace.Tracer          // nil traces nothing
}

// Supervisor owns every session that is connected to this server: its capacity,
// its goroutines, its lease and its end. A session that it has claimed always
// reaches a terminal state.
type Supervisor struct {
	cfg      Config
	deps     Deps
	metrics  *metrics
	node     string        // names this server in leases
	overtime time.Duration // how long Drain waits for the sessions that it has aborted

	wg          sync.WaitGroup
	emptied     chan struct{} // gets a token when the last connection has ended
	mu          sync.Mutex
	connections map[liveproof.SessionID]*Connection
	places      places
	beats       bool // the heartbeat is running
	shut        bool

	samples atomic.Int64 // taken of all sessions, without those dropped in overload
}

// New checks the configuration; nothing runs yet.
func New(cfg Config, deps Deps) (*Supervisor, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	if deps.Sessions == nil || deps.Analyzer == nil || deps.Dial == nil {
		return nil, errors.New("live: Sessions, Analyzer and Dial are required")
	}
	if c := deps.Capacity; c != nil && (c.CPU == nil || c.Scorer == nil || !(c.SampleRate > 0)) {
		return nil, errors.New("live: a Capacity needs CPU, Scorer and SampleRate")
	}
	if deps.Log == nil {
		deps.Log = slog.New(slog.DiscardHandler)
	}
	deps.Tracer = tracing.Or(deps.Tracer)
	if deps.Now == nil {
		deps.Now = time.Now
	}
	return &Supervisor{
		cfg: cfg, deps: deps, metrics: newMetrics(deps.Metrics), node: ids.New(time.Now()), overtime: overtime,
		emptied: make(chan struct{}, 1), connections: make(map[liveproof.SessionID]*Connection),
		places: newPlaces(cfg.MaxSessions, deps.Capacity),
	}, nil
}

// Connect claims the session for this connection and runs it. A refusal (no
// capacity, token used, another peer) leaves the session as it was.
func (s *Supervisor) Connect(ctx context.Context, session liveproof.Session, tokenID string,
	l Listener, onCandidate func(webrtc.ICECandidateInit),
) (*Connection, error) {
	c, err := s.reserve(session, tokenID, l)
	if err != nil {
		return nil, err
	}
	if err := s.claim(ctx, session.ID, tokenID); err != nil {
		s.release(c)
		return nil, err
	}
	// From here on this server must end the session, whatever happens.
	c.spans.connected()
	s.own(c, true)
	c.peer, err = s.dial(session.ID, onCandidate)
	if err != nil {
		c.HangUp(liveproof.ReasonInternalError)
		s.wg.Go(c.run)
		return nil, fmt.Errorf("peer connection: %w", err)
	}
	s.wg.Go(c.run)
	return c, nil
}

// dial makes the peer, nil with an error. A panic here must not leave a claimed session without a
// goroutine.
func (s *Supervisor) dial(id liveproof.SessionID, onCandidate func(webrtc.ICECandidateInit)) (p Peer, err error) {
	defer func() {
		if cause := recover(); cause != nil {
			s.deps.Log.Error("dial panicked", "session", id, "panic", fmt.Sprint(cause), "stack", string(debug.Stack()))
			p, err = nil, fmt.Errorf("panic: %v", cause)
		}
	}()
	if p, err = s.deps.Dial(id, onCandidate); err != nil {
		return nil, err
	}
	return p, nil
}

// claim does not end with the request. If the request ended after the store had
// made the claim, the session would have no connection and would only end when
// its lease runs out.
func (s *Supervisor) claim(ctx context.Context, id liveproof.SessionID, tokenID string) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	return s.deps.Sessions.Claim(ctx, id, tokenID, s.lease())
}

// own says whether the heartbeat renews the session's lease.
func (s *Supervisor) own(c *Connection, owned bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c.claimed = owned
}

// Book keeps a place for a session that is about to be created, for 10 s until its client
// connects. The error says why no place is free: a *Refusal, or ErrDraining.
func (s *Supervisor) Book(id liveproof.SessionID) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.shut {
		return ErrDraining
	}
	now := time.Now()
	if err := s.counted(s.places.refuse(now, len(s.connections))); err != nil {
		return err
	}
	s.places.book(now, id)
	return nil
}

// Unbook frees the booked place of a session that was not created.
func (s *Supervisor) Unbook(id liveproof.SessionID) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.places.take(time.Now(), id)
}

// counted counts a refusal and makes it an error; nil stays nil.
func (s *Supervisor) counted(refused *Refusal) error {
	if refused == nil {
		return nil
	}
	s.metrics.refused.WithLabelValues(string(refused.Reason)).Inc()
	return refused
}

// Refuse counts a refusal for the caller's reason, and returns it with the time until another try.
func (s *Supervisor) Refuse(why Reason) *Refusal {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.metrics.refused.WithLabelValues(string(why)).Inc()
	return s.places.refusal(time.Now(), why)
}

// reserve takes a place for a session whose client is here. It also refuses a
// second peer for the session on this server, without asking the store.
func (s *Supervisor) reserve(session liveproof.Session, tokenID string, l Listener) (*Connection, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	known := s.connections[session.ID]
	switch {
	case s.shut:
		return nil, ErrDraining
	case known != nil && known.OpenedBy(tokenID):
		return nil, liveproof.ErrTokenUsed
	case known != nil:
		return nil, liveproof.ErrConflict
	}
	if err := s.counted(s.places.connect(time.Now(), session.ID, len(s.connections))); err != nil {
		return nil, err
	}
	c := newConnection(s, session, tokenID, l)
	s.connections[session.ID] = c
	s.metrics.active.Inc()
	s.wg.Add(1) // until release
	if !s.beats {
		s.beats = true
		s.wg.Go(s.heartbeat)
	}
	return c, nil
}

func (s *Supervisor) release(c *Connection) {
	s.mu.Lock()
	delete(s.connections, c.session.ID)
	s.places.freed(time.Now(), c.streams)
	if len(s.connections) == 0 {
		select {
		case s.emptied <- struct{}{}:
		default:
		}
	}
	s.mu.Unlock()
	s.metrics.active.Dec()
	c.cancel(nil)
	s.wg.Done()
}

// started notes that the connection's first video has arrived.
func (s *Supervisor) started(c *Connection) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c.streams = true
	s.places.streaming++
}

// Find returns the connection of a session to this server, nil without one.
func (s *Supervisor) Find(id liveproof.SessionID) *Connection {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.connections[id]
}

// Hold makes Drain wait until Unhold; it returns false once the supervisor is
// closed.
func (s *Supervisor) Hold() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.shut {
		s.wg.Add(1)
	}
	return !s.shut
}

// Unhold ends a Hold.
func (s *Supervisor) Unhold() { s.wg.Done() }

// Count is the number of connected sessions.
func (s *Supervisor) Count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.connections)
}

func (s *Supervisor) draining() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.shut
}

// Drain refuses new sessions, lets the running ones go on until ctx ends, and
// then aborts them. It returns when every goroutine has ended, or ErrStuck
// after overtime: an analyzer that hangs in C code cannot be stopped.
func (s *Supervisor) Drain(ctx context.Context) error {
	s.mu.Lock()
	s.shut = true
	s.mu.Unlock()
	idle := make(chan struct{})
	go func() { s.wg.Wait(); close(idle) }() // outlives Drain only when a session is stuck
	select {
	case <-idle:
		return nil
	case <-ctx.Done():
		s.abortAll()
	}
	late := time.NewTimer(s.overtime)
	defer late.Stop()
	select {
	case <-idle:
		return nil
	case <-late.C:
		return fmt.Errorf("%d sessions: %w", s.Count(), ErrStuck)
	}
}

func (s *Supervisor) abortAll() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, c := range s.connections {
		c.Abort(liveproof.ReasonServerShutdown)
	}
}
