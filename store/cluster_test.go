package store

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/liveproof/liveproof"
	"github.com/liveproof/liveproof/internal/redistest"
)

// engines are the kinds of Redis that the store works with. disturb lets servers die and slots move; nil where nothing would take over.
var engines = map[string]func(t *testing.T) (cfg Config, disturb func()){
	"one server": func(t *testing.T) (Config, func()) { return testConfig(redistest.Start(t).URL()), nil },
	"one server with several streams": func(t *testing.T) (Config, func()) {
		cfg := testConfig(redistest.Start(t).URL())
		cfg.EventStreams = 5
		return cfg, nil
	},
	// It refuses scripts and commands that touch two slots.
	"node of a cluster": func(t *testing.T) (Config, func()) {
		cfg := testConfig(redistest.StartCluster(t).URL())
		cfg.EventStreams = 1 // a client of one node reads all streams at once
		return cfg, nil
	},
	"shards": func(t *testing.T) (Config, func()) {
		c := redistest.StartShards(t)
		return testConfig(c.URL()), func() { c.Reshard(300); c.Kill() }
	},
	"sentinels": func(t *testing.T) (Config, func()) {
		s := redistest.StartSentinels(t)
		return testConfig(s.URL()), s.Kill
	},
}

// ledger is what a run's callers were told and what its reader of changes heard.
type ledger struct {
	sync.Mutex
	verdicts map[liveproof.SessionID]liveproof.Verdict
	ends     map[liveproof.SessionID][]liveproof.Change
}

// TestFailoverLosesNothing: sessions run while servers die and slots move. What a caller was told is in the store afterwards, once: the verdict, the
// session in its tenant's list, and its end among the changes, of which those told twice are recognised.
func TestFailoverLosesNothing(t *testing.T) {
	for name, start := range engines {
		if name != "shards" && name != "sentinels" {
			continue
		}
		t.Run(name, func(t *testing.T) {
			cfg, disturb := start(t)
			plain := newRedis(t, cfg) // after the failover there is no replica left to wait for
			cfg.CallTimeout, cfg.Replicas = 2*time.Second, 1
			r := newRedis(t, cfg)
			r.reclaimAfter, plain.reclaimAfter = time.Second, time.Second
			require.NoError(t, r.WatchChanges(t.Context()))
			l := runThrough(t, r, disturb)
			for id, told := range l.verdicts {
				require.EventuallyWithT(t, func(c *assert.CollectT) {
					got, err := plain.Get(t.Context(), id)
					if err != nil || !got.Verdict.Equal(told) || got.State != liveproof.StateDecided {
						c.Errorf("%s: told %v, stored %v %v: %v", id, told, got.State, got.Verdict, err)
					}
				}, 20*time.Second, 100*time.Millisecond)
				_, err := plain.Decide(t.Context(), id, decided(liveproof.Verdict{Outcome: liveproof.OutcomeLive, Score: 0.123, Scored: 1, Final: true}))
				require.ErrorIs(t, err, liveproof.ErrDecided, "a verdict stands")
			}
			l.requireListed(t, plain)
			l.requireEnds(t, plain)
			t.Logf("%d verdicts told, %d changes heard", len(l.verdicts), len(l.ends))
		})
	}
}

// requireListed reads the lists of all tenants.
func (l *ledger) requireListed(t *testing.T, r *Redis) {
	t.Helper()
	listed := map[liveproof.SessionID]bool{}
	for tenant := range tenantsOfRun {
		q := liveproof.SessionQuery{Tenant: tenantOf(tenant), Limit: 100}
		for {
			page, err := r.List(t.Context(), q)
			require.NoError(t, err)
			for _, s := range page.Sessions {
				require.False(t, listed[s.ID], "%s is listed twice", s.ID)
				listed[s.ID] = true
			}
			if page.Next == "" {
				break
			}
			q.After = page.Next
		}
	}
	for id := range l.verdicts {
		require.True(t, listed[id], "%s is in no list", id)
	}
}

// requireEnds reads on until the end of every session has been heard; copies of one change agree in everything but their ID.
func (l *ledger) requireEnds(t *testing.T, r *Redis) {
	t.Helper()
	require.Eventually(t, func() bool {
		l.hear(t.Context(), r)
		for id := range l.verdicts {
			if len(l.ends[id]) == 0 {
				return false
			}
		}
		return true
	}, 30*time.Second, 50*time.Millisecond, "the end of a session was not heard")
	for id := range l.verdicts {
		for _, again := range l.ends[id] {
			again.ID = l.ends[id][0].ID
			require.Equal(t, l.ends[id][0], again)
		}
	}
}

