package ingest

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/pion/webrtc/v4"

	"github.com/liveproof/liveproof"
)

// errDraining refuses new connections while the server goes down; it is an
// overload for every caller that does not look closer.
var errDraining = fmt.Errorf("server is shutting down: %w", liveproof.ErrOverloaded)

// ErrStuck: sessions that were told to end did not; their goroutines still run.
var ErrStuck = errors.New("sessions did not end in time")

// overtime is above what an analyzer takes to notice its end, its own attempts
// to write and patience after them.
const overtime = 20 * time.Second

// EndError is the cause (context.Cause) with which Analyze's context ends.
type EndError struct{ Reason liveproof.Reason }

// Error implements error.
func (e *EndError) Error() string { return "session ended: " + string(e.Reason) }

// listener is told what becomes of a call; none of its methods may block for
// longer than a write deadline, event not at all.
type listener interface {
	state(s liveproof.State)
	event(e liveproof.Event)
	ended(s liveproof.Session)
}

type silent struct{}

func (silent) state(liveproof.State)   {}
func (silent) event(liveproof.Event)   {}
func (silent) ended(liveproof.Session) {}

// supervisor owns every connected session: its capacity, its goroutines and
// its end. A session that it has claimed always reaches a terminal state.
type supervisor struct {
	cfg      Config
	sessions Sessions
	analyzer Analyzer
	rtc      RTC
	log      *slog.Logger
	metrics  *metrics
	overtime time.Duration // what sessions that drain has aborted are given to end

	wg    sync.WaitGroup
	mu    sync.Mutex
	calls map[liveproof.SessionID]*call
	shut  bool
}

func newSupervisor(cfg Config, deps Deps, m *metrics) *supervisor {
	return &supervisor{
		cfg: cfg, sessions: deps.Sessions, analyzer: deps.Analyzer, rtc: deps.RTC,
		log: deps.Log, metrics: m, overtime: overtime, calls: make(map[liveproof.SessionID]*call),
	}
}

// connect claims the session for this connection and starts to watch over it.
// A refusal (no capacity, token used, another peer) leaves the session as it was.
func (s *supervisor) connect(ctx context.Context, session liveproof.Session, tokenID string,
	l listener, onCandidate func(webrtc.ICECandidateInit),
) (*call, error) {
	c, err := s.reserve(session, tokenID, l)
	if err != nil {
		return nil, err
	}
	if err := s.claim(ctx, session.ID, tokenID); err != nil {
		s.release(c)
		return nil, err
	}
	// From here on the session is ours to end, whatever happens.
	s.metrics.active.Inc()
	c.peer, err = s.rtc.NewPeer(session.ID, onCandidate)
	if err != nil {
		c.hangUp(liveproof.ReasonInternalError)
		s.wg.Go(c.run)
		return nil, fmt.Errorf("peer connection: %w", err)
	}
	s.wg.Go(c.run)
	return c, nil
}

// claim does not end with the request: a claim that was made and whose answer
// nobody awaited would leave a session that nobody ends.
func (s *supervisor) claim(ctx context.Context, id liveproof.SessionID, tokenID string) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	return s.sessions.Claim(ctx, id, tokenID)
}

// reserve takes a place; the session's id in calls also refuses a second peer
// on this server before the store is asked.
func (s *supervisor) reserve(session liveproof.Session, tokenID string, l listener) (*call, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.shut:
		return nil, errDraining
	case s.calls[session.ID] != nil && s.calls[session.ID].tokenID == tokenID:
		return nil, liveproof.ErrTokenUsed
	case s.calls[session.ID] != nil:
		return nil, liveproof.ErrConflict
	case len(s.calls) >= s.cfg.MaxSessions:
		return nil, liveproof.ErrOverloaded
	}
	c := newCall(s, session, tokenID, l)
	s.calls[session.ID] = c
	s.wg.Add(1) // until release
	return c, nil
}

func (s *supervisor) release(c *call) {
	s.mu.Lock()
	delete(s.calls, c.session.ID)
	s.mu.Unlock()
	c.cancel(nil)
	s.wg.Done()
}

// find returns the running call of a session, nil without one.
func (s *supervisor) find(id liveproof.SessionID) *call {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.calls[id]
}

// hold keeps drain waiting until unhold; false once the supervisor is shut.
func (s *supervisor) hold() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.shut {
		s.wg.Add(1)
	}
	return !s.shut
}

func (s *supervisor) unhold() { s.wg.Done() }

func (s *supervisor) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.calls)
}

// full tells that a session created now could not connect now.
func (s *supervisor) full() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.shut:
		return errDraining
	case len(s.calls) >= s.cfg.MaxSessions:
		return liveproof.ErrOverloaded
	}
	return nil
}

// drain refuses new sessions, gives the running ones until ctx ends, then ends
// them. It returns when every goroutine is gone, or ErrStuck after overtime:
// an analyzer lost in foreign code cannot be ended from here.
func (s *supervisor) drain(ctx context.Context) error {
	s.mu.Lock()
	s.shut = true
	s.mu.Unlock()
	idle := make(chan struct{})
	go func() { s.wg.Wait(); close(idle) }() // outlives drain only with what it waits for
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
		return fmt.Errorf("%d sessions: %w", s.count(), ErrStuck)
	}
}

// patience is how long the end of a session may wait for the store.
func (s *supervisor) patience() time.Duration {
	if s.full() == errDraining { //nolint:errorlint // the very value
		return min(s.cfg.DecideTimeout, 5*time.Second)
	}
	return s.cfg.DecideTimeout
}

func (s *supervisor) abortAll() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, c := range s.calls {
		c.abort(liveproof.ReasonServerShutdown)
	}
}

// settle brings a session into a terminal state, with end where nothing is
// written yet, and returns the record that stands. It retries while the store
// is away, for the time given; the record that nobody ends is taken for ended
// when it is read. A decision that is not written is none: then the session
// returned is inconclusive.
func (s *supervisor) settle(session liveproof.Session, end liveproof.Ending, within time.Duration) (liveproof.Session, error) {
	ctx, cancel := context.WithTimeout(context.Background(), within)
	defer cancel()
	var stored liveproof.Session
	err := retry(ctx, func() (err error) {
		stored, err = s.settleOnce(ctx, session.ID, end)
		return err
	})
	if err != nil {
		if end.Verdict.Outcome != liveproof.OutcomeInconclusive {
			end = unjudged(liveproof.ReasonInternalError)
		}
		stored = session
		stored.State, stored.Verdict = end.State, end.Verdict
	}
	return stored, err
}

func (s *supervisor) settleOnce(ctx context.Context, id liveproof.SessionID, end liveproof.Ending) (liveproof.Session, error) {
	stored, err := s.sessions.Get(ctx, id)
	if err != nil || stored.State.Terminal() {
		return stored, err
	}
	if end.Counts == (liveproof.FrameCounts{}) {
		end.Counts = stored.Frames
	}
	err = s.sessions.Decide(ctx, id, end.State, end.Verdict, end.Counts)
	if err != nil && !errors.Is(err, liveproof.ErrDecided) {
		return stored, err
	}
	return s.sessions.Get(ctx, id)
}

// retry calls f while it says that the store is away, with growing pauses.
func retry(ctx context.Context, f func() error) error {
	pause := 50 * time.Millisecond
	for {
		err := f()
		if !errors.Is(err, liveproof.ErrUnavailable) {
			return err
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(pause):
		}
		pause = min(2*pause, 2*time.Second)
	}
}
