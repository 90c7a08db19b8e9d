-- Notes that answers are committed: nothing wins any more, callers see them, slots, deadlines and shares may go.
-- KEYS: deadlines, offsets told, then done marker, slots and result of each answer in turns.
-- ARGV: seconds to keep markers and results, number of sources, name and offset of each in turns; then marker,
--       name, result and time of erasure ('' for none) of each answer in turns. An empty result is not shown.
-- Of corrections whose batches may lie in slots; those of any later one expire.
local MOST_REVISIONS = 32
local at = 4

-- The name of a file may tell more than its owner wants to be kept.
local function forget_file(key)
  local plan = redis.call('GET', key)
  if plan then
    local known = cjson.decode(plan)
    known.file_name = nil
    redis.call('SET', key, next(known) and cjson.encode(known) or '{}', 'KEEPTTL')
  end
end

for _ = 1, tonumber(ARGV[3]) do
  -- Only upward: two may tell at once, and what one of them has told is told.
  if tonumber(redis.call('HGET', KEYS[2], ARGV[at]) or 0) < tonumber(ARGV[at + 1]) then
    redis.call('HSET', KEYS[2], ARGV[at], ARGV[at + 1])
  end
  at = at + 2
end
for key = 3, #KEYS, 3 do
  local name, result, erased_at = ARGV[at + 1], ARGV[at + 2], ARGV[at + 3]
  local mark = 'erased:{' .. name .. '}'
  if erased_at ~= '' then
    local coordinates = string.match(ARGV[at], '^%S+')
    redis.call('SET', KEYS[key], ARGV[at], 'EX', ARGV[1])
    redis.call('SET', mark, coordinates .. ' ' .. erased_at, 'EX', ARGV[1])
    redis.call('UNLINK', KEYS[key + 1], KEYS[key + 2], 'hooks:' .. name)
    if result ~= '' then
      redis.call('SET', KEYS[key + 2], result, 'EX', ARGV[2])
    end
    for revision = 2, MOST_REVISIONS do
      redis.call('UNLINK', 'asm:{' .. name .. '}:' .. revision)
    end
    forget_file('acc:{' .. name .. '}')
    forget_file('req:{' .. name .. '}')
    redis.call('ZADD', 'erasures', erased_at, name)
  else
    -- In this order: a marker without slots must be final.
    redis.call('SET', KEYS[key], ARGV[at], 'EX', ARGV[1])
    redis.call('UNLINK', KEYS[key + 1])
    -- An answer may be told of after its erasure, and then tells the order, which is read again, where it is.
    if result ~= '' and redis.call('EXISTS', mark) == 0 then
      redis.call('SET', KEYS[key + 2], result, 'EX', ARGV[2])
    end
  end
  redis.call('ZREM', KEYS[1], name)
  -- It is no longer in flight (take_share.lua).
  local tenant = string.match(name, '^[^/]*')
  local flight = 'flight:{' .. tenant .. '}'
  local score = redis.call('ZSCORE', flight, name)
  if score then
    redis.call('ZREM', flight, name)
    redis.call('DECRBY', 'flying:{' .. tenant .. '}', math.floor(tonumber(score) % 1 * 4194304 + 0.5))
  end
  at = at + 4
end
