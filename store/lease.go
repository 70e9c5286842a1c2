package store

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/liveproof/liveproof"
)

// index writes to the expiry index when the session's lease runs out.
func (r *Redis) index(ctx context.Context, id liveproof.SessionID, until time.Time) error {
	return mapError(r.db.ZAdd(ctx, expiryKey(id), r.expiryEntry(id, until)).Err())
}

func (r *Redis) unindex(ctx context.Context, id liveproof.SessionID) error {
	return mapError(r.db.ZRem(ctx, expiryKey(id), string(id)).Err())
}

func (r *Redis) expiryEntry(id liveproof.SessionID, until time.Time) redis.Z {
	return redis.Z{Score: float64(r.clock.toRedis(until)), Member: string(id)}
}

// Renew implements live.Sessions, in one round trip for all sessions.
func (r *Redis) Renew(ctx context.Context, lease liveproof.Lease, ids []liveproof.SessionID) (lost []liveproof.SessionID, err error) {
	if len(ids) == 0 {
		return nil, nil
	}
	pipe := r.db.Pipeline()
	renewed := make([]*redis.Cmd, len(ids))
	for i, id := range ids {
		renewed[i] = pipe.Eval(ctx, renewScript, []string{sessionKey(id)}, lease.Owner, r.clock.toRedis(lease.Until))
		pipe.ZAddArgs(ctx, expiryKey(id), redis.ZAddArgs{XX: true, Members: []redis.Z{r.expiryEntry(id, lease.Until)}})
	}
	if _, err := pipe.Exec(ctx); err != nil {
		return nil, mapError(err)
	}
	for i, id := range ids {
		if ok, _ := renewed[i].Bool(); !ok {
			lost = append(lost, id)
		}
	}
	return lost, nil
}

// Lapsed implements live.Sessions. It also corrects index entries of sessions
// that have ended, are gone, or whose lease runs longer.
func (r *Redis) Lapsed(ctx context.Context, limit int) (lapsed []liveproof.Session, err error) {
	if err := r.syncClock(ctx); err != nil {
		return nil, err
	}
	ids, err := r.due(ctx, limit)
	if err != nil {
		return nil, err
	}
	var unread []error
	for _, id := range ids {
		s, err := r.inspect(ctx, id)
		switch {
		case err == nil && s.Lapsed(r.now()):
			lapsed = append(lapsed, s)
		case ctx.Err() != nil, errors.Is(err, liveproof.ErrUnavailable):
			return lapsed, err
		case err != nil:
			unread = append(unread, err)
		}
	}
	return lapsed, errors.Join(unread...)
}

// inspect reads a session whose entry in the index is due, and corrects a wrong entry.
func (r *Redis) inspect(ctx context.Context, id liveproof.SessionID) (liveproof.Session, error) {
	s, err := r.Get(ctx, id)
	switch {
	case errors.Is(err, liveproof.ErrNotFound):
		return s, r.unindex(ctx, id)
	case err != nil || s.Lapsed(r.now()):
		return s, err
	case s.State.Terminal():
		return s, r.finishEnd(ctx, id)
	}
	return s, r.index(ctx, id, s.Lease.Until)
}

// due reads the ids whose lease has run out by the index, the same share from each
// part of it.
func (r *Redis) due(ctx context.Context, limit int) (ids []liveproof.SessionID, err error) {
	pipe := r.db.Pipeline()
	parts := make([]*redis.StringSliceCmd, expiryShards)
	by := redis.ZRangeBy{Min: "-inf", Max: fmt.Sprint(r.clock.toRedis(r.now())), Count: max(1, int64(limit/expiryShards))}
	for n := range parts {
		parts[n] = pipe.ZRangeByScore(ctx, expiryShard(uint32(n)), &by)
	}
	if _, err := pipe.Exec(ctx); err != nil {
		return nil, mapError(err)
	}
	for _, part := range parts {
		for _, id := range part.Val() {
			ids = append(ids, liveproof.SessionID(id))
		}
	}
	return ids, nil
}

// finishEnd does what is left after a session's end: it adds the event and removes
// the session from the index.
func (r *Redis) finishEnd(ctx context.Context, id liveproof.SessionID) error {
	untold, err := r.db.HGet(ctx, sessionKey(id), "untold").Result()
	if err != nil && !errors.Is(err, redis.Nil) {
		return mapError(err)
	}
	if err := r.tell(ctx, id, untold); err != nil {
		return err
	}
	return r.unindex(ctx, id)
}

// Lapse implements live.Sessions.
func (r *Redis) Lapse(ctx context.Context, found liveproof.Session, end liveproof.Ending) (liveproof.Session, error) {
	return r.decide(ctx, found.ID, end, found.Lease.Owner, r.clock.toRedis(found.Lease.Until))
}

// tell adds changes to the stream of events and then removes them from the session's field "untold".
// After a crash in between, an event is added twice, but never lost.
func (r *Redis) tell(ctx context.Context, id liveproof.SessionID, untold string) error {
	if untold == "" {
		return nil
	}
	if err := r.publish(ctx, id, untold); err != nil {
		return err
	}
	last := r.db.Pipeline()
	forget(ctx, last, id, untold)
	_, err := last.Exec(ctx)
	return mapError(err)
}

// changeParts are the parts of a change, which colons separate: the event, its number and time (luaAnswer), alone or followed by the
// verdict and the threshold that judges.
var changeParts = append([]string{"event", "verdict", "score"}, thresholdFields...)

// eventOf is the event of a change, as field, value, …; parts that are empty are left out.
func eventOf(id liveproof.SessionID, change string) []any {
	values := []any{"session", string(id)}
	event, rest, _ := strings.Cut(change, ":")
	event, stamp, _ := strings.Cut(event, "#") // a version that did not count wrote the event alone
	if number, at, ok := strings.Cut(stamp, "@"); ok {
		values = append(values, "number", number, "changed_at", at)
	}
	for i, part := range append([]string{event}, strings.SplitN(rest, ":", len(changeParts)-1)...) {
		if part != "" {
			values = append(values, changeParts[i], part)
		}
	}
	return values
}

// forget removes changes that the stream of events has from the session's field "untold".
func forget(ctx context.Context, pipe redis.Pipeliner, id liveproof.SessionID, told string) {
	pipe.Eval(ctx, toldScript, []string{sessionKey(id)}, told)
}
