-- Makes a record the request's completer although slots may be empty: cancellation, expiry, refusal.
-- KEYS: slots, done marker, and of a correction the erased mark. ARGV: coordinates, seconds to keep the marker.
-- Returns the verdict, and behind COMPLETE any one filled slot, because it holds the request's header.
local completer = redis.call('GET', KEYS[2])
if completer and completer ~= ARGV[1] or KEYS[3] and redis.call('EXISTS', KEYS[3]) == 1 then
  return {'ANSWERED'}
end
redis.call('SET', KEYS[2], ARGV[1], 'EX', ARGV[2])
for _, field in ipairs(redis.call('HKEYS', KEYS[1])) do
  if string.sub(field, 1, 1) == 's' then
    return {'COMPLETE', redis.call('HGET', KEYS[1], field)}
  end
end
return {'COMPLETE'}
