-- Takes what one more request needs of its tenant's share, all of it or nothing (schemas/shares.py).
-- KEYS: rate, characters of the day, requests in flight, characters in flight, done marker of the request.
-- ARGV: limits (0: none) of requests a minute, characters a day, requests and characters in flight; then name and
--       characters of the request, seconds after which one in flight is forgotten, whether it may be a repeat.
-- Returns 0 or the number of the limit that refuses; requests that may follow at once, ms until all may, ms to wait;
-- 1 where more than a call was taken.
local MINUTE = 60000000
local per_minute, per_day = tonumber(ARGV[1]), tonumber(ARGV[2])
local most, most_characters = tonumber(ARGV[3]), tonumber(ARGV[4])
local name, characters = ARGV[5], tonumber(ARGV[6])
local time = redis.call('TIME')
local seconds, now = tonumber(time[1]), tonumber(time[1]) * 1000000 + tonumber(time[2])

-- Generic cell rate algorithm: one number, when the requests so far would have come evenly.
local arrival, remaining, reset = now, 0, 0
if per_minute > 0 then
  local interval = MINUTE / per_minute
  local before = math.max(tonumber(redis.call('GET', KEYS[1]) or 0), now)
  arrival = before + interval
  if arrival - now > MINUTE + 1 then
    return {1, 0, math.ceil((before - now) / 1000), math.ceil((arrival - now - MINUTE) / 1000), 0}
  end
  remaining, reset = math.floor((now + MINUTE + 1 - arrival) / interval), math.ceil((arrival - now) / 1000)
end

-- A repeat is neither work nor billed again.
if ARGV[8] == '1' and (redis.call('EXISTS', KEYS[5]) == 1 or redis.call('ZSCORE', KEYS[3], name)) then
  characters = -1
end

-- The fraction of a score is the request's characters by 2^22: exact, and at most four million.
local function forget_lost()
  for _, lost in ipairs(redis.call('ZRANGE', KEYS[3], '-inf', seconds - ARGV[7], 'BYSCORE', 'LIMIT', 0, 100)) do
    local size = math.floor(tonumber(redis.call('ZSCORE', KEYS[3], lost)) % 1 * 4194304 + 0.5)
    redis.call('ZREM', KEYS[3], lost)
    redis.call('DECRBY', KEYS[4], size)
  end
end

local function flight_is_full()
  local count = redis.call('ZCARD', KEYS[3])
  if most > 0 and count >= most then
    return 3
  end
  -- A text larger than the limit of all has its turn when no other is in flight.
  if most_characters > 0 and count > 0 and tonumber(redis.call('GET', KEYS[4]) or 0) + characters > most_characters then
    return 4
  end
end

if characters >= 0 then
  if per_day > 0 and tonumber(redis.call('GET', KEYS[2]) or 0) + characters > per_day then
    return {2, remaining, reset, 0, 0}
  end
  if most > 0 or most_characters > 0 then
    local full = flight_is_full()
    if full then
      forget_lost()
      full = flight_is_full()
    end
    if full then
      return {full, remaining, reset, 0, 0}
    end
    local size = math.min(characters, 4194303)
    redis.call('ZADD', KEYS[3], string.format('%.17g', seconds + size / 4194304), name)
    redis.call('INCRBY', KEYS[4], size)
  end
  if per_day > 0 and redis.call('INCRBY', KEYS[2], characters) == characters then
    redis.call('EXPIRE', KEYS[2], 172800)
  end
end
if per_minute > 0 then
  redis.call('SET', KEYS[1], string.format('%.0f', arrival), 'PX', reset + 1)
end
return {0, remaining, reset, 0, characters >= 0 and 1 or 0}
