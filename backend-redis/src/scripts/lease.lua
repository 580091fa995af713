-- KEYS: key, companion. ARGV: a random number, how long a place is held. Returns the lease.
local from, hold = tonumber(ARGV[1]), tonumber(ARGV[2])
local kind, h = look(KEYS[1])
if kind == 'integer' then
  -- While somebody loads it, a counter stands in a slot, too.
  local c, left = beside(KEYS[2], KEYS[1], from)
  c.state, c.from, c.last, c.soft = 'N', from, from, from
  set(KEYS[1], pack(c, h), left)
  redis.call('UNLINK', KEYS[2])
  kind, h = 'slot', c
end
if kind ~= 'slot' then
  h = new('H', from, 0, 0)
  set(KEYS[1], pack(h, ''), hold)
end
h.last = h.last + 1
redis.call('SETRANGE', KEYS[1], 12, struct.pack('>I8', h.last))
-- It stays for as long as the load may take, though what it holds may expire before.
local left = redis.call('PTTL', KEYS[1])
if left >= 0 and left < hold then
  h.slack = h.slack + hold - left
  redis.call('PEXPIRE', KEYS[1], string.format('%.0f', hold))
end
redis.call('SETRANGE', KEYS[1], 60, struct.pack('>I8I4', h.slack, h.open + 1))
return h.last
