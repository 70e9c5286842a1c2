package store

import (
	"context"
	"errors"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/liveproof/liveproof"
)

// watchBlock is how long one read of the stream of events waits for the next change. A read cannot be cancelled, so Watch returns up
// to this long after its context has ended.
const watchBlock = 500 * time.Millisecond

// Watch implements ingest.Sessions: it reads the stream of events, which has the changes of all servers. It takes one connection
// to Redis.
func (r *Redis) Watch(ctx context.Context, tell func(liveproof.SessionID)) error {
	for after := "$"; ; {
		streams, err := r.db.XRead(ctx, &redis.XReadArgs{
			Streams: []string{eventsKey, after}, Count: changesAtOnce, Block: watchBlock,
		}).Result()
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case errors.Is(err, redis.Nil) || err == nil && len(streams) == 0:
			continue
		case err != nil:
			return mapError(err)
		}
		for _, change := range changesOf(streams[0].Messages) {
			tell(change.Session)
			after = change.ID
		}
	}
}
