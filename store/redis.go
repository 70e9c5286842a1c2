package store

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/logging"

	"github.com/liveproof/liveproof"
)

// Redis keys. Scripts touch the session's keys and the one event stream
// together, so a Redis Cluster would have to hold them in one slot: use a
// single primary (with replicas) instead.
const (
	sessionKey     = "liveproof:session:"
	timelineKey    = "liveproof:timeline:"
	idempotencyKey = "liveproof:idempotency:"
	eventsKey      = "liveproof:events"
)

// Redis keeps sessions in Redis ≥ 6: a hash and a list with a TTL for each
// session, and every change of state or verdict in the stream liveproof:events.
// Changes are Lua scripts, so each is whole or not at all.
type Redis struct {
	cfg Config
	now func() time.Time
	db  *redis.Client
}

func (c Config) redisOptions() (*redis.Options, error) {
	opt, err := redis.ParseURL(c.Redis)
	var parse *url.Error
	if errors.As(err, &parse) {
		err = parse.Err // the URL itself may hold a password
	}
	if err != nil {
		return nil, fmt.Errorf("not an address such as redis://host:6379/0: %w", err)
	}
	opt.DialTimeout = c.DialTimeout
	opt.ReadTimeout, opt.WriteTimeout = c.CallTimeout, c.CallTimeout
	opt.PoolTimeout = c.CallTimeout + time.Second
	opt.MaxRetries = c.Retries
	if c.Retries == 0 {
		opt.MaxRetries = -1 // go-redis: 0 means its default of 3
	}
	opt.ContextTimeoutEnabled = true
	return opt, nil
}

// NewRedis prepares a store; it does not connect. Ping tells whether Redis answers.
func NewRedis(cfg Config, now func() time.Time) (*Redis, error) {
	opt, err := cfg.redisOptions()
	if err != nil {
		return nil, err
	}
	logging.Disable() // it writes to standard error past our log; every failure reaches the caller as an error
	return &Redis{cfg: cfg, now: now, db: redis.NewClient(opt)}, nil
}

// Close closes the connections.
func (r *Redis) Close() error { return r.db.Close() }

// Ping tells whether Redis answers; whether it takes writes, a write tells.
func (r *Redis) Ping(ctx context.Context) error { return mapError(r.db.Ping(ctx).Err()) }

// Create implements ingest.Sessions.
func (r *Redis) Create(ctx context.Context, s liveproof.Session, key, hash string) (liveproof.Session, bool, error) {
	s.State, s.Verdict = liveproof.StateCreated, pending()
	fields, err := encodeSession(s)
	if err != nil {
		return liveproof.Session{}, false, err
	}
	args := append([]any{s.ExpiresAt.UnixMilli(), hash, r.cfg.IdempotencyTTL.Milliseconds(), r.cfg.EventsMaxLen, string(s.ID), sessionKey}, fields...)
	keys := []string{sessionKey + string(s.ID), eventsKey, hashedKey(key)}
	winner, err := createScript.Run(ctx, r.db, keys, args...).Text()
	if err != nil {
		return liveproof.Session{}, false, mapError(err)
	}
	if winner == string(s.ID) {
		return s, false, nil
	}
	stored, err := r.Get(ctx, liveproof.SessionID(winner))
	return stored, err == nil, err
}

// hashedKey bounds what a caller can make of Redis's key space.
func hashedKey(key string) string {
	if key == "" {
		return ""
	}
	sum := sha256.Sum256([]byte(key))
	return idempotencyKey + hex.EncodeToString(sum[:])
}

// Get implements ingest.Sessions.
func (r *Redis) Get(ctx context.Context, id liveproof.SessionID) (liveproof.Session, error) {
	fields, err := r.db.HGetAll(ctx, sessionKey+string(id)).Result()
	if err != nil {
		return liveproof.Session{}, mapError(err)
	}
	if len(fields) == 0 {
		return liveproof.Session{}, liveproof.ErrNotFound
	}
	return decodeSession(id, fields)
}

// Timeline implements ingest.Sessions.
func (r *Redis) Timeline(ctx context.Context, id liveproof.SessionID) ([]liveproof.Sample, error) {
	pipe := r.db.Pipeline()
	exists := pipe.Exists(ctx, sessionKey+string(id))
	rows := pipe.LRange(ctx, timelineKey+string(id), 0, -1)
	if _, err := pipe.Exec(ctx); err != nil {
		return nil, mapError(err)
	}
	if exists.Val() == 0 {
		return nil, liveproof.ErrNotFound
	}
	samples := make([]liveproof.Sample, len(rows.Val()))
	for i, row := range rows.Val() {
		if err := json.Unmarshal([]byte(row), &samples[i]); err != nil {
			return nil, fmt.Errorf("timeline of %s, row %d: %w", id, i, err)
		}
	}
	return samples, nil
}

