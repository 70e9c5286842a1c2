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

// replicated waits until Config.Replicas replicas have the session's record as it is now; liveproof.ErrUnavailable if they do not in time,
// so that the caller repeats the write or withholds what it wrote.
func (r *Redis) replicated(ctx context.Context, id liveproof.SessionID) error {
	if r.cfg.Replicas == 0 {
		return nil
	}
	node, err := r.node(ctx, sessionKey(id))
	if err != nil {
		return mapError(err)
	}
	pipe := node.Pipeline() // one connection, in this order
	pipe.Eval(ctx, markScript, []string{sessionKey(id)})
	acknowledged := pipe.Do(ctx, "WAIT", r.cfg.Replicas, (r.cfg.CallTimeout / 2).Milliseconds())
	if _, err := pipe.Exec(ctx); err != nil {
		return mapError(err)
	}
	if n, _ := acknowledged.Int64(); n < int64(r.cfg.Replicas) {
		return fmt.Errorf("redis: %w: %d of %d replicas have the verdict", liveproof.ErrUnavailable, n, r.cfg.Replicas)
	}
	return nil
}

// node is the server that holds the key.
func (r *Redis) node(ctx context.Context, key string) (redis.UniversalClient, error) {
	if cluster, ok := r.db.(*redis.ClusterClient); ok {
		return cluster.MasterForKey(ctx, key)
	}
	return r.db, nil
}
