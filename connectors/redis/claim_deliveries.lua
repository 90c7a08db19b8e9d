-- Takes what is due, the longest waiting host first, and hides it until the lease ends.
-- KEYS: hosts. ARGV: now, end of the lease, most in all, most of a host, then host and room of those with less.
local rooms = {}
for at = 5, #ARGV, 2 do
  rooms[ARGV[at]] = tonumber(ARGV[at + 1])
end
local left, claimed = tonumber(ARGV[3]), {}
for _, host in ipairs(redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', ARGV[1], 'LIMIT', 0, 1000)) do
  if left <= 0 then
    break
  end
  local room = math.min(rooms[host] or tonumber(ARGV[4]), left)
  if room > 0 then
    local queue = 'hooks:due:' .. host
    for _, member in ipairs(redis.call('ZRANGEBYSCORE', queue, '-inf', ARGV[1], 'LIMIT', 0, room)) do
      local version, job = member:match('^(%d+)/(.*)$')
      local delivery = redis.call('HGET', 'hooks:' .. job, version)
      if delivery then
        redis.call('ZADD', queue, ARGV[2], member)
        claimed[#claimed + 1] = delivery
        left = left - 1
      else
        redis.call('ZREM', queue, member)
      end
    end
    local first = redis.call('ZRANGE', queue, 0, 0, 'WITHSCORES')
    if first[2] then
      redis.call('ZADD', KEYS[1], first[2], host)
    else
      redis.call('ZREM', KEYS[1], host)
    end
  end
end
return claimed
