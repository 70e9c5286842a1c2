package store

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/redis/go-redis/v9"
	"golang.org/x/sync/errgroup"

	"github.com/liveproof/liveproof"
)

// watchBlock is how long one read of a stream of events waits for the next change. A read cannot be cancelled, so Watch returns up
// to this long after its context has ended.
const watchBlock = 500 * time.Millisecond

// Watch implements ingest.Sessions: it reads the streams of events, which have the changes of all servers. It takes one connection
// to Redis, on a cluster one for each stream, whose servers differ.
func (r *Redis) Watch(ctx context.Context, tell func(liveproof.SessionID)) error {
	streams := r.eachStream()
	if _, cluster := r.db.(*redis.ClusterClient); !cluster {
		return r.watch(ctx, streams, tell)
	}
	group, ctx := errgroup.WithContext(ctx)
	for _, stream := range streams {
		group.Go(func() error { return r.watch(ctx, []string{stream}, tell) })
	}
	return group.Wait()
}

// watch reads streams that one server has.
func (r *Redis) watch(ctx context.Context, streams []string, tell func(liveproof.SessionID)) error {
	after := make(map[string]string, len(streams))
	for _, stream := range streams {
		after[stream] = "$"
	}
	for {
		positions := make([]string, len(streams))
		for n, stream := range streams {
			positions[n] = after[stream]
		}
		read, err := r.db.XRead(ctx, &redis.XReadArgs{Streams: append(slices.Clip(streams), positions...), Count: changesAtOnce, Block: watchBlock}).Result()
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case err != nil && !errors.Is(err, redis.Nil):
			return mapError(err)
		}
		for _, stream := range read {
			for _, m := range stream.Messages {
				id, _ := m.Values["session"].(string)
				tell(liveproof.SessionID(id))
				after[stream.Stream] = m.ID
			}
		}
	}
}
