-- Notes how a delivery stands after an attempt, or that it is to be made again.
-- KEYS: deliveries of the job, hosts, queue of the host. ARGV: version, delivery, due (0: done), member, host,
-- seconds to keep it.
local is_erased = redis.call('EXISTS', 'erased:{' .. string.match(ARGV[4], '^%d+/(.*)$') .. '}') == 1
if not is_erased then
  redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
  redis.call('EXPIRE', KEYS[1], ARGV[6])
end
if ARGV[3] == '0' or is_erased then
  redis.call('ZREM', KEYS[3], ARGV[4])
else
  redis.call('ZADD', KEYS[3], ARGV[3], ARGV[4])
end
local first = redis.call('ZRANGE', KEYS[3], 0, 0, 'WITHSCORES')
if first[2] then
  redis.call('ZADD', KEYS[2], first[2], ARGV[5])
else
  redis.call('ZREM', KEYS[2], ARGV[5])
end
return 1
