package live

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/liveproof/liveproof"
	"github.com/liveproof/liveproof/ingest/live/admission"
	"github.com/liveproof/liveproof/internal/cpu"
	"github.com/liveproof/liveproof/internal/ids"
	"github.com/liveproof/liveproof/store"
)

// crowd is a server on a simulated machine of two cores; each streaming session costs a part of a core.
type crowd struct {
	*Supervisor
	t    *testing.T
	db   *store.Memory
	cost float64
	used float64
	at   time.Time
	fail atomic.Bool // the CPU time cannot be read
}

const crowdRate = 5

func newCrowd(t *testing.T, cfg Config, cost float64) *crowd {
	t.Helper()
	c := &crowd{t: t, db: store.NewMemory(store.DefaultConfig(), time.Now), cost: cost, at: time.Now()}
	var err error
	c.Supervisor, err = New(cfg, Deps{
		Sessions: shared{c.db}, Analyzer: analyzer(sampled), Dial: dial,
		Capacity: &Capacity{CPU: c.processor, Scorer: func() float64 { return 0 }, SampleRate: crowdRate},
	})
	require.NoError(t, err)
	go c.Measure(t.Context())
	synctest.Wait()
	return c
}

// sampled takes five samples a second until the stream ends.
func sampled(ctx context.Context, units liveproof.UnitSource, observe func(liveproof.Event)) error {
	tick := time.NewTicker(time.Second / crowdRate)
	defer tick.Stop()
	ended := make(chan struct{})
	go func() { defer close(ended); _, _ = units.Next(ctx) }()
	for {
		select {
		case <-tick.C:
			observe(liveproof.Event{Sample: &liveproof.SampleEvent{}})
		case <-ended:
			return follow(ctx, units, observe)
		}
	}
}

func (c *crowd) processor() (cpu.Reading, error) {
	if c.fail.Load() {
		return cpu.Reading{}, errors.New("no /proc here")
	}
	demand := float64(c.streams()) * c.cost
	c.used += demand * time.Since(c.at).Seconds()
	c.at = time.Now()
	return cpu.Reading{Cores: 2, Used: c.used, Idle: 2*time.Since(time.Unix(0, 0)).Seconds() - c.used}, nil
}

func (c *crowd) streams() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.places.streaming
}

// make puts a session into the store, as the API does after Book.
func (c *crowd) make(id liveproof.SessionID) liveproof.Session {
	now := time.Now()
	s := liveproof.Session{
		ID: id, Mode: liveproof.ModeCall, State: liveproof.StateCreated, Verdict: liveproof.Pending(), CreatedAt: now,
		ExpiresAt: now.Add(time.Hour), Lease: liveproof.Lease{Until: now.Add(2 * time.Minute)},
	}
	stored, _, err := c.db.Create(c.t.Context(), s, "", "")
	require.NoError(c.t, err)
	return stored
}

func newID() liveproof.SessionID { return liveproof.SessionID(ids.New(time.Now())) }

func (c *crowd) connect(id liveproof.SessionID) (*Connection, error) {
	return c.Connect(c.t.Context(), c.make(id), "token", Silent{}, nil)
}

func (c *crowd) end() {
	c.abortAll()
	require.NoError(c.t, c.Drain(c.t.Context()))
}

func TestBurstOfCreationsBooksFewPlaces(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCrowd(t, DefaultConfig(), .1)
		var booked []liveproof.SessionID
		for range 100 {
			id := newID()
			if err := c.Book(id); err == nil {
				booked = append(booked, id)
			} else {
				var full *Refusal
				require.ErrorAs(t, err, &full)
				require.ErrorIs(t, err, liveproof.ErrOverloaded)
				require.Equal(t, admission.Settling, full.Reason)
				require.Equal(t, settlingWait, full.RetryAfter)
			}
		}
		require.Len(t, booked, 4)
		require.EqualValues(t, 96, testutil.ToFloat64(c.metrics.refused.WithLabelValues("settling")))
		for _, id := range booked {
			_, err := c.connect(id)
			require.NoError(t, err, "what was booked can connect")
		}
		_, err := c.connect(newID())
		require.ErrorIs(t, err, liveproof.ErrOverloaded, "a session without a booked place meets the same rule")
		c.end()
	})
}

func TestUnusedPlacesLapse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCrowd(t, DefaultConfig(), .1)
		ids := []liveproof.SessionID{newID(), newID(), newID(), newID()}
		for _, id := range ids {
			require.NoError(t, c.Book(id))
		}
		require.Error(t, c.Book(newID()))
		c.Unbook(ids[0])
		require.NoError(t, c.Book(newID()), "a place given back is free")
		require.Error(t, c.Book(newID()))
		time.Sleep(bookedFor)
		for range 4 {
			require.NoError(t, c.Book(newID()), "nobody blocks the server by creating sessions")
		}
		c.end()
	})
}

// TestClientsGoBeforePlaces: a client who comes later than the time for which a place is booked, or who was sent to another
// server, takes the place that was booked longest ago, while the sessions that are here leave room.
func TestClientsGoBeforePlaces(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCrowd(t, DefaultConfig(), .1)
		booked := []liveproof.SessionID{newID(), newID(), newID(), newID()}
		for _, id := range booked {
			require.NoError(t, c.Book(id))
			time.Sleep(time.Second)
		}
		_, err := c.connect(newID())
		require.NoError(t, err)
		for _, id := range booked[1:] {
			_, err := c.connect(id)
			require.NoError(t, err, "the newer places are still theirs")
		}
		late := c.make(booked[0])
		_, err = c.Connect(t.Context(), late, "token", Silent{}, nil)
		require.ErrorIs(t, err, liveproof.ErrOverloaded, "clients who are here keep theirs")
		read, err := c.db.Get(t.Context(), late.ID)
		require.NoError(t, err)
		require.Equal(t, liveproof.StateCreated, read.State, "and who is refused may try again")
		c.end()
	})
}

