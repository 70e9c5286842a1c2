package store

import (
	"context"
	"math"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/liveproof/liveproof"
	"github.com/liveproof/liveproof/internal/redistest"
)

func newRedis(t *testing.T, cfg Config) *Redis {
	t.Helper()
	r, err := NewRedis(cfg, time.Now)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, r.Close()) })
	return r
}

func TestRedisStoppedAndStarted(t *testing.T) {
	server := redistest.Start(t)
	cfg := testConfig(server.URL())
	cfg.Retries = 0
	r := newRedis(t, cfg)
	made := create(t, r)

	server.Stop()
	require.ErrorIs(t, r.Ping(t.Context()), liveproof.ErrUnavailable)
	_, err := r.Get(t.Context(), made.ID)
	require.ErrorIs(t, err, liveproof.ErrUnavailable, "away is not the same as gone")
	require.ErrorIs(t, decide(r, made.ID, decided(live)), liveproof.ErrUnavailable)
	_, _, err = r.Create(t.Context(), newSession(time.Hour), "", "")
	require.ErrorIs(t, err, liveproof.ErrUnavailable)

	server.Start()
	require.NoError(t, r.Ping(t.Context()), "heals by itself")
	// This redis-server kept nothing: the verdict must not revive a session without its history.
	require.ErrorIs(t, decide(r, made.ID, decided(live)), liveproof.ErrNotFound)
	create(t, r)
}

func TestRedisSlow(t *testing.T) {
	server := redistest.Start(t)
	cfg := testConfig(server.URL())
	patient := newRedis(t, cfg)
	made := create(t, patient)
	cfg.CallTimeout, cfg.Retries = 20*time.Millisecond, 0
	hasty := newRedis(t, cfg)

	server.Pause(300 * time.Millisecond)
	require.ErrorIs(t, decide(hasty, made.ID, decided(live)), liveproof.ErrUnavailable)
	// The call that got no answer may have been carried out; repeating it settles on the one verdict.
	require.NoError(t, decide(patient, made.ID, decided(live)))
	require.ErrorIs(t, decide(patient, made.ID, decided(spoof())), liveproof.ErrDecided)
	events, err := patient.db.XRange(t.Context(), eventsKey, "-", "+").Result()
	require.NoError(t, err)
	require.Len(t, events, 2, "created and decided, each once: %v", events)
}

func TestRedisEventStream(t *testing.T) {
	r := newRedis(t, testConfig(redistest.Start(t).URL()))
	made := create(t, r)
	require.NoError(t, r.Claim(t.Context(), made.ID, "t", held()))
	require.NoError(t, r.SetStreaming(t.Context(), made.ID, liveproof.ModelInfo{}, liveproof.Threshold{}, "haar"))
	require.NoError(t, r.AppendSamples(t.Context(), made.ID, []liveproof.Sample{sample(1)}, counts, liveproof.Pending()))
	require.NoError(t, decide(r, made.ID, decided(live)))
	events, err := r.db.XRange(t.Context(), eventsKey, "-", "+").Result()
	require.NoError(t, err)
	var names []string
	for _, e := range events {
		require.Equal(t, string(made.ID), e.Values["session"])
		names = append(names, e.Values["event"].(string))
	}
	require.Equal(t, []string{"created", "connecting", "streaming", "decided"}, names)
	require.Equal(t, "live", events[3].Values["verdict"])
}

