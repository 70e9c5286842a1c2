package live

import (
	"context"
	"errors"
	"io"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pion/webrtc/v4"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/liveproof/liveproof"
	"github.com/liveproof/liveproof/ingest/rtc"
	"github.com/liveproof/liveproof/internal/ids"
	"github.com/liveproof/liveproof/store"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// shared is a store that several servers use; each may be cut off from it.
type shared struct{ *store.Memory }

// link is one server's connection to the store.
type link struct {
	shared
	mu  sync.Mutex
	cut bool
}

func (l *link) set(cut bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.cut = cut
}

func (l *link) broken() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.cut {
		return liveproof.ErrUnavailable
	}
	return nil
}

func (l *link) Renew(ctx context.Context, lease liveproof.Lease, ids []liveproof.SessionID) ([]liveproof.SessionID, error) {
	if err := l.broken(); err != nil {
		return nil, err
	}
	return l.shared.Renew(ctx, lease, ids)
}

func (l *link) Decide(ctx context.Context, id liveproof.SessionID, end liveproof.Ending) (liveproof.Session, error) {
	if err := l.broken(); err != nil {
		return liveproof.Session{}, err
	}
	return l.shared.Decide(ctx, id, end)
}

func (l *link) Lapsed(ctx context.Context, limit int) ([]liveproof.Session, error) {
	if err := l.broken(); err != nil {
		return nil, err
	}
	return l.shared.Lapsed(ctx, limit)
}

// stream is a peer whose video never ends by itself.
type stream struct {
	once sync.Once
	done chan struct{}
}

func (p *stream) Answer(context.Context, string) (string, error)  { return "", nil }
func (p *stream) AddCandidate(webrtc.ICECandidateInit) error      { return nil }
func (p *stream) Restart(context.Context, string) (string, error) { return "", nil }
func (p *stream) AddFragment(context.Context, string, func(int) bool) (*rtc.Restarted, error) {
	return nil, nil
}
func (p *stream) Video(context.Context) (liveproof.UnitSource, error) { return p, nil }
func (p *stream) Done() <-chan struct{}                               { return p.done }
func (p *stream) Err() error                                          { return nil }
func (p *stream) RequestKeyFrame()                                    {}
func (p *stream) Close() error                                        { p.once.Do(func() { close(p.done) }); return nil }
func (p *stream) Next(ctx context.Context) (u liveproof.AccessUnit, err error) {
	select {
	case <-ctx.Done():
		return u, ctx.Err()
	case <-p.done:
		return u, io.EOF
	}
}

func dial(liveproof.SessionID, func(webrtc.ICECandidateInit)) (Peer, error) {
	return &stream{done: make(chan struct{})}, nil
}

// analyzer is an Analyzer as a function.
type analyzer func(ctx context.Context, units liveproof.UnitSource, observe func(liveproof.Event)) error

func (a analyzer) Analyze(ctx context.Context, _ liveproof.Session, units liveproof.UnitSource, observe func(liveproof.Event)) error {
	return a(ctx, units, observe)
}

// follow judges nothing and ends with the stream.
func follow(ctx context.Context, units liveproof.UnitSource, observe func(liveproof.Event)) error {
	_, err := units.Next(ctx)
	if ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	end := liveproof.Unjudged(liveproof.ReasonOf(err))
	observe(liveproof.Event{Ended: &end})
	return nil
}

// server is one server process on the shared store.
type server struct {
	*Supervisor
	link *link
	t    *testing.T
	stop context.CancelFunc
	done chan struct{}
}

func start(t *testing.T, db *store.Memory, judge analyzer) *server {
	t.Helper()
	s := &server{link: &link{shared: shared{db}}, t: t, done: make(chan struct{})}
	var err error
	s.Supervisor, err = New(DefaultConfig(), Deps{Sessions: s.link, Analyzer: judge, Dial: dial})
	require.NoError(t, err)
	ctx, stop := context.WithCancel(t.Context())
	s.stop = stop
	go func() { defer close(s.done); s.Sweep(ctx) }()
	return s
}

