package store

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/liveproof/liveproof"
)

// The outbox: the streams of events have every change of a session, at least once, and their consumer groups "webhooks" remember which
// of them are dealt with (redis_streams.go). Deliveries are in keys of their own, those of a tenant in one slot:
//
//   - liveproof:{webhooks:T}:due, a sorted set of tenant T's deliveries' keys by the time at which they are due;
//   - liveproof:{webhooks:T}:deliveries, a hash with their bodies;
//   - liveproof:{webhooks:T}:dead and liveproof:{webhooks:T}:buried, the same for its dead letters, by the time of their burial;
//   - liveproof:webhooks:buried, the set of the tenants that may have dead letters.
const (
	webhookGroup = "webhooks"
	// All servers are one consumer: a new change still goes to one of them only, and no consumer of a server that is gone is left behind.
	webhookConsumer = "servers"
	// reclaimAfter is when a change that was taken and not acknowledged is given to another server.
	reclaimAfter  = 30 * time.Second
	changesAtOnce = 100
	// maxOutbox bounds a tenant's dead letters and, in memory, its deliveries.
	maxOutbox = 10_000
	// maxQueue bounds a tenant's deliveries in Redis, which takes about 50 MB for so many.
	maxQueue = 100_000
)

const buriedTenantsKey = "liveproof:webhooks:buried"

func outboxKeys(tenant string) []string {
	tag := "liveproof:{webhooks:" + tenant + "}:"
	return []string{tag + "due", tag + "deliveries", tag + "dead", tag + "buried"}
}

// Each script's KEYS are outboxKeys. Times are Redis's own, in Unix milliseconds.
const luaNow = `
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
`

var (
	// ARGV key, body, most that wait. Answers 0 when so many do.
	enqueueScript = redis.NewScript(luaNow + `
if redis.call('ZCARD', KEYS[1]) >= tonumber(ARGV[3]) then return redis.call('HEXISTS', KEYS[2], ARGV[1]) end
if redis.call('HSETNX', KEYS[2], ARGV[1], ARGV[2]) == 1 then redis.call('ZADD', KEYS[1], now, ARGV[1]) end
return 1`)
	// ARGV lease (ms), most. Answers key, body, …
	dueScript = redis.NewScript(luaNow + `
local found = {}
for _, key in ipairs(redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', now, 'LIMIT', 0, ARGV[2])) do
  local body = redis.call('HGET', KEYS[2], key)
  if body then
    redis.call('ZADD', KEYS[1], now + ARGV[1], key)
    found[#found + 1] = key
    found[#found + 1] = body
  else
    redis.call('ZREM', KEYS[1], key)
  end
end
return found`)
	// ARGV key, body, pause (ms).
	postponeScript = redis.NewScript(luaNow + `
if redis.call('HEXISTS', KEYS[2], ARGV[1]) == 1 then
  redis.call('HSET', KEYS[2], ARGV[1], ARGV[2])
  redis.call('ZADD', KEYS[1], now + ARGV[3], ARGV[1])
end
return 1`)
	// ARGV key.
	deliveredScript = redis.NewScript(`
redis.call('ZREM', KEYS[1], ARGV[1])
return redis.call('HDEL', KEYS[2], ARGV[1])`)
	// ARGV key, body, most dead letters of the tenant.
	buryScript = redis.NewScript(luaNow + `
redis.call('ZREM', KEYS[1], ARGV[1])
redis.call('HDEL', KEYS[2], ARGV[1])
redis.call('ZADD', KEYS[3], now, ARGV[1])
redis.call('HSET', KEYS[4], ARGV[1], ARGV[2])
for _, key in ipairs(redis.call('ZRANGE', KEYS[3], 0, -1 - ARGV[3])) do
  redis.call('ZREM', KEYS[3], key)
  redis.call('HDEL', KEYS[4], key)
end
return 1`)
	// ARGV key, body.
	reviveScript = redis.NewScript(luaNow + `
if redis.call('ZREM', KEYS[3], ARGV[1]) == 0 then return 0 end
redis.call('HDEL', KEYS[4], ARGV[1])
redis.call('HSET', KEYS[2], ARGV[1], ARGV[2])
redis.call('ZADD', KEYS[1], now, ARGV[1])
return 1`)
)

