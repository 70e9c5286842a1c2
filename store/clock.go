package store

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/liveproof/liveproof"
)

// clockStep is the smallest difference that moves the offset. It is above what
// the way to Redis makes of two equal clocks, so that a lease is read as it was written.
const clockStep = 100 * time.Millisecond

// clock says how far Redis's clock is ahead of this server's. Leases are kept in
// Redis's time, so servers whose clocks differ agree on when a lease runs out.
type clock struct{ offset atomic.Int64 }

// measure compares this server's time, before and after the question, with Redis's.
func (c *clock) measure(before, after, redis time.Time) {
	offset := redis.Sub(before.Add(after.Sub(before) / 2))
	if moved := offset - c.ahead(); moved.Abs() >= clockStep {
		c.offset.Store(int64(offset))
	}
}

func (c *clock) ahead() time.Duration { return time.Duration(c.offset.Load()) }

// toRedis converts a time of this server to Redis's, in Unix milliseconds.
func (c *clock) toRedis(t time.Time) int64 {
	return t.Add(c.ahead().Truncate(time.Millisecond)).UnixMilli()
}

// fromRedis converts a lease that was read to this server's time.
func (c *clock) fromRedis(l liveproof.Lease) liveproof.Lease {
	l.Until = l.Until.Add(-c.ahead().Truncate(time.Millisecond))
	return l
}

// syncClock asks Redis for its time.
func (r *Redis) syncClock(ctx context.Context) error {
	before := r.now()
	at, err := r.db.Time(ctx).Result()
	if err != nil {
		return mapError(err)
	}
	r.clock.measure(before, r.now(), at)
	return nil
}
