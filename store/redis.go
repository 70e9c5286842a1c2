package store

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/logging"

	"github.com/liveproof/liveproof"
)

// Redis keeps sessions in Redis ≥ 6: a hash and a list with a TTL for each
// session (keys.go), and every change of state or verdict in streams of
// events (redis_streams.go). Changes are Lua scripts, so each is made completely or not
// at all.
type Redis struct {
	cfg Config
	now func() time.Time
	db  redis.UniversalClient

	clock        clock
	reclaimAfter time.Duration
}

// NewRedis prepares a store; it does not connect. Ping reports whether Redis answers.
func NewRedis(cfg Config, now func() time.Time) (*Redis, error) {
	logging.Disable() // else the client writes to standard error, past our log (LogOutages); every failure reaches the caller as an error
	db, err := cfg.connect()
	if err != nil {
		return nil, err
	}
	return &Redis{cfg: cfg, now: now, db: db, reclaimAfter: reclaimAfter}, nil
}

// LogOutages logs from now on when Redis stops answering (error) and when it answers again (info),
// once each. The store's callers then need not log an error that wraps liveproof.ErrUnavailable. What the client of Redis says
// itself, of all stores of the process, is logged too (debug). Call it before the store is used by several goroutines.
func (r *Redis) LogOutages(log *slog.Logger) {
	redis.SetLogger(clientLog{log})
	r.db.AddHook(&availability{log: log, now: time.Now})
}

// Close closes the connections.
func (r *Redis) Close() error { return r.db.Close() }

// Ping reports whether Redis answers. It does not check that Redis accepts
// writes.
func (r *Redis) Ping(ctx context.Context) error { return r.syncClock(ctx) }

// Create implements ingest.Sessions.
func (r *Redis) Create(ctx context.Context, s liveproof.Session, key, hash string) (liveproof.Session, bool, error) {
	if key == "" {
		made, err := r.create(ctx, s, hash)
		return made, false, err
	}
	held, err := r.reserve(ctx, key, s.ID, hash, "")
	if err != nil {
		return liveproof.Session{}, false, err
	}
	stored, err := r.keyed(ctx, held, s, hash)
	if errors.Is(err, liveproof.ErrNotFound) && held.id != s.ID { // the key's session is gone, and its key with it
		if held, err = r.reserve(ctx, key, s.ID, hash, held.id); err == nil {
			stored, err = r.keyed(ctx, held, s, hash)
		}
	}
	if err != nil {
		return liveproof.Session{}, false, err
	}
	if held.making {
		if err := idempotencyMadeScript.Run(ctx, r.db, []string{idempotencyKey(key)}, string(held.id)).Err(); err != nil {
			return liveproof.Session{}, false, mapError(err)
		}
	}
	return stored, held.id != s.ID, nil
}

// keyed is the session that an idempotency key holds; liveproof.ErrNotFound if it is gone. A session that is being made is made here too, under the one id that
// the key holds: the server that began to may have failed, and if not, both make the same record.
func (r *Redis) keyed(ctx context.Context, held idempotency, s liveproof.Session, hash string) (liveproof.Session, error) {
	if held.id != s.ID {
		stored, err := r.Get(ctx, held.id)
		missing := errors.Is(err, liveproof.ErrNotFound)
		switch {
		case err != nil && !(missing && held.making):
			return stored, err
		case held.hash != hash:
			return liveproof.Session{}, liveproof.ErrIdempotencyMismatch
		case !missing:
			return stored, nil
		}
		s.ID = held.id
	}
	if _, err := r.create(ctx, s, hash); err != nil && !errors.Is(err, liveproof.ErrConflict) { // which says that its client is here already
		return liveproof.Session{}, err
	}
	return r.Get(ctx, s.ID)
}

// create writes the record. Its places in the indexes come first: a record that is not in the expiry
// index would never expire, and one that is in no list would not be found.
func (r *Redis) create(ctx context.Context, s liveproof.Session, hash string) (liveproof.Session, error) {
	s.State, s.Verdict = liveproof.StateCreated, liveproof.Pending()
	fields, err := encodeSession(s, r.clock.toRedis(s.Lease.Until))
	if err != nil {
		return liveproof.Session{}, err
	}
	if err := r.index(ctx, s.ID, s.Lease.Until); err != nil {
		return liveproof.Session{}, err
	}
	if err := r.list(ctx, s); err != nil {
		return liveproof.Session{}, err
	}
	return s, r.run(ctx, createScript, s.ID, append([]any{s.ExpiresAt.UnixMilli(), hash}, fields...)...)
}

