-- KEYS: key, companion. ARGV: the value it must still be (or nothing, for a counter), the new TTL, how long a place is
-- held.
local ttl = tonumber(ARGV[2])
local kind, h = look(KEYS[1], KEYS[2])
local function renew(over)
  h.before = h.before + over
  if h.fresh >= FOREVER then h.total = ttl
  elseif h.total < FOREVER then h.total = math.min(FOREVER, ttl + (h.total - h.fresh)) end
  h.fresh = ttl
end
if kind == 'slot' and h.state ~= 'H' and ARGV[1] ~= '' then
  local over = elapsed(KEYS[1], h)
  if h.from ~= tonumber(ARGV[1]) or h.fresh <= over then return 0 end
  renew(over)
  h.slack = h.open > 0 and math.max(0, tonumber(ARGV[3]) - h.total) or 0
  redis.call('SETRANGE', KEYS[1], 28, struct.pack('>I8I8I8I8I8', h.fresh, h.total, h.before, h.born, h.slack))
  redis.call('PEXPIRE', KEYS[1], string.format('%.0f', h.total + h.slack))
  return 1
end
if kind == 'integer' and ARGV[1] == '' then
  local text, left = h, 0
  h, left = beside(KEYS[2], KEYS[1])
  renew(h.total - left)
  write_counter(KEYS[1], KEYS[2], text, h, h.total)
  return 1
end
return 0
