-- KEYS: key, companion. ARGV: delta, lifetime, a random number, what may be replaced.
-- Returns the sum as text, or {what is wrong, what is there}.
local from = tonumber(ARGV[3])
local kind, h = look(KEYS[1], KEYS[2])
if kind == 'foreign' then return { 'foreign', '' } end
if kind == 'slot' and h.state ~= 'H' and h.fresh > elapsed(KEYS[1], h) and h.from ~= tonumber(ARGV[4]) then
  if h.state ~= 'N' then
    -- Also a sum that cannot be voids what is being loaded.
    redis.call('SETRANGE', KEYS[1], 4, struct.pack('>I8', h.last))
    return { 'entry', redis.call('GETRANGE', KEYS[1], 0, 75 + h.tags) }
  end
  -- Somebody loads it: that is void now, and it is an integer again.
  local text = redis.call('GETRANGE', KEYS[1], 76, -1)
  h.from = from
  write_counter(KEYS[1], KEYS[2], text, h, h.total - elapsed(KEYS[1], h))
  kind = 'integer'
end
if kind == 'integer' then
  local added = redis.pcall('INCRBY', KEYS[1], ARGV[1])
  if type(added) == 'table' then
    return { string.find(added.err, 'overflow', 1, true) and 'overflow' or 'foreign', '' }
  end
  return redis.call('GET', KEYS[1])
end
local life = tonumber(ARGV[2])
write_counter(KEYS[1], KEYS[2], ARGV[1], new('C', from, life, life), life)
return ARGV[1]
