-- Notes how far a rebuild has come, unless the state was lost, or its end was, since the rebuild began.
-- KEYS: the rebuild's own key, offsets by partition.
-- ARGV: the run id that was found at its beginning, seconds to keep the note, then partition and offset in turns.
local run_id = string.match(redis.call('INFO', 'server'), 'run_id:(%x+)')
if redis.call('EXISTS', KEYS[1]) == 0 or run_id ~= ARGV[1] then
  return 0
end
for at = 3, #ARGV, 2 do
  -- Two may rebuild at once: what one of them has restored is restored.
  if tonumber(redis.call('HGET', KEYS[2], ARGV[at]) or 0) < tonumber(ARGV[at + 1]) then
    redis.call('HSET', KEYS[2], ARGV[at], ARGV[at + 1])
  end
end
redis.call('EXPIRE', KEYS[2], ARGV[2])
return 1
