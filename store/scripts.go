package store

import "github.com/redis/go-redis/v9"

// Each script below runs completely or not at all, on the keys of one session.
// Each answers {outcome, untold}: the name of its outcome, and the changes that
// the stream of events does not have yet. Session hashes are only ever created by
// createScript, so that a late write cannot revive an expired or deleted session.

// luaAnswer notes a change, as event#number@time and its further parts (changeParts), and ends a script. The number and the time (Unix ms)
// are given here, once, so that a change that is told twice is recognised.
const luaAnswer = `
local function numbered(event)
  local t = redis.call('TIME')
  local now = string.format('%.0f', t[1] * 1000 + math.floor(t[2] / 1000))
  return event .. '#' .. redis.call('HINCRBY', KEYS[1], 'changes', 1) .. '@' .. now, now
end
local function change(event, parts)
  local noted, now = numbered(event)
  local untold = redis.call('HGET', KEYS[1], 'untold')
  noted = noted .. (parts or '')
  redis.call('HSET', KEYS[1], 'untold', untold and (untold .. ' ' .. noted) or noted)
  if event ~= 'created' then redis.call('HSET', KEYS[1], 'changed_at', now) end
end
-- The threshold that judges, as :value:source:calibration:sha256; nothing without one.
local function judged()
  local t = redis.call('HMGET', KEYS[1], 'threshold', 'threshold_source', 'threshold_calibration', 'threshold_sha256')
  if not t[1] or t[1] == '' then return '' end
  return ':' .. t[1] .. ':' .. (t[2] or '') .. ':' .. (t[3] or '') .. ':' .. (t[4] or '')
end
local function answer(outcome)
  return {outcome, redis.call('HGET', KEYS[1], 'untold') or ''}
end
local function ended(state) return state == 'decided' or state == 'expired' or state == 'failed' end
`

// luaAppend adds the samples that the timeline lacks. They are in ARGV from
// first on, each as seq, sample.
const luaAppend = `
local function append(first, cap)
  local last = tonumber(redis.call('HGET', KEYS[1], 'last_seq') or '0')
  local before = last
  for i = first, #ARGV, 2 do
    if tonumber(ARGV[i]) > last then
      redis.call('RPUSH', KEYS[2], ARGV[i + 1])
      last = tonumber(ARGV[i])
    end
  end
  if last == before then return end
  redis.call('HSET', KEYS[1], 'last_seq', last)
  redis.call('LTRIM', KEYS[2], -tonumber(cap), -1)
  redis.call('PEXPIRE', KEYS[2], math.max(1, redis.call('PTTL', KEYS[1])))
end
`

// KEYS session; ARGV expiry (Unix ms), request hash, then field, value, … The
// same request for the same id is a call that is repeated after a lost answer.
var createScript = redis.NewScript(luaAnswer + `
local s = redis.call('HMGET', KEYS[1], 'state', 'request')
if s[1] then return answer(s[1] == 'created' and s[2] == ARGV[2] and 'ok' or 'conflict') end
redis.call('HSET', KEYS[1], 'request', ARGV[2], unpack(ARGV, 3))
redis.call('PEXPIREAT', KEYS[1], ARGV[1])
change('created')
return answer('ok')`)

// KEYS idempotency key; ARGV id, request hash, TTL (ms), the id that the caller
// found there and whose session is gone, or "". Answers the id that holds the key, the hash of its request, and "1" until its record was made.
var idempotencyScript = redis.NewScript(`
local held = redis.call('HMGET', KEYS[1], 'id', 'hash', 'making')
if held[1] and held[1] ~= ARGV[4] then return {held[1], held[2], held[3] or ''} end
redis.call('HSET', KEYS[1], 'id', ARGV[1], 'hash', ARGV[2], 'making', 1)
redis.call('PEXPIRE', KEYS[1], ARGV[3])
return {ARGV[1], ARGV[2], '1'}`)

// KEYS idempotency key; ARGV id. Its record was made.
var idempotencyMadeScript = redis.NewScript(`
if redis.call('HGET', KEYS[1], 'id') == ARGV[1] then redis.call('HDEL', KEYS[1], 'making') end
return 1`)

// KEYS session, timeline.
var deleteScript = redis.NewScript(luaAnswer + `
if redis.call('EXISTS', KEYS[1]) == 0 then return {'not_found', ''} end
change('deleted')
local deleted = answer('ok')
redis.call('DEL', KEYS[1], KEYS[2])
return deleted`)

