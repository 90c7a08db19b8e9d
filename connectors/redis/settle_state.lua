-- Declares a rebuilt state complete, unless it was lost again meanwhile or somebody else was first.
-- KEYS: epoch, the rebuild's own key, the offsets reached, the offsets told.
-- ARGV: the epoch that was found at its beginning ('' for none), the new epoch, topics whose records lead to answers.
if redis.call('EXISTS', KEYS[2]) == 0 or (redis.call('GET', KEYS[1]) or '') ~= ARGV[1] then
  return 0
end
redis.call('SET', KEYS[1], ARGV[2])
-- What is restored is told. Where a state was found, only the end of the log was restored; what lay before it may
-- have been told after the last write that survived, and is told again from where the state says.
if ARGV[1] == '' then
  local reached = redis.call('HGETALL', KEYS[3])
  for at = 1, #reached, 2 do
    for topic = 3, #ARGV do
      local source = ARGV[topic] .. '-' .. reached[at]
      if tonumber(redis.call('HGET', KEYS[4], source) or 0) < tonumber(reached[at + 1]) then
        redis.call('HSET', KEYS[4], source, reached[at + 1])
      end
    end
  end
end
redis.call('DEL', KEYS[2], KEYS[3])
return 1
