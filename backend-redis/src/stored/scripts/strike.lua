-- KEYS: order, recent. ARGV: an epoch for a new order, 'h' or 's', the tag, how many to remember.
-- Raises the order and notes who was struck; returns the order.
local order = redis.call('GET', KEYS[1])
if not order then
  order = ARGV[1] .. ' 0'
  redis.call('UNLINK', KEYS[2])
end
local epoch, seq = string.match(order, '^(%x+) (%d+)$')
seq = tonumber(seq)
-- Whatever else stands there remembers nothing.
if type(redis.pcall('ZCARD', KEYS[2])) == 'table' then redis.call('UNLINK', KEYS[2]) end
if not redis.call('ZSCORE', KEYS[2], 'f') then redis.call('ZADD', KEYS[2], seq, 'f') end
seq = seq + 1
order = epoch .. ' ' .. string.format('%.0f', seq)
redis.call('SET', KEYS[1], order)
redis.call('ZADD', KEYS[2], seq, ARGV[2] .. redis.sha1hex(ARGV[3]))
local many = redis.call('ZCARD', KEYS[2]) - tonumber(ARGV[4])
if many > 0 then
  local floor = redis.call('ZRANGE', KEYS[2], many - 1, many - 1, 'WITHSCORES')[2]
  redis.call('ZREMRANGEBYRANK', KEYS[2], 0, many - 1)
  redis.call('ZADD', KEYS[2], floor, 'f')
end
return order