// kill ends the server as kill -9 does: it no longer reaches the store.
func (s *server) kill() {
	s.link.set(true)
	s.stop()
	<-s.done
}

// close shuts the server down cleanly.
func (s *server) close() {
	s.stop()
	<-s.done
	now, cancel := context.WithCancel(s.t.Context())
	cancel()
	require.NoError(s.t, s.Drain(now))
}

// created makes a session that nobody has connected to.
func (s *server) created() liveproof.Session {
	s.t.Helper()
	now := time.Now()
	made, _, err := s.link.Create(s.t.Context(), liveproof.Session{
		ID: liveproof.SessionID(ids.New(now)), Mode: liveproof.ModeCall, Deadline: time.Hour, CreatedAt: now, ExpiresAt: now.Add(24 * time.Hour),
		Lease: liveproof.Lease{Until: now.Add(time.Minute)},
	}, "", "")
	require.NoError(s.t, err)
	return made
}

// connected creates a session, connects a client and records the verdict live.
func (s *server) connected(mode liveproof.Mode) liveproof.SessionID {
	s.t.Helper()
	made := s.created()
	made.Mode = mode
	_, err := s.Connect(s.t.Context(), made, "token", Silent{}, nil)
	require.NoError(s.t, err)
	require.NoError(s.t, s.link.SetStreaming(s.t.Context(), made.ID, liveproof.ModelInfo{}, liveproof.Threshold{}, "haar"))
	standing := liveproof.Verdict{Outcome: liveproof.OutcomeLive, Score: 0.9}
	require.NoError(s.t, s.link.AppendSamples(s.t.Context(), made.ID, nil, liveproof.FrameCounts{}, standing))
	return made.ID
}

func (s *server) read(id liveproof.SessionID) liveproof.Session {
	s.t.Helper()
	found, err := s.link.Get(s.t.Context(), id)
	require.NoError(s.t, err)
	return found
}

func (s *server) current(id liveproof.SessionID) liveproof.Outcome {
	return s.read(id).Current(time.Now()).Outcome
}

func TestLeaseIsRenewedWhileTheSessionLives(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		db := store.NewMemory(store.DefaultConfig(), time.Now)
		s, other := start(t, db, follow), start(t, db, follow)
		id := s.connected(liveproof.ModeCall)
		for range 10 * 60 {
			time.Sleep(time.Second)
			require.Equal(t, liveproof.OutcomeLive, s.current(id), "for ten minutes")
		}
		require.Equal(t, liveproof.StateStreaming, s.read(id).State, "no sweep takes it away")
		s.Find(id).HangUp(liveproof.ReasonDisconnected)
		time.Sleep(time.Second)
		require.Equal(t, liveproof.StateExpired, s.read(id).State)
		require.Zero(t, s.Count())
		s.close()
		other.close()
	})
}

// TestKilledServer: no stale live is read, and any server ends the session
// within 30 s, even one that starts later.
func TestKilledServer(t *testing.T) {
	for name, restarted := range map[string]bool{"another server": false, "restarted": true} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				db := store.NewMemory(store.DefaultConfig(), time.Now)
				killed := start(t, db, follow)
				var other *server
				if !restarted {
					other = start(t, db, follow)
				}
				id := killed.connected(liveproof.ModeCall)
				time.Sleep(10 * time.Second)
				killed.kill()
				if restarted {
					time.Sleep(3 * time.Second)
					other = start(t, db, follow)
					time.Sleep(2 * time.Second)
				} else {
					time.Sleep(5 * time.Second)
				}
				require.Equal(t, liveproof.OutcomePending, other.current(id), "within 5 s")
				time.Sleep(25 * time.Second)
				found := other.read(id)
				require.Equal(t, liveproof.StateExpired, found.State, "within 30 s")
				require.Equal(t, liveproof.Inconclusive(liveproof.ReasonServerLost), found.Verdict)
				require.Equal(t, 1.0, testutil.ToFloat64(other.metrics.ends.WithLabelValues("", "expired", "inconclusive", "server_lost")))
				other.close()
				killed.close() // what is left of the process in this test
			})
		})
	}
}