// Enqueue implements webhooks.Outbox.
func (r *Redis) Enqueue(ctx context.Context, d liveproof.Delivery) error {
	keys := outboxKeys(d.Tenant)
	var kept *redis.Cmd
	err := r.replicate(ctx, keys[0], func(pipe redis.Pipeliner) { kept = enqueueScript.Eval(ctx, pipe, keys, d.Key, d.Body, maxQueue) })
	if err != nil {
		return err
	}
	if n, _ := kept.Int(); n == 0 {
		return liveproof.ErrOverloaded
	}
	return nil
}

// Due implements webhooks.Outbox.
func (r *Redis) Due(ctx context.Context, tenant string, lease time.Duration, most int) ([]liveproof.Delivery, error) {
	found, err := dueScript.Run(ctx, r.db, outboxKeys(tenant), lease.Milliseconds(), most).StringSlice()
	if err != nil {
		return nil, mapError(err)
	}
	due := make([]liveproof.Delivery, len(found)/2)
	for i := range due {
		due[i] = liveproof.Delivery{Key: found[2*i], Tenant: tenant, Body: []byte(found[2*i+1])}
	}
	return due, nil
}

// Postpone implements webhooks.Outbox.
func (r *Redis) Postpone(ctx context.Context, d liveproof.Delivery, pause time.Duration) error {
	return mapError(postponeScript.Run(ctx, r.db, outboxKeys(d.Tenant), d.Key, d.Body, pause.Milliseconds()).Err())
}

// Delivered implements webhooks.Outbox.
func (r *Redis) Delivered(ctx context.Context, d liveproof.Delivery) error {
	return mapError(deliveredScript.Run(ctx, r.db, outboxKeys(d.Tenant), d.Key).Err())
}

// Bury implements webhooks.Outbox.
func (r *Redis) Bury(ctx context.Context, d liveproof.Delivery) error {
	return r.bury(ctx, d, maxOutbox)
}

// bury keeps at most so many dead letters of the tenant. The set of tenants comes first: a tenant that is not in it has letters that nobody finds.
func (r *Redis) bury(ctx context.Context, d liveproof.Delivery, most int) error {
	if err := r.db.SAdd(ctx, buriedTenantsKey, d.Tenant).Err(); err != nil {
		return mapError(err)
	}
	return mapError(buryScript.Run(ctx, r.db, outboxKeys(d.Tenant), d.Key, d.Body, most).Err())
}

// Dead returns the dead letters, the oldest first.
func (r *Redis) Dead(ctx context.Context) (dead []liveproof.Delivery, err error) {
	tenants, err := r.db.SMembers(ctx, buriedTenantsKey).Result()
	if err != nil {
		return nil, mapError(err)
	}
	buriedAt := make(map[string]float64)
	for _, tenant := range tenants {
		keys := outboxKeys(tenant)
		letters, err := r.db.ZRangeWithScores(ctx, keys[2], 0, -1).Result()
		if err != nil {
			return nil, mapError(err)
		}
		bodies, err := r.db.HGetAll(ctx, keys[3]).Result()
		if err != nil {
			return nil, mapError(err)
		}
		for _, letter := range letters {
			key, _ := letter.Member.(string)
			buriedAt[key] = letter.Score
			dead = append(dead, liveproof.Delivery{Key: key, Tenant: tenant, Body: []byte(bodies[key])})
		}
	}
	slices.SortStableFunc(dead, func(a, b liveproof.Delivery) int { return cmp.Compare(buriedAt[a.Key], buriedAt[b.Key]) })
	return dead, nil
}

// Revive makes a dead letter due again, with the body given; liveproof.ErrNotFound when it is none.
func (r *Redis) Revive(ctx context.Context, d liveproof.Delivery) error {
	revived, err := reviveScript.Run(ctx, r.db, outboxKeys(d.Tenant), d.Key, d.Body).Int()
	if err == nil && revived == 0 {
		return fmt.Errorf("dead letter %s: %w", d.Key, liveproof.ErrNotFound)
	}
	return mapError(err)
}
