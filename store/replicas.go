package store

import (
	"context"
	"fmt"

	"github.com/redis/go-redis/v9"

	"github.com/liveproof/liveproof"
)

// markScript writes to a session's record, so that WAIT on the same connection waits for this write and all before it: replication keeps
// their order. It never creates a record.
const markScript = `
if redis.call('EXISTS', KEYS[1]) == 1 then redis.call('HSET', KEYS[1], 'replicated', 1) end
return 1`

// replicated waits until Config.Replicas replicas have the session's record as it is now, and its place in its tenant's lists.
func (r *Redis) replicated(ctx context.Context, s liveproof.Session) error {
	if r.cfg.Replicas == 0 {
		return nil
	}
	if err := r.replicate(ctx, sessionKey(s.ID), func(pipe redis.Pipeliner) { pipe.Eval(ctx, markScript, []string{sessionKey(s.ID)}) }); err != nil {
		return err
	}
	// A failover may have lost the place that create gave it, while another server kept the record.
	return r.replicate(ctx, tenantKey(s.Tenant, "sessions"), func(pipe redis.Pipeliner) { r.addToLists(ctx, pipe, s) })
}

// replicate makes writes to keys of the slot of key, and waits until Config.Replicas replicas have them; liveproof.ErrUnavailable if they do not in
// time, so that the caller repeats the writes or withholds what they say.
func (r *Redis) replicate(ctx context.Context, key string, write func(redis.Pipeliner)) error {
	node, err := r.node(ctx, key)
	if err != nil {
		return mapError(err)
	}
	pipe := node.Pipeline() // one connection, in this order
	write(pipe)
	var acknowledged *redis.Cmd
	if r.cfg.Replicas > 0 {
		acknowledged = pipe.Do(ctx, "WAIT", r.cfg.Replicas, (r.cfg.CallTimeout / 2).Milliseconds())
	}
	if _, err := pipe.Exec(ctx); err != nil || acknowledged == nil {
		return mapError(err)
	}
	if n, _ := acknowledged.Int64(); n < int64(r.cfg.Replicas) {
		return fmt.Errorf("redis: %w: %d of %d replicas have the write", liveproof.ErrUnavailable, n, r.cfg.Replicas)
	}
	return nil
}

// node is the server that holds the key, where replicas are waited for; else the client, which finds the server by itself.
func (r *Redis) node(ctx context.Context, key string) (redis.UniversalClient, error) {
	if cluster, ok := r.db.(*redis.ClusterClient); ok && r.cfg.Replicas > 0 {
		return cluster.MasterForKey(ctx, key)
	}
	return r.db, nil
}