// TestEventsNameTheThreshold: every event with a verdict says what judged, from the first sample on.
func TestEventsNameTheThreshold(t *testing.T) {
	r := newRedis(t, testConfig(redistest.Start(t).URL()))
	made := create(t, r)
	require.NoError(t, r.Claim(t.Context(), made.ID, "t", held()))
	require.NoError(t, r.SetStreaming(t.Context(), made.ID, liveproof.ModelInfo{}, ofTenant, "haar"))
	call := live
	call.Final = false
	require.NoError(t, r.AppendSamples(t.Context(), made.ID, []liveproof.Sample{sample(1)}, counts, call))
	require.NoError(t, decide(r, made.ID, decided(live)))
	bare := create(t, r)
	require.NoError(t, decide(r, bare.ID, liveproof.Unjudged(liveproof.ReasonNoMedia)))
	events, err := r.db.XRange(t.Context(), eventsKey, "-", "+").Result()
	require.NoError(t, err)
	require.Len(t, events, 7)
	for i, event := range map[int]string{3: "verdict", 4: "decided"} {
		require.Equal(t, map[string]any{
			"session": string(made.ID), "event": event, "number": strconv.Itoa(i + 1), "changed_at": events[i].Values["changed_at"],
			"verdict": "live", "score": "0.875", "threshold": "0.25", "threshold_source": "tenant", "threshold_calibration": "bank_a", "threshold_sha256": digest,
		}, events[i].Values)
	}
	require.Equal(t, map[string]any{
		"session": string(bare.ID), "event": "expired", "number": "2", "changed_at": events[6].Values["changed_at"],
		"verdict": "inconclusive", "score": "0",
	}, events[6].Values, "nothing judged it")
}

// TestClocksNeedNotAgree: a server whose clock is wrong sees the same leases as every other.
func TestClocksNeedNotAgree(t *testing.T) {
	cfg := testConfig(redistest.Start(t).URL())
	right := newRedis(t, cfg)
	require.NoError(t, right.Ping(t.Context()))
	for name, ahead := range map[string]time.Duration{"ahead": 20 * time.Minute, "behind": -20 * time.Minute} {
		t.Run(name, func(t *testing.T) {
			wrongNow := func() time.Time { return time.Now().Add(ahead) }
			wrong, err := NewRedis(cfg, wrongNow)
			require.NoError(t, err)
			t.Cleanup(func() { require.NoError(t, wrong.Close()) })
			require.NoError(t, wrong.Ping(t.Context()))

			mine, theirs := create(t, right), newSession(time.Hour)
			require.NoError(t, right.Claim(t.Context(), mine.ID, "t", held()))
			theirs.Lease.Until = wrongNow().Add(time.Minute)
			_, _, err = wrong.Create(t.Context(), theirs, "", "")
			require.NoError(t, err)
			renewed := liveproof.Lease{Owner: "server B", Until: wrongNow().Add(time.Minute)}
			require.NoError(t, wrong.Claim(t.Context(), theirs.ID, "t", renewed))
			_, err = wrong.Renew(t.Context(), renewed, []liveproof.SessionID{theirs.ID})
			require.NoError(t, err)

			for _, id := range []liveproof.SessionID{mine.ID, theirs.ID} {
				a, err := right.Get(t.Context(), id)
				require.NoError(t, err)
				require.WithinDuration(t, time.Now().Add(time.Minute), a.Lease.Until, 5*time.Second)
				b, err := wrong.Get(t.Context(), id)
				require.NoError(t, err)
				require.WithinDuration(t, wrongNow().Add(time.Minute), b.Lease.Until, 5*time.Second)
			}
			for _, s := range []*Redis{right, wrong} {
				found, err := s.Lapsed(t.Context(), 1600)
				require.NoError(t, err)
				require.Empty(t, found, "nobody's lease has run out")
			}

			past := liveproof.Lease{Owner: "server B", Until: wrongNow().Add(-time.Second)}
			_, err = wrong.Renew(t.Context(), past, []liveproof.SessionID{theirs.ID})
			require.NoError(t, err)
			found, err := right.Lapsed(t.Context(), 1600)
			require.NoError(t, err)
			require.Len(t, found, 1)
			_, err = right.Lapse(t.Context(), found[0], liveproof.Unjudged(liveproof.ReasonServerLost))
			require.NoError(t, err, "the lease is compared as it was written")
		})
	}
}

