-- Claims a request for erasure, whether it is answered or not: from now on nothing else answers any revision of it.
-- KEYS: erased mark, done marker, slots, plan as intake made it, plan as HTTP knows it, count of erasures.
-- ARGV: coordinates, seconds to keep the marks, how many revisions may be missing between two.
-- Returns the verdict, and behind COMPLETE: the marker of the newest committed answer or '', its version, whether
-- no other answer is committed or under way, the plan or '', and of an open request any one filled slot.
local mark = redis.call('GET', KEYS[1])
if mark and mark ~= ARGV[1] then
  return {'ANSWERED'}
end
if not mark then
  redis.call('SET', KEYS[1], ARGV[1], 'EX', ARGV[2])
  redis.call('INCR', KEYS[6])
end

local function is_final(marker)
  return string.find(marker, ' final', 1, true) ~= nil
end

local first = redis.call('GET', KEYS[2])
-- Of who was about to answer, a completer leaves this: its answer may be committed all the same.
local overruled = ARGV[1] .. ' overruled'
local newest, version, settled = '', 0, not first or first == ARGV[1]
if first and is_final(first) then
  newest, version, settled = first, 1, true
end
local revision, missing = 2, 0
while missing <= tonumber(ARGV[3]) do
  local marker = redis.call('GET', KEYS[2] .. ':' .. revision)
  if not marker then
    missing = missing + 1
  else
    missing = 0
    if is_final(marker) then
      newest, version = marker, revision
    else
      settled = false
    end
  end
  revision = revision + 1
end
local plan = redis.call('GET', KEYS[4]) or redis.call('GET', KEYS[5]) or ''
local reply = {'COMPLETE', newest, version, settled and 1 or 0, plan}
if not (first and is_final(first)) then
  if not first then
    redis.call('SET', KEYS[2], ARGV[1], 'EX', ARGV[2])
  elseif first ~= ARGV[1] then
    redis.call('SET', KEYS[2], overruled, 'EX', ARGV[2])
  end
  for _, field in ipairs(redis.call('HKEYS', KEYS[3])) do
    if string.sub(field, 1, 1) == 's' then
      reply[6] = redis.call('HGET', KEYS[3], field)
      break
    end
  end
end
return reply
