package store

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/liveproof/liveproof"
)

// The outbox: liveproof:events has every change of a session, at least once, and the consumer group "webhooks" remembers which
// of them are dealt with. Deliveries are in keys of their own, all in one slot:
//
//   - liveproof:{webhooks}:due:T, a sorted set of tenant T's deliveries' keys by the time at which they are due;
//   - liveproof:{webhooks}:deliveries, a hash with their bodies;
//   - liveproof:{webhooks}:dead and liveproof:{webhooks}:buried, the same for dead letters of all tenants, by the time of their burial;
//   - liveproof:{webhooks}:dead:T, tenant T's dead letters by that time, which bounds them.
const (
	webhookGroup = "webhooks"
	// All servers are one consumer: a new change still goes to one of them only, and no consumer of a server that is gone is left behind.
	webhookConsumer = "servers"
	// unacknowledged is when a change that was taken is given to another server.
	unacknowledged = 30 * time.Second
	changesAtOnce  = 100
	// maxOutbox bounds a tenant's dead letters and, in memory, its deliveries.
	maxOutbox = 10_000
	// maxQueue bounds a tenant's deliveries in Redis, which takes about 50 MB for so many.
	maxQueue = 100_000
)

const (
	deadKey   = "liveproof:{webhooks}:dead"
	buriedKey = "liveproof:{webhooks}:buried"
)

func outboxKeys(tenant string) []string {
	return []string{"liveproof:{webhooks}:due:" + tenant, "liveproof:{webhooks}:deliveries", deadKey, buriedKey, deadKey + ":" + tenant}
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
redis.call('ZADD', KEYS[5], now, ARGV[1])
redis.call('HSET', KEYS[4], ARGV[1], ARGV[2])
for _, key in ipairs(redis.call('ZRANGE', KEYS[5], 0, -1 - ARGV[3])) do
  redis.call('ZREM', KEYS[3], key)
  redis.call('ZREM', KEYS[5], key)
  redis.call('HDEL', KEYS[4], key)
end
return 1`)
	// ARGV key, body.
	reviveScript = redis.NewScript(luaNow + `
if redis.call('ZREM', KEYS[3], ARGV[1]) == 0 then return 0 end
redis.call('ZREM', KEYS[5], ARGV[1])
redis.call('HDEL', KEYS[4], ARGV[1])
redis.call('HSET', KEYS[2], ARGV[1], ARGV[2])
redis.call('ZADD', KEYS[1], now, ARGV[1])
return 1`)
)

// WatchChanges prepares the outbox: changes from the first call on, of any server, are kept until they are acknowledged, as long as
// the stream of events holds them (events_max_len).
func (r *Redis) WatchChanges(ctx context.Context) error { return r.watchFrom(ctx, "$") }

func (r *Redis) watchFrom(ctx context.Context, start string) error {
	err := r.db.XGroupCreateMkStream(ctx, eventsKey, webhookGroup, start).Err()
	if err != nil && strings.HasPrefix(err.Error(), "BUSYGROUP") {
		return nil
	}
	return mapError(err)
}

// Changes implements webhooks.Outbox.
func (r *Redis) Changes(ctx context.Context) ([]liveproof.Change, error) {
	abandoned, _, err := r.db.XAutoClaim(ctx, &redis.XAutoClaimArgs{
		Stream: eventsKey, Group: webhookGroup, Consumer: webhookConsumer, MinIdle: unacknowledged, Start: "0", Count: changesAtOnce,
	}).Result()
	if err != nil && strings.HasPrefix(err.Error(), "NOGROUP") {
		return nil, r.watchFrom(ctx, "0") // Redis has lost its data: all that is in the stream is new
	}
	if err != nil {
		return nil, mapError(err)
	}
	if len(abandoned) > 0 {
		return changesOf(abandoned), nil
	}
	streams, err := r.db.XReadGroup(ctx, &redis.XReadGroupArgs{
		Group: webhookGroup, Consumer: webhookConsumer, Streams: []string{eventsKey, ">"}, Count: changesAtOnce, Block: -1,
	}).Result()
	if errors.Is(err, redis.Nil) || err == nil && len(streams) == 0 {
		return nil, nil
	}
	if err != nil {
		return nil, mapError(err)
	}
	return changesOf(streams[0].Messages), nil
}

func changesOf(messages []redis.XMessage) []liveproof.Change {
	changes := make([]liveproof.Change, len(messages))
	for i, m := range messages {
		field := func(name string) string { text, _ := m.Values[name].(string); return text }
		at, err := strconv.ParseInt(field("changed_at"), 10, 64)
		if err != nil { // of a version that did not write it; the id of an event begins with Redis's time
			told, _, _ := strings.Cut(m.ID, "-")
			at, _ = strconv.ParseInt(told, 10, 64)
		}
		number, _ := strconv.ParseInt(field("number"), 10, 64)
		changes[i] = liveproof.Change{
			ID: m.ID, Session: liveproof.SessionID(field("session")), Number: number, Event: field("event"),
			Verdict: liveproof.Outcome(field("verdict")), At: time.UnixMilli(at).UTC(),
		}
	}
	return changes
}

// Acknowledge implements webhooks.Outbox.
func (r *Redis) Acknowledge(ctx context.Context, changes []liveproof.Change) error {
	ids := make([]string, len(changes))
	for i, c := range changes {
		ids[i] = c.ID
	}
	return mapError(r.db.XAck(ctx, eventsKey, webhookGroup, ids...).Err())
}

// Enqueue implements webhooks.Outbox.
func (r *Redis) Enqueue(ctx context.Context, d liveproof.Delivery) error {
	kept, err := enqueueScript.Run(ctx, r.db, outboxKeys(d.Tenant), d.Key, d.Body, maxQueue).Int()
	if err == nil && kept == 0 {
		return liveproof.ErrOverloaded
	}
	return mapError(err)
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
	return mapError(buryScript.Run(ctx, r.db, outboxKeys(d.Tenant), d.Key, d.Body, maxOutbox).Err())
}

// Dead returns the dead letters, the oldest first.
func (r *Redis) Dead(ctx context.Context) ([]liveproof.Delivery, error) {
	keys, err := r.db.ZRange(ctx, deadKey, 0, -1).Result()
	if err != nil || len(keys) == 0 {
		return nil, mapError(err)
	}
	bodies, err := r.db.HMGet(ctx, buriedKey, keys...).Result()
	if err != nil {
		return nil, mapError(err)
	}
	dead := make([]liveproof.Delivery, len(keys))
	for i, key := range keys {
		body, _ := bodies[i].(string)
		dead[i] = liveproof.Delivery{Key: key, Body: []byte(body)}
	}
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