// TestEventsSurviveACrash: when a server dies between a change and its event,
// another server adds the event.
func TestEventsSurviveACrash(t *testing.T) {
	r := newRedis(t, testConfig(redistest.Start(t).URL()))
	made := create(t, r)
	require.NoError(t, decide(r, made.ID, decided(spoof())))
	// The state right after the script: the change is in "untold", not in the
	// stream, and the session is still in the index.
	require.NoError(t, r.db.HSet(t.Context(), sessionKey(made.ID), "untold", "decided:spoof:0.125").Err())
	require.NoError(t, r.db.Del(t.Context(), eventsKey).Err())
	require.NoError(t, r.index(t.Context(), made.ID, time.Now().Add(-time.Second)))

	require.Empty(t, lapsed(t, r, made.ID))
	events, err := r.db.XRange(t.Context(), eventsKey, "-", "+").Result()
	require.NoError(t, err)
	require.Len(t, events, 1)
	require.Equal(t, map[string]any{"session": string(made.ID), "event": "decided", "verdict": "spoof", "score": "0.125"}, events[0].Values)
	require.Zero(t, r.db.Exists(t.Context(), expiryKey(made.ID)).Val(), "and it is off the index")
	require.Empty(t, lapsed(t, r, made.ID))
	require.EqualValues(t, 1, r.db.XLen(t.Context(), eventsKey).Val())
}

func TestRedisKeysExpire(t *testing.T) {
	r := newRedis(t, testConfig(redistest.Start(t).URL()))
	_, _, err := r.Create(t.Context(), newSession(time.Hour), "key", "hash")
	require.NoError(t, err)
	made := create(t, r)
	require.NoError(t, r.AppendSamples(t.Context(), made.ID, []liveproof.Sample{sample(1)}, counts, liveproof.Pending()))
	keys, err := r.db.Keys(t.Context(), "*").Result()
	require.NoError(t, err)
	for _, key := range keys {
		ttl := r.db.TTL(t.Context(), key).Val()
		shared := key == eventsKey || strings.HasPrefix(key, "liveproof:{expiry:")
		require.True(t, shared || ttl > 0, "%s lives for ever", key)
	}
}

func TestRedisForeignDataIsAnError(t *testing.T) {
	r := newRedis(t, testConfig(redistest.Start(t).URL()))
	made := create(t, r)
	require.NoError(t, r.db.HSet(t.Context(), sessionKey(made.ID), "result", "{").Err())
	_, err := r.Get(t.Context(), made.ID)
	require.ErrorContains(t, err, "field result")
}

func TestNaNVerdictIsRefused(t *testing.T) {
	r := newRedis(t, testConfig(redistest.Start(t).URL()))
	made, v := create(t, r), live
	v.Score = math.NaN()
	require.Error(t, decide(r, made.ID, decided(v)))
	got, err := r.Get(t.Context(), made.ID)
	require.NoError(t, err)
	require.Equal(t, liveproof.OutcomePending, got.Verdict.Outcome)
}

func TestCancelledCall(t *testing.T) {
	r := newRedis(t, testConfig(redistest.Start(t).URL()))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	require.ErrorIs(t, r.Ping(ctx), context.Canceled)
}

func TestConfigValidate(t *testing.T) {
	require.NoError(t, DefaultConfig().Validate())
	for key, spoil := range map[string]func(*Config){
		"dial_timeout":    func(c *Config) { c.DialTimeout = 0 },
		"call_timeout":    func(c *Config) { c.CallTimeout = -1 },
		"retries":         func(c *Config) { c.Retries = 11 },
		"events_max_len":  func(c *Config) { c.EventsMaxLen = 0 },
		"idempotency_ttl": func(c *Config) { c.IdempotencyTTL = 0 },
		"max_sessions":    func(c *Config) { c.MaxSessions = 0 },
		"redis":           func(c *Config) { c.Redis = "http://x" },
	} {
		cfg := DefaultConfig()
		spoil(&cfg)
		err := cfg.Validate()
		require.Error(t, err, key)
		require.True(t, strings.HasPrefix(err.Error(), key+": "), "%s: %v", key, err)
	}
}

