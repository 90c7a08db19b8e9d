-- Counts the erasures that were ever claimed. KEYS: count. Returns it as text.
return redis.call('GET', KEYS[1]) or ''