// TestServerThatComesBack: a server that stood still finds that another server has
// ended its session, and ends its connection without changing the record.
func TestServerThatComesBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		db := store.NewMemory(store.DefaultConfig(), time.Now)
		frozen, other := start(t, db, follow), start(t, db, follow)
		id := frozen.connected(liveproof.ModeCall)
		frozen.link.set(true)
		time.Sleep(40 * time.Second)
		require.Equal(t, liveproof.StateExpired, other.read(id).State)
		frozen.link.set(false)
		time.Sleep(5 * time.Second)
		require.Nil(t, frozen.Find(id), "the connection is closed")
		require.Equal(t, liveproof.Inconclusive(liveproof.ReasonServerLost), other.read(id).Verdict)
		frozen.close()
		other.close()
	})
}

// TestStoreOutageKillsNoSession: the store is away for everybody, for longer than a lease.
func TestStoreOutageKillsNoSession(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		db := store.NewMemory(store.DefaultConfig(), time.Now)
		owner, other := start(t, db, follow), start(t, db, follow)
		id := owner.connected(liveproof.ModeCall)
		for _, s := range []*server{owner, other} {
			s.link.set(true)
		}
		time.Sleep(2 * time.Minute)
		require.Equal(t, liveproof.OutcomePending, owner.current(id), "nobody vouches for it")
		other.link.set(false) // the sweep is back before the owner
		time.Sleep(time.Second)
		owner.link.set(false)
		time.Sleep(5 * time.Second)
		require.Equal(t, liveproof.StateStreaming, owner.read(id).State)
		require.Equal(t, liveproof.OutcomeLive, owner.current(id))
		owner.close()
		other.close()
	})
}

func TestNobodyConnects(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		db := store.NewMemory(store.DefaultConfig(), time.Now)
		s := start(t, db, follow)
		now := time.Now()
		made, _, err := db.Create(t.Context(), liveproof.Session{
			ID: "nobody", CreatedAt: now, ExpiresAt: now.Add(time.Hour), Lease: liveproof.Lease{Until: now.Add(2 * time.Minute)},
		}, "", "")
		require.NoError(t, err)
		time.Sleep(2*time.Minute - time.Millisecond)
		require.Equal(t, liveproof.StateCreated, s.read(made.ID).State)
		time.Sleep(2 * time.Second)
		require.Equal(t, liveproof.StateExpired, s.read(made.ID).State)
		require.Equal(t, []liveproof.Reason{liveproof.ReasonNoMedia}, s.read(made.ID).Verdict.Reasons)
		s.close()
	})
}

// TestHeartbeatEndsWithTheLastSession: no goroutine is left, and a session that is not claimed yet is not renewed.
func TestHeartbeatEndsWithTheLastSession(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := start(t, store.NewMemory(store.DefaultConfig(), time.Now), follow)
		for range 3 {
			c, err := s.reserve(liveproof.Session{ID: "slow claim"}, "token", Silent{})
			require.NoError(t, err)
			time.Sleep(3 * renewEvery)
			select {
			case <-c.aborted.made:
				t.Fatal("aborted before it was claimed")
			default:
			}
			s.release(c)
			synctest.Wait()
			s.mu.Lock()
			require.False(t, s.beats)
			s.mu.Unlock()
		}
		s.close()
	})
}

// TestDrainGivesUp: an analyzer that never returns does not keep the server for ever.
func TestDrainGivesUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		let := make(chan struct{})
		s := start(t, store.NewMemory(store.DefaultConfig(), time.Now), func(context.Context, liveproof.UnitSource, func(liveproof.Event)) error {
			<-let // like a call into C code that hangs
			return errors.New("too late")
		})
		id := s.connected(liveproof.ModeOnboarding)
		s.stop()
		<-s.done
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		begun := time.Now()
		require.ErrorIs(t, s.Drain(ctx), ErrStuck)
		require.Equal(t, time.Second+overtime, time.Since(begun))
		require.Equal(t, []liveproof.Reason{liveproof.ReasonServerShutdown}, s.read(id).Verdict.Reasons, "its record is ended all the same")
		close(let)
		require.NoError(t, s.Drain(t.Context()))
	})
}