// reserve gives the idempotency key to the session of this id, unless it has one; gone is a session that no longer has it. The key comes before the record,
// so that whoever repeats a request that failed in between comes to the same session.
func (r *Redis) reserve(ctx context.Context, key string, id liveproof.SessionID, hash string, gone liveproof.SessionID) (idempotency, error) {
	held, err := idempotencyScript.Run(ctx, r.db, []string{idempotencyKey(key)},
		string(id), hash, r.cfg.IdempotencyTTL.Milliseconds(), string(gone)).StringSlice()
	if err != nil {
		return idempotency{}, mapError(err)
	}
	return idempotency{id: liveproof.SessionID(held[0]), hash: held[1], making: held[2] != ""}, nil
}

// Get implements ingest.Sessions.
func (r *Redis) Get(ctx context.Context, id liveproof.SessionID) (liveproof.Session, error) {
	fields, err := r.db.HGetAll(ctx, sessionKey(id)).Result()
	if err != nil {
		return liveproof.Session{}, mapError(err)
	}
	return r.decodeRecord(id, fields)
}

// decodeRecord reads a session's hash; one without fields does not exist.
func (r *Redis) decodeRecord(id liveproof.SessionID, fields map[string]string) (liveproof.Session, error) {
	if len(fields) == 0 {
		return liveproof.Session{}, liveproof.ErrNotFound
	}
	s, err := decodeSession(id, fields)
	if err != nil {
		return liveproof.Session{}, err
	}
	s.Lease = r.clock.fromRedis(s.Lease)
	return s, nil
}

// Timeline implements ingest.Sessions.
func (r *Redis) Timeline(ctx context.Context, id liveproof.SessionID) ([]liveproof.Sample, error) {
	pipe := r.db.Pipeline()
	exists := pipe.Exists(ctx, sessionKey(id))
	rows := pipe.LRange(ctx, timelineKey(id), 0, -1)
	if _, err := pipe.Exec(ctx); err != nil {
		return nil, mapError(err)
	}
	if exists.Val() == 0 {
		return nil, liveproof.ErrNotFound
	}
	samples := make([]liveproof.Sample, len(rows.Val()))
	for i, row := range rows.Val() {
		s, err := decodeSample(row)
		if err != nil {
			return nil, fmt.Errorf("timeline of %s, row %d: %w", id, i, err)
		}
		samples[i] = s
	}
	return samples, nil
}

// Delete implements ingest.Sessions.
func (r *Redis) Delete(ctx context.Context, id liveproof.SessionID) error {
	// The fields say whose lists the session is in.
	owner, err := r.db.HMGet(ctx, sessionKey(id), "tenant", "external_id").Result()
	if err != nil {
		return mapError(err)
	}
	if err := r.runThen(ctx, deleteScript, id, func(pipe redis.Pipeliner, _ error) {
		pipe.ZRem(ctx, expiryKey(id), string(id))
	}); err != nil {
		return err
	}
	tenant, _ := owner[0].(string)
	externalID, _ := owner[1].(string)
	return r.unlist(ctx, tenant, externalID, string(id))
}

// Claim implements live.Sessions.
func (r *Redis) Claim(ctx context.Context, id liveproof.SessionID, tokenID string, lease liveproof.Lease) error {
	return r.runThen(ctx, claimScript, id, func(pipe redis.Pipeliner, refused error) {
		if refused == nil {
			pipe.ZAdd(ctx, expiryKey(id), r.expiryEntry(id, lease.Until))
		}
	}, tokenID, rand.Text(), lease.Owner, r.clock.toRedis(lease.Until))
}

// SetStreaming implements engine.Recorder.
func (r *Redis) SetStreaming(ctx context.Context, id liveproof.SessionID, model liveproof.ModelInfo,
	threshold liveproof.Threshold, detector string,
) error {
	if err := checkThreshold(threshold); err != nil {
		return err
	}
	encoded, err := json.Marshal(model)
	if err != nil {
		return err
	}
	return r.run(ctx, streamingScript, id, append([]any{encoded, detector}, thresholdValues(threshold)...)...)
}

// AppendSamples implements pipeline.Recorder.
func (r *Redis) AppendSamples(ctx context.Context, id liveproof.SessionID, samples []liveproof.Sample,
	counts liveproof.FrameCounts, current liveproof.Verdict,
) error {
	frames, result, err := encodeResult(counts, current)
	if err != nil {
		return err
	}
	rows, err := encodeSamples(samples)
	if err != nil {
		return err
	}
	args := []any{frames, result, string(current.Outcome), current.Score, MaxTimeline}
	return r.run(ctx, appendScript, id, append(args, rows...)...)
}

