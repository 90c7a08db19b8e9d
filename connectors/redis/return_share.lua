-- Gives back what a request took that was not sent: only where take_share.lua said that it took something.
-- KEYS: characters of the day when it took them, requests in flight, characters in flight. ARGV: name, characters.
local score = redis.call('ZSCORE', KEYS[2], ARGV[1])
if score then
  redis.call('ZREM', KEYS[2], ARGV[1])
  redis.call('DECRBY', KEYS[3], math.floor(tonumber(score) % 1 * 4194304 + 0.5))
end
if redis.call('EXISTS', KEYS[1]) == 1 then
  redis.call('DECRBY', KEYS[1], ARGV[2])
end
return 0
