-- Notes a delivery that is new, and puts it into the queue of its host.
-- KEYS: deliveries of the job, hosts. ARGV: version, delivery, due, member, host, seconds to keep it.
if redis.call('EXISTS', 'erased:{' .. string.match(ARGV[4], '^%d+/(.*)$') .. '}') == 1 then
  return 0
end
if redis.call('HSETNX', KEYS[1], ARGV[1], ARGV[2]) == 0 then
  return 0
end
redis.call('EXPIRE', KEYS[1], ARGV[6])
redis.call('ZADD', 'hooks:due:' .. ARGV[5], ARGV[3], ARGV[4])
redis.call('ZADD', KEYS[2], 'LT', ARGV[3], ARGV[5])
return 1
