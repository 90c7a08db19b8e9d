-- Merges what one event says of a job; any order and any repeat of events gives the same job.
-- KEYS: job, bitmap of finished batches.
-- ARGV: seconds to keep, batch number or '', its segments, its words, then field and stamped value in turn.
-- Returns whether the batch is new, and what the queue must know.
local WEIGHT_DIGITS = 16

local function is_heavier(new, held)
  local mine, theirs = tonumber(string.sub(new, 1, WEIGHT_DIGITS)), tonumber(string.sub(held, 1, WEIGHT_DIGITS))
  if mine ~= theirs then
    return mine > theirs
  end
  return new > held
end

local fresh = 0
if ARGV[2] ~= '' and redis.call('SETBIT', KEYS[2], ARGV[2], 1) == 0 then
  fresh = 1
  redis.call('HINCRBY', KEYS[1], 'batches_done', 1)
  redis.call('HINCRBY', KEYS[1], 'segments_done', ARGV[3])
  redis.call('HINCRBY', KEYS[1], 'words_done', ARGV[4])
end
for at = 5, #ARGV, 2 do
  local held = redis.call('HGET', KEYS[1], ARGV[at])
  if not held or is_heavier(ARGV[at + 1], held) then
    redis.call('HSET', KEYS[1], ARGV[at], ARGV[at + 1])
  end
end
redis.call('EXPIRE', KEYS[1], ARGV[1])
redis.call('EXPIRE', KEYS[2], ARGV[1])
return {fresh, redis.call('HMGET', KEYS[1], 'status', 'pool', 'priority', 'words', 'words_done', 'submitted_at')}
