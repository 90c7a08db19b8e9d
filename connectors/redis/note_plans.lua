-- Notes what intake made of requests, and the deadlines of those that are not answered.
-- KEYS: deadlines, then plan and done marker of each request in turns.
-- ARGV: seconds to keep a plan, whether a plan replaces the one that is there ('1'), then plan, name and deadline ('' for none) of each request in turns.
local at = 3
for key = 2, #KEYS, 2 do
  local plan, name, deadline = ARGV[at], ARGV[at + 1], ARGV[at + 2]
  -- Of an erased request nothing is to be known anew.
  local is_erased = redis.call('EXISTS', 'erased:{' .. name .. '}') == 1
  -- The first payload of a key stays; extraction knows more of the same payload than intake did.
  local is_noted = not is_erased and (ARGV[2] == '1' and redis.call('SET', KEYS[key], plan, 'EX', ARGV[1])
      or redis.call('SET', KEYS[key], plan, 'NX', 'EX', ARGV[1]))
  if is_noted and deadline ~= '' then
    if redis.call('EXISTS', KEYS[key + 1]) == 0 then
      redis.call('ZADD', KEYS[1], deadline, name)
    end
  end
  at = at + 3
end