// Decide implements live.Sessions.
func (r *Redis) Decide(ctx context.Context, id liveproof.SessionID, end liveproof.Ending) (liveproof.Session, error) {
	return r.decide(ctx, id, end, "", "")
}

// decide ends the session. With a lease, it does so only if the record still
// has that lease.
func (r *Redis) decide(ctx context.Context, id liveproof.SessionID, end liveproof.Ending, owner string, until any) (liveproof.Session, error) {
	frames, result, err := encodeResult(end.Frames, end.Verdict)
	if err != nil {
		return liveproof.Session{}, err
	}
	if end.Frames == (liveproof.FrameCounts{}) {
		frames = nil
	}
	rows, err := encodeSamples(end.Samples)
	if err != nil {
		return liveproof.Session{}, err
	}
	args := []any{
		string(end.State), result, string(end.Verdict.Outcome), end.Verdict.Score, frames,
		r.now().UnixMilli(), MaxTimeline, owner, until,
	}
	var record *redis.MapStringStringCmd
	err = r.runThen(ctx, decideScript, id, func(pipe redis.Pipeliner, refused error) {
		record = pipe.HGetAll(ctx, sessionKey(id))
		if refused == nil || errors.Is(refused, liveproof.ErrDecided) {
			pipe.ZRem(ctx, expiryKey(id), string(id))
		}
	}, append(args, rows...)...)
	if err != nil && !errors.Is(err, liveproof.ErrDecided) && !errors.Is(err, liveproof.ErrConflict) {
		return liveproof.Session{}, err
	}
	stored, unread := r.decodeRecord(id, record.Val())
	if unread == nil {
		if err := r.replicated(ctx, stored); err != nil {
			return liveproof.Session{}, err
		}
	}
	return stored, errors.Join(err, unread)
}

// run executes a session's script. It adds the changes of this call, and those
// that an earlier call left, to the stream of events.
func (r *Redis) run(ctx context.Context, script *redis.Script, id liveproof.SessionID, args ...any) error {
	return r.runThen(ctx, script, id, func(redis.Pipeliner, error) {}, args...)
}

// runThen is run with further commands, which depend on the outcome and share the last round trip.
func (r *Redis) runThen(ctx context.Context, script *redis.Script, id liveproof.SessionID,
	then func(pipe redis.Pipeliner, outcome error), args ...any,
) error {
	if id == "" { // its keys would have no hash tag, and lie in two slots of a cluster
		return liveproof.ErrNotFound
	}
	answer, err := script.Run(ctx, r.db, []string{sessionKey(id), timelineKey(id)}, args...).StringSlice()
	if err != nil {
		return mapError(err)
	}
	if len(answer) != 2 {
		return fmt.Errorf("redis script answered %q", answer)
	}
	outcome, known := outcomes[answer[0]]
	if !known {
		return fmt.Errorf("redis script answered %q", answer)
	}
	if err := r.publish(ctx, id, answer[1]); err != nil {
		return err
	}
	last := r.db.Pipeline()
	if answer[1] != "" {
		forget(ctx, last, id, answer[1])
	}
	then(last, outcome)
	if last.Len() > 0 {
		if _, err := last.Exec(ctx); err != nil {
			return mapError(err)
		}
	}
	return outcome
}

// outcomes maps the answers of scripts to errors.
var outcomes = map[string]error{
	"ok":         nil,
	"not_found":  liveproof.ErrNotFound,
	"token_used": liveproof.ErrTokenUsed,
	"conflict":   liveproof.ErrConflict,
	"decided":    liveproof.ErrDecided,
}

// mapError tells commands that Redis refused from those that it did not answer or could not
// carry out now.
func mapError(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, context.Canceled):
		return err
	case refused(err):
		return fmt.Errorf("redis: %w", err)
	}
	return fmt.Errorf("redis: %w: %w", liveproof.ErrUnavailable, err)
}

// refused reports whether Redis answered that the command is wrong, so that repeating it is of no use.
// (redis.HasErrorPrefix cannot tell: it ignores the prefix ERR.)
func refused(err error) bool {
	reply, ok := errors.AsType[redis.Error](err)
	if !ok {
		return false
	}
	text := reply.Error()
	if !strings.HasPrefix(text, "ERR ") && !strings.HasPrefix(text, "WRONGTYPE ") {
		return false // OOM, LOADING, READONLY, CLUSTERDOWN, …: a state of the server, which passes
	}
	return !strings.HasPrefix(text, "ERR max number of clients") && !strings.Contains(text, "-READONLY ") && !strings.Contains(text, "-OOM ")
}