func TestConfigErrorHidesThePassword(t *testing.T) {
	cfg := DefaultConfig()
	for _, address := range []string{"redis://u:s3cret@host:bad/0", "127.0.0.1:6379", "http://u:s3cret@host"} {
		cfg.Redis = address
		err := cfg.Validate()
		require.ErrorContains(t, err, "redis://host:6379/0", "the mend")
		require.NotContains(t, err.Error(), "s3cret")
	}
}

func TestMemoryKeysNeverOutnumberSessions(t *testing.T) {
	now := time.Now()
	m := NewMemory(testConfig(""), func() time.Time { return now })
	for i := range 100 {
		made, _, err := m.Create(t.Context(), newSession(time.Minute), string(rune('a'+i)), "")
		require.NoError(t, err)
		if i%2 == 0 {
			require.NoError(t, m.Delete(t.Context(), made.ID))
		}
	}
	require.Len(t, m.keys, 50)
	now = now.Add(time.Hour)
	create(t, m)
	require.Empty(t, m.keys)
}

func BenchmarkDecide(b *testing.B) {
	stores := map[string]func() storer{
		"memory": func() storer { return NewMemory(testConfig(""), time.Now) },
		"redis": func() storer {
			r, err := NewRedis(testConfig(redistest.Start(b).URL()), time.Now)
			require.NoError(b, err)
			return r
		},
	}
	for name, open := range stores {
		b.Run(name, func(b *testing.B) {
			s := open()
			defer s.Close()
			b.ReportAllocs()
			for b.Loop() {
				made, _, err := s.Create(b.Context(), newSession(time.Hour), "", "")
				require.NoError(b, err)
				require.NoError(b, s.AppendSamples(b.Context(), made.ID, []liveproof.Sample{sample(1)}, counts, liveproof.Pending()))
				require.NoError(b, decide(s, made.ID, decided(live)))
				require.NoError(b, s.Delete(b.Context(), made.ID))
			}
		})
	}
}

// TestServerDiesBetweenKeyAndRecord: whoever repeats the request comes to the session whose id the key got, and there is no other one.
func TestServerDiesBetweenKeyAndRecord(t *testing.T) {
	r := newRedis(t, testConfig(redistest.Start(t).URL()))
	dead := newSession(time.Hour)
	_, err := r.reserve(t.Context(), "key", dead.ID, "hash", "")
	require.NoError(t, err)
	for range 2 {
		repeated := newSession(time.Hour)
		_, _, err = r.Create(t.Context(), repeated, "key", "another")
		require.ErrorIs(t, err, liveproof.ErrIdempotencyMismatch)
		stored, replayed, err := r.Create(t.Context(), repeated, "key", "hash")
		require.NoError(t, err)
		require.True(t, replayed)
		require.Equal(t, dead.ID, stored.ID)
	}
	require.Equal(t, []liveproof.SessionID{dead.ID}, listAll(t, r, liveproof.SessionQuery{Tenant: dead.Tenant, Limit: 9}))
	require.NoError(t, r.Delete(t.Context(), dead.ID))
	fresh, replayed, err := r.Create(t.Context(), newSession(time.Hour), "key", "hash")
	require.NoError(t, err)
	require.False(t, replayed)
	require.NotEqual(t, dead.ID, fresh.ID, "a deleted session does not come back")
}

// TestRaceForAKeyMakesOneSession: those that lose the race leave nothing behind, of which a webhook would tell.
func TestRaceForAKeyMakesOneSession(t *testing.T) {
	r := newRedis(t, testConfig(redistest.Start(t).URL()))
	require.Equal(t, 16, race(16, func(int) error {
		_, _, err := r.Create(t.Context(), newSession(time.Hour), "key", "hash")
		return err
	}))
	events, err := r.db.XRange(t.Context(), "liveproof:events", "-", "+").Result()
	require.NoError(t, err)
	require.NotEmpty(t, events)
	for _, e := range events { // one may be told several times
		require.Equal(t, "created", e.Values["event"])
		require.Equal(t, events[0].Values["session"], e.Values["session"])
	}
}
