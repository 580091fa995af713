-- KEYS: key, companion. ARGV: delta, lifetime, a random number, what may be replaced.
-- Returns the sum as text, or {what is wrong, what is there}.
local from = tonumber(ARGV[3])
local kind, h = look(KEYS[1])
if kind == 'integer' then
  local c = beside(KEYS[2], KEYS[1], h, from)
  local added = redis.pcall('INCRBY', KEYS[1], ARGV[1])
  if type(added) == 'table' then
    if string.find(added.err, 'overflow', 1, true) then return { 'overflow', '' } end
    return { 'foreign', '' }
  end
  local sum = redis.call('GET', KEYS[1])
  c.from, c.last, c.soft = from, from, from
  keep_beside(KEYS[2], KEYS[1], sum, c)
  return sum
end
if kind == 'foreign' then return { 'foreign', '' } end
if kind == 'slot' and h.state ~= 'H' and h.fresh > elapsed(KEYS[1], h.total) and h.from ~= tonumber(ARGV[4]) then
  return { 'entry', redis.call('GETRANGE', KEYS[1], 0, 67 + h.tags) }
end
local life = tonumber(ARGV[2])
set(KEYS[1], ARGV[1], life)
set(KEYS[2], pack(new('C', from, life, life), ARGV[1]), life)
return ARGV[1]
