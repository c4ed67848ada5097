"""What Redis does in one step each, in Lua.

``KEYS``: the index (letters by time), the outbox (alerts by the time at which they are due), the
counts of what went, and the prefix of the letters' own keys. All share one hash tag, so that they
lie on one node of a cluster.
"""

_FORGET = """
local index, outbox, gone, letters = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local function forget(ids, why)
  for _, id in ipairs(ids) do
    redis.call('DEL', letters .. id)
    redis.call('ZREM', index, id)
    redis.call('ZREM', outbox, id)
  end
  if why and #ids > 0 then redis.call('HINCRBY', gone, why, #ids) end
end
local function trim(oldest, keep)
  forget(redis.call('ZRANGEBYSCORE', index, '-inf', '(' .. oldest, 'LIMIT', 0, 1000), 'age')
  local over = redis.call('ZCARD', index) - tonumber(keep)
  if over > 0 then forget(redis.call('ZRANGE', index, 0, math.min(over, 1000) - 1), 'size') end
end
"""

# id, body, when it failed, when its alert is due or '', oldest, keep
ADD = (
    _FORGET
    + """
local letter = letters .. ARGV[1]
-- Celery tells of some failures twice
if redis.call('HSETNX', letter, 'body', ARGV[2]) == 0 then return 0 end
redis.call('HSET', letter, 'state', 'open')
redis.call('ZADD', index, ARGV[3], ARGV[1])
if ARGV[4] ~= '' then redis.call('ZADD', outbox, ARGV[4], ARGV[1]) end
trim(ARGV[5], ARGV[6])
return 1
"""
)

# oldest, keep
TRIM = _FORGET + "trim(ARGV[1], ARGV[2])"

# id
DROP = (
    _FORGET
    + """
local there = redis.call('EXISTS', letters .. ARGV[1])
forget({ARGV[1]})
return there
"""
)

# id, id of the new task, now, whether a claim may be taken over
CLAIM = """
local letter = KEYS[4] .. ARGV[1]
local state = redis.call('HGET', letter, 'state')
if not state then return 'missing' end
if state == 'open' or (state == 'claimed' and ARGV[4] == '1') then
  redis.call('HSET', letter, 'state', 'claimed', 'replayed_as', ARGV[2], 'claimed_at', ARGV[3])
  return 'yours'
end
return state
"""

# id, id of the new task, the state to go to
SETTLE = """
local letter = KEYS[4] .. ARGV[1]
if redis.call('HGET', letter, 'replayed_as') ~= ARGV[2] then return 0 end
redis.call('HSET', letter, 'state', ARGV[3])
if ARGV[3] == 'open' then redis.call('HDEL', letter, 'replayed_as', 'claimed_at') end
return 1
"""

# now, until when nobody else may take it
TAKE_ALERT = """
local id = redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', ARGV[1], 'LIMIT', 0, 1)[1]
if not id then return false end
redis.call('ZADD', KEYS[2], ARGV[2], id)
local tries = redis.call('HINCRBY', KEYS[4] .. id, 'tries', 1)
return {id, redis.call('HGET', KEYS[4] .. id, 'body'), tries}
"""
