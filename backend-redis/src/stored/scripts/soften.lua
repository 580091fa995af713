-- KEYS: key, companion. ARGV: only what began here (or nothing), how long ago.
-- Marks stale what stands there; without the first argument also what is being loaded.
local only = tonumber(ARGV[1])
local kind, h = look(KEYS[1], KEYS[2])
if kind == 'slot' then
  if only and h.from ~= only then return 0 end
  local at = math.max(0, elapsed(KEYS[1], h) - tonumber(ARGV[2]))
  if h.state ~= 'H' and h.fresh > at then
    redis.call('SETRANGE', KEYS[1], 28, struct.pack('>I8', at))
  end
  if not only then redis.call('SETRANGE', KEYS[1], 20, struct.pack('>I8', h.last)) end
  return 1
end
if kind ~= 'integer' then return 0 end
-- A stale counter is no integer: whoever adds to it begins again.
local c, left = beside(KEYS[2], KEYS[1])
c.state = 'N'
c.fresh = math.min(c.fresh, math.max(0, c.total - left))
set(KEYS[1], pack(c, h), left)
redis.call('UNLINK', KEYS[2])
return 1
