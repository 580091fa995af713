-- KEYS: order, recent. ARGV: an epoch. Everything of the epoch before is gone; returns that epoch.
local order = redis.call('GET', KEYS[1])
redis.call('SET', KEYS[1], ARGV[1] .. ' 0')
redis.call('UNLINK', KEYS[2])
return order or ''
