-- KEYS: key, companion, claim. ARGV: lease, how its load ended, the channel. When nobody else loads, what is held for loads alone is given up.
local kind, h = look(KEYS[1], KEYS[2])
local lease = tonumber(ARGV[1])
local claim = claimed(KEYS[3])
if claim and claim.lease == lease then
  redis.call('UNLINK', KEYS[3])
  tell(claim, ARGV[3], ARGV[2], KEYS[1])
end
if kind ~= 'slot' or lease <= h.from or lease > h.last then return 0 end
h.open = math.max(0, h.open - 1)
if h.open > 0 then
  redis.call('SETRANGE', KEYS[1], 68, struct.pack('>I4', h.open))
  return 0
end
local over = elapsed(KEYS[1], h)
if not lives(KEYS[1], h) then return redis.call('UNLINK', KEYS[1]) end
local left = h.total - over
if h.state == 'N' and h.fresh > over then
  write_counter(KEYS[1], KEYS[2], redis.call('GETRANGE', KEYS[1], 76, -1), h, left)
elseif h.slack > 0 then
  redis.call('SETRANGE', KEYS[1], 60, struct.pack('>I8I4', 0, 0))
  redis.call('PEXPIRE', KEYS[1], string.format('%.0f', left))
end
return 0
