package live

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/stretchr/testify/require"

	"github.com/liveproof/liveproof"
	"github.com/liveproof/liveproof/internal/ids"
	"github.com/liveproof/liveproof/store"
)

// TestTwoSweepsCountOneEnd: two servers find the same session in the same second;
// it ends once, so it is counted once.
func TestTwoSweepsCountOneEnd(t *testing.T) {
	db := store.NewMemory(store.DefaultConfig(), time.Now)
	now := time.Now()
	_, _, err := db.Create(t.Context(), liveproof.Session{
		ID: liveproof.SessionID(ids.New(now)), CreatedAt: now, ExpiresAt: now.Add(time.Hour),
		Lease: liveproof.Lease{Until: now.Add(-time.Second)},
	}, "", "")
	require.NoError(t, err)
	var both, sweeps sync.WaitGroup
	both.Add(2)
	counted := make([]float64, 2)
	for i := range counted {
		s, err := New(DefaultConfig(), Deps{Sessions: &together{Memory: db, all: &both}, Analyzer: analyzer(follow), Dial: dial})
		require.NoError(t, err)
		sweeps.Go(func() {
			if err := s.SweepOnce(t.Context(), time.Time{}); err != nil {
				t.Error(err)
			}
			counted[i] = testutil.ToFloat64(s.metrics.ends.WithLabelValues("", "expired", "inconclusive", "no_media"))
		})
	}
	sweeps.Wait()
	require.Equal(t, 1.0, counted[0]+counted[1])
}

// together lets every server find the overdue session before one of them ends
// it.
type together struct {
	*store.Memory
	all *sync.WaitGroup
}

func (s *together) Lapsed(ctx context.Context, limit int) ([]liveproof.Session, error) {
	found, err := s.Memory.Lapsed(ctx, limit)
	s.all.Done()
	s.all.Wait()
	return found, err
}

// TestUnwrittenEndIsLeftToTheSweep: an analyzer hangs, and the store is away for
// longer than decide_timeout. When the server has given up, it no longer renews
// the lease, so that the sweep ends the session.
func TestUnwrittenEndIsLeftToTheSweep(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		let := make(chan struct{})
		db := store.NewMemory(store.DefaultConfig(), time.Now)
		s := start(t, db, func(context.Context, liveproof.UnitSource, func(liveproof.Event)) error {
			<-let // like a call into C code that hangs
			return nil
		})
		id := s.connected(liveproof.ModeCall)
		s.link.set(true)
		s.Find(id).HangUp(liveproof.ReasonDisconnected)
		time.Sleep(s.cfg.DecideTimeout + time.Minute)
		s.link.set(false)
		time.Sleep(time.Minute)
		require.Equal(t, liveproof.StateExpired, s.read(id).State)
		close(let)
		s.close()
	})
}

// TestFrozenServerKeepsItsSession: the one server stood still (SIGSTOP, a suspended
// machine) for longer than a lease. Its sweep waits until its heartbeat has had time to
// renew.
func TestFrozenServerKeepsItsSession(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var frozen atomic.Int64
		clock := func() time.Time { return time.Now().Add(time.Duration(frozen.Load())) }
		db := store.NewMemory(store.DefaultConfig(), clock)
		s := &server{link: &link{shared: shared{db}}, t: t, done: make(chan struct{})}
		var err error
		s.Supervisor, err = New(DefaultConfig(), Deps{Sessions: slow{s.link}, Analyzer: analyzer(follow), Dial: dial, Now: clock})
		require.NoError(t, err)
		ctx, stop := context.WithCancel(t.Context())
		s.stop = stop
		go func() { defer close(s.done); s.Sweep(ctx) }()
		id := s.connected(liveproof.ModeCall)
		time.Sleep(10 * time.Second)
		frozen.Store(int64(20 * time.Second))
		time.Sleep(10 * time.Second)
		require.Equal(t, liveproof.StateStreaming, s.read(id).State)
		s.close()
	})
}

// slow is a store that takes its time to renew.
type slow struct{ *link }

func (s slow) Renew(ctx context.Context, lease liveproof.Lease, ids []liveproof.SessionID) ([]liveproof.SessionID, error) {
	time.Sleep(100 * time.Millisecond)
	return s.link.Renew(ctx, lease, ids)
}
