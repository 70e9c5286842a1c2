package store

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/liveproof/liveproof"
)

// steadyFor is how long no command may fail before Redis counts as back. While some commands fail and
// others succeed, it is one outage.
const steadyFor = time.Second

// clientLog takes what the client of Redis says.
type clientLog struct{ log *slog.Logger }

func (c clientLog) Printf(ctx context.Context, format string, values ...any) {
	if c.log.Enabled(ctx, slog.LevelDebug) {
		c.log.DebugContext(ctx, "client of Redis", "says", fmt.Sprintf(format, values...))
	}
}

// availability knows whether Redis answers, from every command of the store, and logs an outage's
// begin and end, once each. Nothing else logs that a command got no answer.
type availability struct {
	log *slog.Logger
	now func() time.Time

	mu     sync.Mutex
	away   bool
	since  time.Time // begin of the outage
	failed time.Time // newest failure
	denied string    // the name of the command whose failure that was, if Redis answered with an error
}

var _ redis.Hook = (*availability)(nil)

// observe takes the outcome of a command of this name, which began at start. Where Redis refuses to write and answers reads, reads do
// not end the outage.
func (a *availability) observe(start time.Time, name string, err error) {
	if errors.Is(err, context.Canceled) { // the caller left: this says nothing of Redis
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	now := a.now()
	switch {
	case unanswered(err):
		a.failed, a.denied = now, ""
		if _, answered := errors.AsType[redis.Error](err); answered {
			a.denied = name
		}
		if !a.away {
			a.away, a.since = true, start
			a.log.Error("Redis does not answer; until it does, no session can be created and no verdict be recorded", "command", name, "err", err)
		}
	case a.away && start.Sub(a.failed) >= steadyFor && (a.denied == "" || a.denied == name):
		a.away = false
		a.log.Info("Redis answers again", "away", now.Sub(a.since).Round(time.Millisecond))
	}
}

// unanswered reports whether a command was not carried out because Redis is away or not
// able to serve. A refused command was answered, and so was one whose script Redis does not know yet.
func unanswered(err error) bool {
	if err == nil || errors.Is(err, redis.Nil) || redis.HasErrorPrefix(err, "NOSCRIPT") {
		return false
	}
	return errors.Is(mapError(err), liveproof.ErrUnavailable)
}

// DialHook implements redis.Hook. The command that needs the connection reports its failure.
func (a *availability) DialHook(next redis.DialHook) redis.DialHook {
	return func(ctx context.Context, network, addr string) (net.Conn, error) { return next(ctx, network, addr) }
}

// ProcessHook implements redis.Hook; next makes all attempts.
func (a *availability) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		start := a.now()
		err := next(ctx, cmd)
		a.observe(start, cmd.Name(), err)
		return err
	}
}

// ProcessPipelineHook implements redis.Hook.
func (a *availability) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, cmds []redis.Cmder) error {
		start := a.now()
		err := next(ctx, cmds)
		for _, cmd := range cmds {
			a.observe(start, cmd.Name(), cmd.Err())
		}
		return err
	}
}
