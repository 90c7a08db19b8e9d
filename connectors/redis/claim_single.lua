-- Makes the only batch of a request its completer, for many requests: the first record wins, and wins again.
-- KEYS: done markers. ARGV: seconds to keep a marker, then the coordinates of each record.
-- Returns for each 1 where the record answers, else 0.
local reply = {}
for at, marker in ipairs(KEYS) do
  local coordinates = ARGV[at + 1]
  local completer = redis.call('GET', marker)
  if completer and completer ~= coordinates then
    reply[at] = 0
  else
    redis.call('SET', marker, coordinates, 'EX', ARGV[1])
    reply[at] = 1
  end
end
return reply
