-- Says which state this is. Last in a pipeline, the answer holds for every call before it.
-- KEYS: epoch, clock. ARGV: now (ms).
-- Returns the epoch or '', the run id of the server, and the clock as it stood before ('' for none).
local epoch, clock = redis.call('GET', KEYS[1]), redis.call('GET', KEYS[2])
local run_id = string.match(redis.call('INFO', 'server'), 'run_id:(%x+)')
if epoch and string.sub(epoch, -#run_id) == run_id then
  -- Whatever was written up to this moment survives where this survives: writes are lost from the end only.
  redis.call('SET', KEYS[2], ARGV[1])
end
return {epoch or '', run_id, clock or ''}