func TestOverdue(t *testing.T) {
	now := time.Now()
	lease := func(state liveproof.State, left time.Duration) liveproof.Session {
		return liveproof.Session{State: state, Lease: liveproof.Lease{Until: now.Add(left)}}
	}
	for name, c := range map[string]struct {
		session liveproof.Session
		want    liveproof.Reason // "" means not overdue
	}{
		"a client may connect":       {lease(liveproof.StateCreated, 1), ""},
		"nobody connected":           {lease(liveproof.StateCreated, 0), liveproof.ReasonNoMedia},
		"connecting":                 {lease(liveproof.StateConnecting, 1), ""},
		"its server may come back":   {lease(liveproof.StateConnecting, -takeOver+1), ""},
		"lost while connecting":      {lease(liveproof.StateConnecting, -takeOver), liveproof.ReasonServerLost},
		"lost while streaming":       {lease(liveproof.StateStreaming, -time.Hour), liveproof.ReasonServerLost},
		"decided long ago":           {lease(liveproof.StateDecided, -time.Hour), ""},
		"record of an older version": {liveproof.Session{State: liveproof.StateStreaming}, liveproof.ReasonServerLost},
	} {
		end, overdue := overdue(c.session, now)
		require.Equal(t, c.want != "", overdue, name)
		if overdue {
			require.Equal(t, liveproof.Unjudged(c.want), end, name)
			require.Equal(t, liveproof.StateExpired, end.State, name)
		}
	}
	require.Less(t, leaseFor+takeOver+leaseFor+2*sweepEvery, 30*time.Second, "what the API promises")
	require.LessOrEqual(t, leaseFor, 5*time.Second)
}

func TestConfig(t *testing.T) {
	require.NoError(t, DefaultConfig().Validate())
	for key, change := range map[string]func(*Config){
		"token_ttl:":        func(c *Config) { c.TokenTTL = 0 },
		"record_ttl:":       func(c *Config) { c.RecordTTL = c.MaxCall },
		"deadline:":         func(c *Config) { c.Deadline = 2 * c.MaxDeadline },
		"max_deadline:":     func(c *Config) { c.MaxDeadline = time.Hour },
		"max_call:":         func(c *Config) { c.MaxCall = 0 },
		"max_sessions: 0 ":  func(c *Config) { c.MaxSessions = 0 },
		"max_sessions: -2 ": func(c *Config) { c.MaxSessions = -2 },
		"max_sessions: 100001 is neither auto nor a whole number from 1 to 100000": func(c *Config) { c.MaxSessions = maxLimit + 1 },
		"connect_timeout:":  func(c *Config) { c.ConnectTimeout = 0 },
		"idle_timeout:":     func(c *Config) { c.IdleTimeout = 0 },
		"disconnect_grace:": func(c *Config) { c.DisconnectGrace = -1 },
		"decide_timeout:":   func(c *Config) { c.DecideTimeout = 0 },
		"drain_timeout:":    func(c *Config) { c.DrainTimeout = -1 },
	} {
		c := DefaultConfig()
		change(&c)
		require.ErrorContains(t, c.Validate(), key)
	}
	c := DefaultConfig()
	c.TokenTTL, c.IdleTimeout = 0, 0
	require.ErrorContains(t, c.Validate(), "token_ttl: 0s is out of range [1s, 1h0m0s]\nidle_timeout: 0s", "all faults at once")
	_, err := New(c, Deps{})
	require.Error(t, err)
	_, err = New(DefaultConfig(), Deps{})
	require.ErrorContains(t, err, "required")
}
