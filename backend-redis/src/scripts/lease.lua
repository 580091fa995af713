-- KEYS: key, companion. ARGV: a random number, how long a place is held. Returns the lease.
local from = tonumber(ARGV[1])
local kind, h = look(KEYS[1])
if kind == 'slot' then
  h.last = h.last + 1
  redis.call('SETRANGE', KEYS[1], 12, struct.pack('>I8', h.last))
  if h.state == 'H' then
    redis.call('SETRANGE', KEYS[1], 60, struct.pack('>I4', h.open + 1))
    redis.call('PEXPIRE', KEYS[1], ARGV[2])
  end
  return h.last
end
if kind == 'integer' then
  local c = beside(KEYS[2], KEYS[1], h, from)
  c.last = c.last + 1
  keep_beside(KEYS[2], KEYS[1], h, c)
  return c.last
end
local held = new('H', from, 0, 0)
held.last, held.open = from + 1, 1
set(KEYS[1], pack(held, ''), tonumber(ARGV[2]))
return held.last
