-- How many jobs and words are before a job.
-- KEYS: queue and words of each priority, the job's own last; then the speed of each span of time.
-- ARGV: id, priorities, how many jobs ahead are added up exactly (the rest counts as their mean).
-- Returns jobs, words and the speeds; nothing for a job that is not waiting.
local priorities, exact = tonumber(ARGV[2]), tonumber(ARGV[3])
local jobs, words = 0, 0

for number = 1, priorities do
  local queue, remaining = KEYS[2 * number - 1], KEYS[2 * number]
  local ahead
  if number < priorities then
    ahead = redis.call('ZCARD', queue)
  else
    ahead = redis.call('ZRANK', queue, ARGV[1])
    if not ahead then
      return {}
    end
  end
  if ahead > 0 then
    local ids = redis.call('ZRANGE', queue, 0, math.min(ahead, exact) - 1)
    local sum = 0
    for _, count in ipairs(redis.call('HMGET', remaining, unpack(ids))) do
      sum = sum + (tonumber(count or 0) or 0)
    end
    jobs = jobs + ahead
    words = words + sum * ahead / #ids
  end
end

local reply = {jobs, math.floor(words)}
for at = 2 * priorities + 1, #KEYS do
  reply[#reply + 1] = redis.call('GET', KEYS[at])
end
return reply