// KEYS session; ARGV token id, nonce, lease's owner, lease's end (Unix ms). The
// nonce tells this call, repeated after a lost answer, from another's.
var claimScript = redis.NewScript(luaAnswer + `
local s = redis.call('HMGET', KEYS[1], 'state', 'token', 'claim')
if not s[1] then return {'not_found', ''} end
if s[3] == ARGV[2] then return answer('ok') end
if s[2] == ARGV[1] then return answer('token_used') end
if s[1] ~= 'created' then return answer('conflict') end
redis.call('HSET', KEYS[1], 'state', 'connecting', 'token', ARGV[1], 'claim', ARGV[2],
  'lease_owner', ARGV[3], 'lease_until', ARGV[4])
change('connecting')
return answer('ok')`)

// KEYS session; ARGV owner, the lease's new end (Unix ms). Answers 1, or 0 when
// the session has ended, is gone or belongs to another owner.
const renewScript = `
local s = redis.call('HMGET', KEYS[1], 'state', 'lease_owner')
if not s[1] or s[1] == 'decided' or s[1] == 'expired' or s[1] == 'failed' or s[2] ~= ARGV[1] then return 0 end
redis.call('HSET', KEYS[1], 'lease_until', ARGV[2])
return 1`

// KEYS session; ARGV model, detector, then the values of thresholdFields. All of them may change until the
// first sample, and never after it.
var streamingScript = redis.NewScript(luaAnswer + `
local names = {'model', 'detector', 'threshold', 'threshold_source', 'threshold_calibration', 'threshold_sha256'}
local s = redis.call('HMGET', KEYS[1], 'state', 'last_seq')
if not s[1] then return {'not_found', ''} end
local same, fields = true, {}
for i, name in ipairs(names) do
  same = same and redis.call('HGET', KEYS[1], name) == ARGV[i]
  fields[2 * i - 1], fields[2 * i] = name, ARGV[i]
end
if s[1] == 'streaming' then
  if same then return answer('ok') end
  if tonumber(s[2] or '0') > 0 then return answer('conflict') end
  redis.call('HSET', KEYS[1], unpack(fields))
  return answer('ok')
end
if s[1] ~= 'connecting' then return answer('conflict') end
redis.call('HSET', KEYS[1], 'state', 'streaming', unpack(fields))
change('streaming')
return answer('ok')`)

// KEYS session, timeline; ARGV frames, result, outcome, score, timeline cap,
// then seq, sample, …
var appendScript = redis.NewScript(luaAnswer + luaAppend + `
local s = redis.call('HMGET', KEYS[1], 'state', 'verdict')
if not s[1] then return {'not_found', ''} end
append(6, ARGV[5])
if ended(s[1]) then return answer('decided') end
redis.call('HSET', KEYS[1], 'frames', ARGV[1], 'result', ARGV[2], 'verdict', ARGV[3], 'score', ARGV[4])
if s[2] ~= ARGV[3] then change('verdict', ':' .. ARGV[3] .. ':' .. ARGV[4] .. judged()) end
return answer('ok')`)

// KEYS session, timeline; ARGV end state, result, outcome, score, frames or "",
// decided at (Unix ms), timeline cap, the owner and end (Unix ms) of the lease that
// the record must still have, or "" and "", then seq, sample, … All servers lapse a
// session with the same result; the time identifies the server that did so when it
// repeats the call after a lost answer.
var decideScript = redis.NewScript(luaAnswer + luaAppend + `
local s = redis.call('HMGET', KEYS[1], 'state', 'result', 'lease_owner', 'lease_until', 'decided_at')
local lapse = ARGV[9] ~= ''
if not s[1] then return {'not_found', ''} end
append(10, ARGV[7])
if ended(s[1]) then
  local same = s[1] == ARGV[1] and s[2] == ARGV[2] and (not lapse or s[5] == ARGV[6])
  return answer(same and 'ok' or 'decided')
end
if lapse and (s[3] ~= ARGV[8] or s[4] ~= ARGV[9]) then return answer('conflict') end
redis.call('HSET', KEYS[1], 'state', ARGV[1], 'result', ARGV[2], 'verdict', ARGV[3], 'score', ARGV[4], 'decided_at', ARGV[6])
if ARGV[5] ~= '' then redis.call('HSET', KEYS[1], 'frames', ARGV[5]) end
change(ARGV[1], ':' .. ARGV[3] .. ':' .. ARGV[4] .. judged())
return answer('ok')`)

// KEYS session; ARGV the changes that the stream of events now has.
const toldScript = `
if redis.call('HGET', KEYS[1], 'untold') == ARGV[1] then redis.call('HDEL', KEYS[1], 'untold') end
return 1`