// TestClientsWhoTakeTheirTime: two sessions are created a second, their clients come 12 s later and stay for 5 s. Places
// and sessions are fewer than fit, so everybody is served once the cost is known.
func TestClientsWhoTakeTheirTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCrowd(t, DefaultConfig(), .05)
		var clients sync.WaitGroup
		visit := func(id liveproof.SessionID) error {
			time.Sleep(12 * time.Second)
			conn, err := c.connect(id)
			if err == nil {
				time.Sleep(5 * time.Second)
				conn.Abort(liveproof.ReasonDisconnected)
			}
			return err
		}
		for n := range 2 * 120 {
			time.Sleep(time.Second / 2)
			id := newID()
			err := c.Book(id)
			if known := n >= 2*40; known {
				require.NoError(t, err)
				clients.Go(func() { assert.NoError(t, visit(id)) })
			} else if err == nil {
				clients.Go(func() { _ = visit(id) })
			}
		}
		clients.Wait()
		c.end()
	})
}

// TestCrowdAtTheDoor: from a cold start, with more clients than fit, connecting in parallel at every moment, the
// server fills up to its capacity and never beyond.
func TestCrowdAtTheDoor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCrowd(t, DefaultConfig(), .1)
		const fits = 17 // 0.85 · 2 cores / 0.1
		for range 30 {
			var clients sync.WaitGroup
			for range 20 {
				clients.Go(func() { _, _ = c.connect(newID()) })
			}
			clients.Wait()
			require.LessOrEqual(t, c.Count(), fits)
			time.Sleep(2 * time.Second)
		}
		require.GreaterOrEqual(t, c.Count(), fits-1)
		require.InDelta(t, .1, testutil.ToFloat64(c.metrics.cost), .01)
		require.InDelta(t, fits, testutil.ToFloat64(c.metrics.capacity), 1)
		require.InDelta(t, .85, testutil.ToFloat64(c.metrics.use.WithLabelValues("cpu")), .06)
		require.Positive(t, testutil.ToFloat64(c.metrics.refused.WithLabelValues("cpu")))
		c.end()
	})
}

func TestFixedNumberIsTheOnlyBound(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := DefaultConfig()
		cfg.MaxSessions = 40
		c := newCrowd(t, cfg, .1)
		for range 100 {
			require.NoError(t, c.Book(newID()), "only connected sessions count")
		}
		var clients sync.WaitGroup
		var refused atomic.Int64
		for range 100 {
			clients.Go(func() {
				if _, err := c.connect(newID()); err != nil {
					refused.Add(1)
				}
			})
		}
		clients.Wait()
		require.Equal(t, 40, c.Count(), "whatever they cost")
		require.EqualValues(t, 60, refused.Load())
		var full *Refusal
		require.ErrorAs(t, c.Book(newID()), &full)
		require.Equal(t, RefusedNumber, full.Reason)
		require.Equal(t, 30*time.Second, full.RetryAfter, "no place has become free yet")
		c.end()
	})
}

func TestUnmeasuredProcessorLeavesTheScorer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCrowd(t, DefaultConfig(), .1)
		c.fail.Store(true)
		for range 60 {
			_, _ = c.connect(newID())
			time.Sleep(time.Second)
		}
		require.Greater(t, c.Count(), 17, "the processor does not limit what is not measured")
		c.end()
	})
}

func TestDroppedSamplesAreNoWork(t *testing.T) {
	s := start(t, store.NewMemory(store.DefaultConfig(), time.Now), follow)
	c := newConnection(s.Supervisor, liveproof.Session{}, "token", Silent{})
	for _, reasons := range [][]liveproof.Reason{
		nil, {liveproof.ReasonNoFace}, {liveproof.ReasonOverload}, {liveproof.ReasonNoFace, liveproof.ReasonOverload},
	} {
		c.observe(liveproof.Event{Sample: &liveproof.SampleEvent{Sample: liveproof.Sample{Reasons: reasons}}})
	}
	c.observe(liveproof.Event{Progress: &liveproof.Progress{}})
	require.EqualValues(t, 2, s.samples.Load())
	s.stop()
	<-s.done
}

func TestCapacityIsChecked(t *testing.T) {
	_, err := New(DefaultConfig(), Deps{
		Sessions: shared{store.NewMemory(store.DefaultConfig(), time.Now)}, Analyzer: analyzer(follow), Dial: dial, Capacity: &Capacity{},
	})
	require.ErrorContains(t, err, "Capacity")
}

func TestLimitText(t *testing.T) {
	for text, want := range map[string]Limit{"auto": Auto, "1": 1, "200": 200, "0": 0} {
		var l Limit
		require.NoError(t, l.UnmarshalText([]byte(text)), text)
		require.Equal(t, want, l)
		back, err := l.MarshalText()
		require.NoError(t, err)
		require.Equal(t, text, string(back))
	}
	for _, text := range []string{"", "Auto", "many", "-1", "1.5", "200 "} {
		require.ErrorContains(t, new(Limit).UnmarshalText([]byte(text)), "neither auto nor a whole number from 1 to 100000", text)
	}
}
