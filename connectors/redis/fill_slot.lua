-- Fills one slot; the record that fills the last one becomes the request's completer.
-- KEYS: slots, done marker, and of a correction the erased mark of its request.
-- ARGV: split, batch number, batches of the split, payload, coordinates, seconds to keep slots, and the marker.
-- Returns the verdict, and behind COMPLETE every slot in order.
local split, number, batches = ARGV[1], ARGV[2], tonumber(ARGV[3])
local payload, coordinates = ARGV[4], ARGV[5]

local completer = redis.call('GET', KEYS[2])
if completer and completer ~= coordinates or KEYS[3] and redis.call('EXISTS', KEYS[3]) == 1 then
  return {'ANSWERED'}
end

local filled
if redis.call('HSETNX', KEYS[1], 's' .. split .. ':' .. number, payload) == 1 then
  filled = redis.call('HINCRBY', KEYS[1], '#' .. split, 1)
else
  filled = tonumber(redis.call('HGET', KEYS[1], '#' .. split))
end
redis.call('EXPIRE', KEYS[1], ARGV[6])

if filled < batches then
  -- A completer whose slots have expired cannot answer: the request is open again.
  redis.call('DEL', KEYS[2])
  return {'WAITING'}
end

redis.call('SET', KEYS[2], coordinates, 'EX', ARGV[7])
local reply = {'COMPLETE'}
for at = 0, batches - 1 do
  reply[at + 2] = redis.call('HGET', KEYS[1], 's' .. split .. ':' .. at)
end
return reply