// hear reads changes as the sender of webhooks does: they are acknowledged when they are noted.
func (l *ledger) hear(ctx context.Context, r *Redis) {
	changes, err := r.Changes(ctx)
	if err != nil {
		return // they come again
	}
	l.Lock()
	defer l.Unlock()
	for _, c := range changes {
		if c.Event == string(liveproof.StateDecided) {
			l.ends[c.Session] = append(l.ends[c.Session], c)
		}
	}
	_ = r.Acknowledge(ctx, changes) // else they come again
}

const tenantsOfRun = 8 // whose lists are in different slots

func tenantOf(n int) string { return fmt.Sprintf("bank-%d", n%tenantsOfRun) }

// runThrough runs sessions in several goroutines until some seconds after the disturbance, and returns what was told.
func runThrough(t *testing.T, r *Redis, disturb func()) *ledger {
	ctx, stop := context.WithCancel(t.Context())
	l := &ledger{verdicts: map[liveproof.SessionID]liveproof.Verdict{}, ends: map[liveproof.SessionID][]liveproof.Change{}}
	var workers sync.WaitGroup
	for range 8 {
		workers.Go(func() {
			for n := 0; ctx.Err() == nil; n++ {
				if id, v, ok := oneSession(ctx, r, n); ok {
					l.Lock()
					l.verdicts[id] = v
					l.Unlock()
				}
			}
		})
	}
	workers.Go(func() {
		for ctx.Err() == nil {
			l.hear(ctx, r)
			time.Sleep(10 * time.Millisecond)
		}
	})
	told := func() int { l.Lock(); defer l.Unlock(); return len(l.verdicts) }
	enough := assert.Eventually(t, func() bool { return told() > 50 }, time.Minute, 10*time.Millisecond, "sessions do not end")
	if enough {
		disturb()
		time.Sleep(2 * time.Second)
	}
	stop()
	workers.Wait()
	require.True(t, enough)
	return l
}

// oneSession repeats each call while the store is unavailable, as the service does; ok says that a verdict was told.
func oneSession(ctx context.Context, r *Redis, n int) (liveproof.SessionID, liveproof.Verdict, bool) {
	s := newSession(time.Hour)
	s.Tenant = tenantOf(n)
	v := liveproof.Verdict{Outcome: liveproof.OutcomeSpoof, Score: 0.25, Scored: 10 + n%5, Final: true, Reasons: []liveproof.Reason{liveproof.ReasonScoreBelow}}
	for _, step := range []func() error{
		func() error { _, _, err := r.Create(ctx, s, "", fmt.Sprint(n)); return err },
		func() error { return r.Claim(ctx, s.ID, "token", held()) },
		func() error {
			return r.SetStreaming(ctx, s.ID, liveproof.ModelInfo{Name: "m"}, liveproof.Threshold{Value: 0.5, Source: liveproof.ThresholdOfModel}, "d")
		},
		func() error {
			return r.AppendSamples(ctx, s.ID, []liveproof.Sample{sample(1), sample(2)}, counts, liveproof.Pending())
		},
		func() error { _, err := r.Decide(ctx, s.ID, decided(v)); return err },
	} {
		err := step()
		for errors.Is(err, liveproof.ErrUnavailable) && ctx.Err() == nil {
			time.Sleep(50 * time.Millisecond)
			err = step()
		}
		if err != nil {
			return s.ID, v, false // a session that was lost before its end: its client was told nothing
		}
	}
	return s.ID, v, true
}

// TestTLSAndACL: a server that asks for a client's certificate and for a user.
func TestTLSAndACL(t *testing.T) {
	s := redistest.StartSecured(t)
	cfg := testConfig(s.URL())
	cfg.RedisCA, cfg.RedisCert, cfg.RedisKey = s.CA, s.Cert, s.Key
	r, err := NewRedis(cfg, time.Now)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, r.Close()) })
	create(t, r)
	for name, spoil := range map[string]func(*Config){
		"no certificate of the client": func(c *Config) { c.RedisCert, c.RedisKey = "", "" },
		"unknown authority":            func(c *Config) { c.RedisCA = "" },
		"wrong password":               func(c *Config) { c.Redis = strings.Replace(c.Redis, "secret-2026", "other", 1) },
		"another name than the certificate's": func(c *Config) {
			c.Redis = strings.Replace(c.Redis, "localhost", "127.0.0.1", 1)
		},
	} {
		t.Run(name, func(t *testing.T) {
			other := cfg
			other.Retries = 0
			spoil(&other)
			refused, err := NewRedis(other, time.Now)
			require.NoError(t, err)
			defer func() { require.NoError(t, refused.Close()) }()
			require.ErrorIs(t, refused.Ping(t.Context()), liveproof.ErrUnavailable)
		})
	}
}
