package store

import "github.com/redis/go-redis/v9"

// The scripts below run whole or not at all. Each answers with the name of its
// outcome. Session hashes are only ever created by createScript, so that a
// late write cannot revive an expired or deleted session.

// KEYS session, events, idempotency key or ""; ARGV expiry (Unix ms), request
// hash, idempotency TTL (ms), events cap, id, prefix of session keys, then field, value, …
// Answers the id of the session that stands. A key whose session is gone is forgotten with it.
var createScript = redis.NewScript(`
if KEYS[3] ~= '' then
  local known = redis.call('HMGET', KEYS[3], 'id', 'hash')
  if known[1] and redis.call('EXISTS', ARGV[6] .. known[1]) == 1 then
    if known[2] ~= ARGV[2] then return redis.error_reply('IDEMPOTENCY other request') end
    return known[1]
  end
end
if redis.call('EXISTS', KEYS[1]) == 1 then
  if redis.call('HGET', KEYS[1], 'state') == 'created' and redis.call('HGET', KEYS[1], 'request') == ARGV[2] then return ARGV[5] end
  return redis.error_reply('CONFLICT session exists')
end
redis.call('HSET', KEYS[1], 'request', ARGV[2], unpack(ARGV, 7))
redis.call('PEXPIREAT', KEYS[1], ARGV[1])
if KEYS[3] ~= '' then
  redis.call('HSET', KEYS[3], 'id', ARGV[5], 'hash', ARGV[2])
  redis.call('PEXPIRE', KEYS[3], ARGV[3])
end
redis.call('XADD', KEYS[2], 'MAXLEN', '~', ARGV[4], '*', 'session', ARGV[5], 'event', 'created')
return ARGV[5]`)

// KEYS session, timeline, events; ARGV id, events cap.
var deleteScript = redis.NewScript(`
if redis.call('DEL', KEYS[1]) == 0 then return 'not_found' end
redis.call('DEL', KEYS[2])
redis.call('XADD', KEYS[3], 'MAXLEN', '~', ARGV[2], '*', 'session', ARGV[1], 'event', 'deleted')
return 'ok'`)

// KEYS session, events; ARGV id, token id, nonce, events cap.
var claimScript = redis.NewScript(`
local s = redis.call('HMGET', KEYS[1], 'state', 'token', 'claim')
if not s[1] then return 'not_found' end
if s[3] == ARGV[3] then return 'ok' end
if s[2] == ARGV[2] then return 'token_used' end
if s[1] ~= 'created' then return 'conflict' end
redis.call('HSET', KEYS[1], 'state', 'connecting', 'token', ARGV[2], 'claim', ARGV[3])
redis.call('XADD', KEYS[2], 'MAXLEN', '~', ARGV[4], '*', 'session', ARGV[1], 'event', 'connecting')
return 'ok'`)

// KEYS session, events; ARGV id, model, detector, events cap. What judges may
// change until the first sample, and never after it.
var streamingScript = redis.NewScript(`
local s = redis.call('HMGET', KEYS[1], 'state', 'last_seq', 'model', 'detector')
if not s[1] then return 'not_found' end
if s[1] == 'streaming' then
  if s[3] == ARGV[2] and s[4] == ARGV[3] then return 'ok' end
  if tonumber(s[2] or '0') > 0 then return 'conflict' end
  redis.call('HSET', KEYS[1], 'model', ARGV[2], 'detector', ARGV[3])
  return 'ok'
end
if s[1] ~= 'connecting' then return 'conflict' end
redis.call('HSET', KEYS[1], 'state', 'streaming', 'model', ARGV[2], 'detector', ARGV[3])
redis.call('XADD', KEYS[2], 'MAXLEN', '~', ARGV[4], '*', 'session', ARGV[1], 'event', 'streaming')
return 'ok'`)

// KEYS session, timeline, events; ARGV id, frames, verdict, outcome, score,
// timeline cap, events cap, then seq, sample, …
var appendScript = redis.NewScript(`
local s = redis.call('HMGET', KEYS[1], 'state', 'last_seq', 'verdict')
if not s[1] then return 'not_found' end
local last = tonumber(s[2] or '0')
for i = 8, #ARGV, 2 do
  if tonumber(ARGV[i]) > last then
    redis.call('RPUSH', KEYS[2], ARGV[i + 1])
    last = tonumber(ARGV[i])
  end
end
redis.call('HSET', KEYS[1], 'last_seq', last)
redis.call('LTRIM', KEYS[2], -tonumber(ARGV[6]), -1)
redis.call('PEXPIRE', KEYS[2], math.max(1, redis.call('PTTL', KEYS[1])))
if s[1] == 'decided' or s[1] == 'expired' or s[1] == 'failed' then return 'ok' end
redis.call('HSET', KEYS[1], 'frames', ARGV[2], 'result', ARGV[3], 'verdict', ARGV[4], 'score', ARGV[5])
if s[3] ~= ARGV[4] then
  redis.call('XADD', KEYS[3], 'MAXLEN', '~', ARGV[7], '*', 'session', ARGV[1], 'event', 'verdict', 'verdict', ARGV[4], 'score', ARGV[5])
end
return 'ok'`)

// KEYS session, events; ARGV id, end state, verdict, outcome, score, frames,
// decided at (Unix ms), events cap.
var decideScript = redis.NewScript(`
local s = redis.call('HMGET', KEYS[1], 'state', 'result')
if not s[1] then return 'not_found' end
if s[1] == 'decided' or s[1] == 'expired' or s[1] == 'failed' then
  if s[1] == ARGV[2] and s[2] == ARGV[3] then return 'ok' end
  return 'decided'
end
redis.call('HSET', KEYS[1], 'state', ARGV[2], 'result', ARGV[3], 'verdict', ARGV[4], 'score', ARGV[5],
  'frames', ARGV[6], 'decided_at', ARGV[7])
redis.call('XADD', KEYS[2], 'MAXLEN', '~', ARGV[8], '*', 'session', ARGV[1], 'event', ARGV[2], 'verdict', ARGV[4], 'score', ARGV[5])
return 'ok'`)