// Delete implements ingest.Sessions.
func (r *Redis) Delete(ctx context.Context, id liveproof.SessionID) error {
	keys := []string{sessionKey + string(id), timelineKey + string(id), eventsKey}
	return r.run(ctx, deleteScript, keys, string(id), r.cfg.EventsMaxLen)
}

// Claim implements ingest.Sessions.
func (r *Redis) Claim(ctx context.Context, id liveproof.SessionID, tokenID string) error {
	// The nonce tells this call, repeated after a lost answer, from another's.
	nonce := rand.Text()
	return r.run(ctx, claimScript, []string{sessionKey + string(id), eventsKey}, string(id), tokenID, nonce, r.cfg.EventsMaxLen)
}

// SetStreaming implements ingest.Sessions.
func (r *Redis) SetStreaming(ctx context.Context, id liveproof.SessionID, model liveproof.ModelInfo, detector string) error {
	encoded, err := json.Marshal(model)
	if err != nil {
		return err
	}
	return r.run(ctx, streamingScript, []string{sessionKey + string(id), eventsKey}, string(id), encoded, detector, r.cfg.EventsMaxLen)
}

// AppendSamples implements pipeline.Recorder.
func (r *Redis) AppendSamples(ctx context.Context, id liveproof.SessionID, samples []liveproof.Sample,
	counts liveproof.FrameCounts, current liveproof.Verdict,
) error {
	frames, verdict, err := encodeResult(counts, current)
	if err != nil {
		return err
	}
	args := []any{string(id), frames, verdict, string(current.Outcome), current.Score, MaxTimeline, r.cfg.EventsMaxLen}
	for _, s := range samples {
		row, err := json.Marshal(s)
		if err != nil {
			return fmt.Errorf("sample %d: %w", s.Seq, err)
		}
		args = append(args, s.Seq, row)
	}
	return r.run(ctx, appendScript, []string{sessionKey + string(id), timelineKey + string(id), eventsKey}, args...)
}

// Decide implements pipeline.Recorder and ingest.Sessions.
func (r *Redis) Decide(ctx context.Context, id liveproof.SessionID, end liveproof.State,
	v liveproof.Verdict, counts liveproof.FrameCounts,
) error {
	frames, verdict, err := encodeResult(counts, v)
	if err != nil {
		return err
	}
	return r.run(ctx, decideScript, []string{sessionKey + string(id), eventsKey},
		string(id), string(end), verdict, string(v.Outcome), v.Score, frames, r.now().UnixMilli(), r.cfg.EventsMaxLen)
}

// run executes a script that answers with the name of its outcome.
func (r *Redis) run(ctx context.Context, script *redis.Script, keys []string, args ...any) error {
	answer, err := script.Run(ctx, r.db, keys, args...).Text()
	if err != nil {
		return mapError(err)
	}
	switch answer {
	case "ok":
		return nil
	case "not_found":
		return liveproof.ErrNotFound
	case "token_used":
		return liveproof.ErrTokenUsed
	case "conflict":
		return liveproof.ErrConflict
	case "decided":
		return liveproof.ErrDecided
	}
	return fmt.Errorf("redis script answered %q", answer)
}

// mapError tells what Redis refuses from what it does not answer.
func mapError(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, context.Canceled):
		return err
	case redis.HasErrorPrefix(err, "IDEMPOTENCY"):
		return liveproof.ErrIdempotencyMismatch
	case redis.HasErrorPrefix(err, "CONFLICT"):
		return liveproof.ErrConflict
	case redis.HasErrorPrefix(err, "OOM"), redis.HasErrorPrefix(err, "ERR max number of clients"):
		return fmt.Errorf("redis: %w: %w", liveproof.ErrUnavailable, err)
	case redis.HasErrorPrefix(err, "ERR"), redis.HasErrorPrefix(err, "WRONGTYPE"):
		return fmt.Errorf("redis: %w", err)
	}
	return fmt.Errorf("redis: %w: %w", liveproof.ErrUnavailable, err)
}
