package store

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"github.com/liveproof/liveproof"
	"github.com/liveproof/liveproof/internal/redistest"
)

// reply is an error that Redis answered with.
type reply string

func (r reply) Error() string { return string(r) }
func (reply) RedisError()     {}

func TestUnanswered(t *testing.T) {
	for _, c := range []struct {
		err  error
		want bool
	}{
		{nil, false},
		{redis.Nil, false},
		{reply("NOSCRIPT No matching script."), false},
		{reply("ERR wrong number of arguments"), false},
		{reply("WRONGTYPE Operation against a key"), false},
		{reply("ERR max number of clients reached"), true},
		{reply("ERR Error running script (call to f_1): @user_script:1: -OOM command not allowed"), true},
		{reply("OOM command not allowed"), true},
		{reply("LOADING Redis is loading the dataset in memory"), true},
		{reply("READONLY You can't write against a read only replica."), true},
		{&net.OpError{Op: "dial", Err: errors.New("connection refused")}, true},
		{context.DeadlineExceeded, true},
	} {
		require.Equal(t, c.want, unanswered(c.err), "%v", c.err)
	}
}

// TestRefusedIsNotAway: a command that Redis refuses fails at once, and is not repeated as if Redis were away.
func TestRefusedIsNotAway(t *testing.T) {
	r := newRedis(t, testConfig(redistest.Start(t).URL()))
	made := create(t, r)
	require.NoError(t, r.db.Set(t.Context(), timelineKey(made.ID), "no list", 0).Err())
	err := r.AppendSamples(t.Context(), made.ID, []liveproof.Sample{sample(1)}, counts, liveproof.Pending())
	require.ErrorContains(t, err, "WRONGTYPE")
	require.NotErrorIs(t, err, liveproof.ErrUnavailable)
	err = mapError(r.db.Do(t.Context(), "ZADD", "x").Err())
	require.ErrorContains(t, err, "ERR wrong number")
	require.NotErrorIs(t, err, liveproof.ErrUnavailable)
}

// TestRefusedWritesAreOneOutage: a full Redis, or a replica, answers reads all the time.
func TestRefusedWritesAreOneOutage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		a := &availability{log: slog.New(slog.NewTextHandler(&out, nil)), now: time.Now}
		for range 10 {
			a.observe(time.Now(), "evalsha", reply("OOM command not allowed"))
			time.Sleep(2 * steadyFor)
			a.observe(time.Now(), "hgetall", nil)
		}
		require.Equal(t, 1, strings.Count(out.String(), "\n"), out.String())
		a.observe(time.Now(), "evalsha", nil)
		require.Contains(t, out.String(), "Redis answers again")
	})
}

// TestOutageFlaps: while some commands fail, it is one outage, however many succeed in between.
func TestOutageFlaps(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		a := &availability{log: slog.New(slog.NewTextHandler(&out, nil)), now: time.Now}
		lost := &net.OpError{Op: "read", Err: errors.New("connection reset")}
		a.observe(time.Now(), "evalsha", nil)
		a.observe(time.Now(), "evalsha", context.Canceled)
		require.Empty(t, out.String(), "nothing happened")
		for range 50 {
			a.observe(time.Now(), "evalsha", lost)
			time.Sleep(200 * time.Millisecond)
			a.observe(time.Now(), "evalsha", nil)
		}
		require.Equal(t, 1, strings.Count(out.String(), "\n"), out.String())
		begun := time.Now()
		time.Sleep(steadyFor)
		a.observe(begun, "evalsha", nil) // it was under way during the outage
		a.observe(time.Now(), "evalsha", context.Canceled)
		require.Equal(t, 1, strings.Count(out.String(), "\n"), out.String())
		a.observe(time.Now(), "evalsha", nil)
		a.observe(time.Now(), "evalsha", nil)
		require.Equal(t, 2, strings.Count(out.String(), "\n"), out.String())
		require.Contains(t, out.String(), `msg="Redis answers again" away=11s`)
	})
}

// TestOutageOfARealRedis: every kind of command, from many goroutines, on a server that is stopped and started.
func TestOutageOfARealRedis(t *testing.T) {
	server := redistest.Start(t)
	cfg := testConfig(server.URL())
	cfg.Retries = 0
	r := newRedis(t, cfg)
	var out lockedBuffer
	r.LogOutages(slog.New(slog.NewTextHandler(&out, nil)))
	made := create(t, r)
	require.ErrorIs(t, r.Claim(t.Context(), "gone", "t", held()), liveproof.ErrNotFound)
	require.Empty(t, out.lines())

	server.Stop()
	var all sync.WaitGroup
	for i := range 20 {
		all.Go(func() {
			ctx := context.Background()
			_ = r.Ping(ctx)
			_, _ = r.Get(ctx, made.ID)
			_, _ = r.Renew(ctx, held(), []liveproof.SessionID{made.ID})
			_, _ = r.Lapsed(ctx, 100)
			_, _, _ = r.Create(ctx, newSession(time.Hour), fmt.Sprint(i), "h")
			_ = decide(r, made.ID, decided(live))
		})
	}
	all.Wait()
	require.Len(t, out.lines(), 1)
	require.Contains(t, out.lines()[0], "level=ERROR")

	server.Start()
	require.Eventually(t, func() bool { return r.Ping(t.Context()) == nil && len(out.lines()) > 1 }, 20*time.Second, 50*time.Millisecond)
	create(t, r)
	require.Len(t, out.lines(), 2)
	require.Contains(t, out.lines()[1], "Redis answers again")
}

type lockedBuffer struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *lockedBuffer) lines() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return strings.FieldsFunc(b.text.String(), func(r rune) bool { return r == '\n' })
}

func TestClientsOwnWordsAreForDebugging(t *testing.T) {
	for level, want := range map[slog.Level]int{slog.LevelDebug: 1, slog.LevelInfo: 0} {
		var out bytes.Buffer
		clientLog{slog.New(slog.NewTextHandler(&out, &slog.HandlerOptions{Level: level}))}.Printf(t.Context(), "lost %d", 7)
		require.Equal(t, want, strings.Count(out.String(), `says="lost 7"`), out.String())
	}
}
