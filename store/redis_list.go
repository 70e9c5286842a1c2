package store

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/liveproof/liveproof"
	"github.com/liveproof/liveproof/internal/ids"
)

// The lists of a tenant's sessions are indexes: a record may be gone while its entry is still there, never the other way
// round. All of a tenant's keys are in one slot:
//
//   - liveproof:{tenant:T}:sessions, a sorted set of ids, all with the score 0, so that it is in the order of the ids;
//   - liveproof:{tenant:T}:external:H, the same for one external id, whose hash is H;
//   - liveproof:{tenant:T}:expiry, the ids by the time at which their records expire.

func tenantKey(tenant, part string) string { return "liveproof:{tenant:" + tenant + "}:" + part }

func externalKey(tenant, externalID string) string {
	sum := sha256.Sum256([]byte(externalID))
	return tenantKey(tenant, "external:"+hex.EncodeToString(sum[:]))
}

// listKeys are the lists that a session is in.
func listKeys(tenant, externalID string) []string {
	keys := []string{tenantKey(tenant, "sessions"), tenantKey(tenant, "expiry")}
	if externalID != "" {
		keys = append(keys, externalKey(tenant, externalID))
	}
	return keys
}

// KEYS list, expiry, and the list of the external id if there is one; ARGV id, when its record expires (Unix ms), now (Unix ms), most entries to clear
// away. Each call clears away more entries than it adds, so the lists follow the records.
var listScript = redis.NewScript(`
local gone = redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', ARGV[3], 'LIMIT', 0, ARGV[4])
if #gone > 0 then
  redis.call('ZREM', KEYS[1], unpack(gone))
  redis.call('ZREM', KEYS[2], unpack(gone))
end
redis.call('ZADD', KEYS[1], 0, ARGV[1])
redis.call('ZADD', KEYS[2], ARGV[2], ARGV[1])
if KEYS[3] then
  for _, id in ipairs(redis.call('ZRANGE', KEYS[3], 0, ARGV[4] - 1)) do
    if not redis.call('ZSCORE', KEYS[1], id) then redis.call('ZREM', KEYS[3], id) end
  end
  redis.call('ZADD', KEYS[3], 0, ARGV[1])
end
for _, key in ipairs(KEYS) do
  local rest = redis.call('PTTL', key)
  if rest < 0 or rest < ARGV[2] - ARGV[3] then redis.call('PEXPIRE', key, math.max(1, ARGV[2] - ARGV[3])) end
end
return 1`)

// clearAway is how many expired entries one new session clears away at most.
const clearAway = 50

// list enters a session into its tenant's lists.
func (r *Redis) list(ctx context.Context, s liveproof.Session) error {
	return mapError(listScript.Run(ctx, r.db, listKeys(s.Tenant, s.ExternalID), r.listEntry(s)...).Err())
}

// addToLists is list as one of the commands of a pipeline.
func (r *Redis) addToLists(ctx context.Context, pipe redis.Pipeliner, s liveproof.Session) {
	listScript.Eval(ctx, pipe, listKeys(s.Tenant, s.ExternalID), r.listEntry(s)...)
}

func (r *Redis) listEntry(s liveproof.Session) []any {
	return []any{string(s.ID), s.ExpiresAt.UnixMilli(), r.now().UnixMilli(), clearAway}
}

// unlist removes sessions from their tenant's lists.
func (r *Redis) unlist(ctx context.Context, tenant, externalID string, gone ...any) error {
	if len(gone) == 0 {
		return nil
	}
	pipe := r.db.Pipeline()
	for _, key := range listKeys(tenant, externalID) {
		pipe.ZRem(ctx, key, gone...)
	}
	_, err := pipe.Exec(ctx)
	return mapError(err)
}

// List implements ingest.Sessions. It reads at most maxScan records, in a few round trips.
func (r *Redis) List(ctx context.Context, q liveproof.SessionQuery) (page liveproof.SessionPage, err error) {
	for scanned := 0; scanned < maxScan; {
		batch := min(max(q.Limit, 20), maxScan-scanned)
		found, err := r.listed(ctx, q, batch)
		if err != nil {
			return liveproof.SessionPage{}, err
		}
		sessions, err := r.readListed(ctx, q, found)
		if err != nil {
			return liveproof.SessionPage{}, err
		}
		page.Read += len(found)
		for i, id := range found {
			q.After = id
			if s := sessions[i]; s.ID != "" && q.Matches(s, r.now()) {
				page.Sessions = append(page.Sessions, s)
			}
			if len(page.Sessions) == q.Limit && (i+1 < len(found) || len(found) == batch) {
				page.Next = id
				return page, nil
			}
		}
		if scanned += len(found); len(found) < batch {
			return page, nil
		}
	}
	page.Next = q.After
	return page, nil
}

// listed returns ids of the index, newest first.
func (r *Redis) listed(ctx context.Context, q liveproof.SessionQuery, limit int) (found []liveproof.SessionID, err error) {
	key := tenantKey(q.Tenant, "sessions")
	if q.ExternalID != "" {
		key = externalKey(q.Tenant, q.ExternalID)
	}
	low, high := bounds(q)
	by := redis.ZRangeBy{Min: "-", Max: "+", Count: int64(limit)}
	if low != "" {
		by.Min = "[" + string(low)
	}
	if high != "" {
		by.Max = "(" + string(high)
	}
	members, err := r.db.ZRevRangeByLex(ctx, key, &by).Result() // its successor needs Redis 6.2
	for _, id := range members {
		found = append(found, liveproof.SessionID(id))
	}
	return found, mapError(err)
}

// readListed reads the records of an index's ids in one round trip. A record that is gone or damaged stays zero: it is left out, and
// reading it alone says why. Entries without a record are removed.
func (r *Redis) readListed(ctx context.Context, q liveproof.SessionQuery, found []liveproof.SessionID) ([]liveproof.Session, error) {
	if len(found) == 0 {
		return nil, nil
	}
	pipe := r.db.Pipeline()
	records := make([]*redis.MapStringStringCmd, len(found))
	for i, id := range found {
		records[i] = pipe.HGetAll(ctx, sessionKey(id))
	}
	if _, err := pipe.Exec(ctx); err != nil {
		return nil, mapError(err)
	}
	sessions := make([]liveproof.Session, len(found))
	var gone []any
	for i, id := range found {
		s, err := r.decodeRecord(id, records[i].Val())
		if errors.Is(err, liveproof.ErrNotFound) && r.mayBeGone(id) {
			gone = append(gone, string(id))
		}
		if err == nil {
			sessions[i] = s
		}
	}
	return sessions, r.unlist(ctx, q.Tenant, q.ExternalID, gone...)
}

// mayBeGone reports whether a listed id without a record has lost it: one that was listed a moment ago may get its record yet.
func (r *Redis) mayBeGone(id liveproof.SessionID) bool {
	return string(id) < ids.Bound(r.now().Add(-time.Minute))
}
