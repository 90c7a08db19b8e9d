-- Notes that answers are committed: nothing wins any more, callers see them, slots, deadlines and shares may go.
-- KEYS: deadlines, offsets told, then done marker, slots and result of each answer in turns.
-- ARGV: seconds to keep markers and results, number of sources, name and offset of each in turns; then
--       marker, name and result of each answer in turns. An empty result is not shown.
local at = 4
for _ = 1, tonumber(ARGV[3]) do
  -- Only upward: two may tell at once, and what one of them has told is told.
  if tonumber(redis.call('HGET', KEYS[2], ARGV[at]) or 0) < tonumber(ARGV[at + 1]) then
    redis.call('HSET', KEYS[2], ARGV[at], ARGV[at + 1])
  end
  at = at + 2
end
for key = 3, #KEYS, 3 do
  local result = ARGV[at + 2]
  -- In this order: a marker without slots must be final.
  redis.call('SET', KEYS[key], ARGV[at], 'EX', ARGV[1])
  redis.call('UNLINK', KEYS[key + 1])
  if result ~= '' then
    redis.call('SET', KEYS[key + 2], result, 'EX', ARGV[2])
  end
  local name = ARGV[at + 1]
  redis.call('ZREM', KEYS[1], name)
  -- It is no longer in flight (take_share.lua).
  local tenant = string.match(name, '^[^/]*')
  local flight = 'flight:{' .. tenant .. '}'
  local score = redis.call('ZSCORE', flight, name)
  if score then
    redis.call('ZREM', flight, name)
    redis.call('DECRBY', 'flying:{' .. tenant .. '}', math.floor(tonumber(score) % 1 * 4194304 + 0.5))
  end
  at = at + 3
end
