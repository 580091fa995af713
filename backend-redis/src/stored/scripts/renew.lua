-- KEYS: order, recent, newest. ARGV: an epoch, and 'x' if only where there is none. Returns the order as it was, and as it is.
-- Everything of the epoch before is gone.
local before = redis.call('GET', KEYS[1])
if before and ARGV[2] == 'x' then return { before, before } end
local order = ARGV[1] .. ' 0'
redis.call('SET', KEYS[1], order)
redis.call('SET', KEYS[3], ARGV[1])
redis.call('UNLINK', KEYS[2])
return { before or '', order }
