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

// failoverConfig outlasts a failover, which takes a few seconds.
func failoverConfig(url string) Config {
	cfg := testConfig(url)
	cfg.CallTimeout, cfg.Replicas = 2*time.Second, 1
	return cfg
}

func TestContractShards(t *testing.T) {
	r, err := NewRedis(testConfig(redistest.StartShards(t).URL()), time.Now)
	require.NoError(t, err)
	runContract(t, r)
}

func TestContractSentinels(t *testing.T) {
	r, err := NewRedis(testConfig(redistest.StartSentinels(t).URL()), time.Now)
	require.NoError(t, err)
	runContract(t, r)
}

// TestFailoverLosesNoVerdict: sessions run while servers die and slots move. What a caller was told is in the store afterwards, once, and
// nothing else is.
func TestFailoverLosesNoVerdict(t *testing.T) {
	for name, start := range map[string]func(t *testing.T) (url string, disturb func()){
		"shards": func(t *testing.T) (string, func()) {
			c := redistest.StartShards(t)
			return c.URL(), func() { c.Reshard(300); c.Kill() }
		},
		"sentinels": func(t *testing.T) (string, func()) {
			s := redistest.StartSentinels(t)
			return s.URL(), s.Kill
		},
	} {
		t.Run(name, func(t *testing.T) {
			url, disturb := start(t)
			r, err := NewRedis(failoverConfig(url), time.Now)
			require.NoError(t, err)
			t.Cleanup(func() { require.NoError(t, r.Close()) })
			ledger := runThrough(t, r, disturb)
			plain, err := NewRedis(testConfig(url), time.Now) // after the failover there is no replica left to wait for
			require.NoError(t, err)
			t.Cleanup(func() { require.NoError(t, plain.Close()) })
			for id, told := range ledger {
				require.EventuallyWithT(t, func(c *assert.CollectT) {
					got, err := r.Get(t.Context(), id)
					if err != nil || !got.Verdict.Equal(told) || got.State != liveproof.StateDecided {
						c.Errorf("%s: told %v, stored %v %v: %v", id, told, got.State, got.Verdict, err)
					}
				}, 20*time.Second, 100*time.Millisecond)
				_, err := plain.Decide(t.Context(), id, decided(liveproof.Verdict{Outcome: liveproof.OutcomeLive, Score: 0.123, Scored: 1, Final: true}))
				require.ErrorIs(t, err, liveproof.ErrDecided, "a verdict stands")
			}
			t.Logf("%d verdicts told", len(ledger))
		})
	}
}

// runThrough runs sessions in several goroutines until some seconds after the disturbance, and returns what was told.
func runThrough(t *testing.T, r *Redis, disturb func()) map[liveproof.SessionID]liveproof.Verdict {
	ctx, stop := context.WithCancel(t.Context())
	var mu sync.Mutex
	ledger := map[liveproof.SessionID]liveproof.Verdict{}
	var workers sync.WaitGroup
	for range 8 {
		workers.Go(func() {
			for n := 0; ctx.Err() == nil; n++ {
				if id, v, ok := oneSession(ctx, r, n); ok {
					mu.Lock()
					ledger[id] = v
					mu.Unlock()
				}
			}
		})
	}
	time.Sleep(time.Second)
	disturb()
	time.Sleep(2 * time.Second)
	stop()
	workers.Wait()
	require.Greater(t, len(ledger), 50)
	return ledger
}

// oneSession repeats each call while the store is unavailable, as the service does; ok says that a verdict was told.
func oneSession(ctx context.Context, r *Redis, n int) (liveproof.SessionID, liveproof.Verdict, bool) {
	s := newSession(time.Hour)
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
