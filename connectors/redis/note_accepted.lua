-- Notes a request that Kafka has stored, and puts it on its tenant's list once.
-- KEYS: plan, list of the tenant. ARGV: plan, seconds to keep it, member, oldest member to keep, most members.
if redis.call('EXISTS', KEYS[1]) == 0 then
  redis.call('ZADD', KEYS[2], 0, ARGV[3])
  redis.call('ZREMRANGEBYLEX', KEYS[2], '-', '(' .. ARGV[4])
  redis.call('ZREMRANGEBYRANK', KEYS[2], 0, -ARGV[5] - 1)
  redis.call('EXPIRE', KEYS[2], ARGV[2])
end
redis.call('SET', KEYS[1], ARGV[1], 'EX', ARGV[2])
return 1
