-- Declares a rebuilt state complete, unless it was lost again meanwhile or somebody else was first.
-- KEYS: epoch, the rebuild's own key, the offsets reached.
-- ARGV: the epoch that was found at its beginning ('' for none), the new epoch.
if redis.call('EXISTS', KEYS[2]) == 0 or (redis.call('GET', KEYS[1]) or '') ~= ARGV[1] then
  return 0
end
redis.call('SET', KEYS[1], ARGV[2])
redis.call('DEL', KEYS[2], KEYS[3])
return 1
