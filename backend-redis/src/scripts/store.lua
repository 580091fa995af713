-- KEYS: key, companion.
-- ARGV: mode, lease, a random number, what may be replaced, stale, fresh, total, born, length of the tags, body.
-- mode: 'load' publishes under a lease, which others may still do after it; 'set' under its own lease, which voids
-- all others; 'absent' without one, where nothing is fresh; 'plain' in any case. With 'counter' after it the body is an integer.
-- Returns 1 (stored), 0 (fenced), or what is there.
local mode, lease = ARGV[1], tonumber(ARGV[2])
local counter = string.sub(mode, -7) == 'counter'
if counter then mode = string.sub(mode, 1, -9) end
local fresh, total = tonumber(ARGV[6]), tonumber(ARGV[7])
local kind, h = look(KEYS[1])
local text = h
if kind == 'integer' then h = beside(KEYS[2], KEYS[1], text, tonumber(ARGV[3])) end
if mode == 'absent' then
  if kind == 'integer' then return 'integer' end
  if kind == 'foreign' then return 'foreign' end
  if kind == 'slot' and h.state ~= 'H' and h.fresh > elapsed(KEYS[1], h.total) and h.from ~= tonumber(ARGV[4]) then
    return redis.call('GETRANGE', KEYS[1], 0, 67 + h.tags)
  end
elseif mode ~= 'plain' then
  if kind == 'none' or kind == 'foreign' or lease <= h.from or lease > h.last then return 0 end
end
local entry = new(counter and 'C' or 'E', tonumber(ARGV[3]), fresh, total)
entry.born, entry.tags = tonumber(ARGV[8]), tonumber(ARGV[9])
if mode == 'load' then
  entry.from, entry.last, entry.soft = lease, h.last, h.soft
  if ARGV[5] == '1' or lease <= h.soft then
    entry.fresh = 0
    if counter then entry.state = 'N' end
  end
end
if entry.state == 'C' then
  set(KEYS[1], ARGV[10], total)
  set(KEYS[2], pack(entry, ARGV[10]), total)
else
  set(KEYS[1], pack(entry, ARGV[10]), total)
  redis.call('UNLINK', KEYS[2])
end
return 1
