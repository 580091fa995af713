-- KEYS: order, recent, mark, and what is touched. ARGV: the epoch of these names, 'h' or 's', the tag, how many to remember.
-- Raises the order, notes who was struck, writes it into the mark if there is one, and touches what is watched. Returns the order; where it is of
-- another epoch, nothing was done.
local text = redis.call('GET', KEYS[1])
if not text then return text end
local order, epoch, at = order_of(text)
if epoch ~= ARGV[1] then return order end
-- Whatever else stands there remembers nothing.
if type(redis.pcall('ZCARD', KEYS[2])) == 'table' then redis.call('UNLINK', KEYS[2]) end
if not redis.call('ZSCORE', KEYS[2], 'f') then redis.call('ZADD', KEYS[2], at, 'f') end
at = at + 1
order = epoch .. ' ' .. string.format('%.0f', at)
redis.call('SET', KEYS[1], order)
redis.call('ZADD', KEYS[2], at, ARGV[2] .. redis.sha1hex(ARGV[3]))
local many = redis.call('ZCARD', KEYS[2]) - tonumber(ARGV[4])
if many > 0 then
  local floor = redis.call('ZRANGE', KEYS[2], many - 1, many - 1, 'WITHSCORES')[2]
  redis.call('ZREMRANGEBYRANK', KEYS[2], 0, many - 1)
  redis.call('ZADD', KEYS[2], floor, 'f')
end
local m = mark(KEYS[3])
if m then
  if ARGV[2] == 'h' then m.hard = at else m.soft, m.base = at, m.left end
  write_mark(KEYS[3], m)
end
redis.call('SET', KEYS[4], '', 'PX', 1)
redis.call('UNLINK', KEYS[4])
return order
