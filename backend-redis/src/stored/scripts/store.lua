-- KEYS: key, companion, claim.
-- ARGV: mode, lease, a random number, what may be replaced, fresh, total, born, length of the tags, how long a place is
-- held, body, the channel.
-- mode: 'load' publishes under a lease, which others may still do after it; 'set' under its own lease, which voids
-- all others; 'absent' without one, where nothing is fresh; 'plain' in any case. With 'counter' after it the body is
-- an integer. Returns 1 (stored), 0 (fenced), or what is there.
local mode, lease, hold = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[9])
local counter = string.sub(mode, -7) == 'counter'
if counter then mode = string.sub(mode, 1, -9) end
local fresh, total = tonumber(ARGV[5]), tonumber(ARGV[6])
local kind, h = look(KEYS[1], KEYS[2])
if mode == 'absent' then
  if kind == 'integer' or kind == 'foreign' then return kind end
  if kind == 'slot' and h.state ~= 'H' and h.fresh > elapsed(KEYS[1], h) and h.from ~= tonumber(ARGV[4]) then
    return redis.call('GETRANGE', KEYS[1], 0, 75 + h.tags)
  end
elseif mode ~= 'plain' then
  if kind ~= 'slot' or lease <= h.from or lease > h.last then return 0 end
end
local entry = new(counter and 'N' or 'E', tonumber(ARGV[3]), fresh, total)
entry.born, entry.tags = tonumber(ARGV[7]), tonumber(ARGV[8])
if mode == 'load' then
  entry.from, entry.last, entry.soft, entry.open = lease, h.last, h.soft, math.max(0, h.open - 1)
  if lease <= h.soft then entry.fresh = 0 end
  -- Others who began later may still publish.
  if entry.last > lease and total < hold then entry.slack = hold - total end
end
if counter and entry.fresh > 0 and entry.last == entry.from then
  write_counter(KEYS[1], KEYS[2], ARGV[10], entry, total)
else
  set(KEYS[1], pack(entry, ARGV[10]), total + entry.slack)
  redis.call('UNLINK', KEYS[2])
end
local claim = mode == 'load' and claimed(KEYS[3])
if claim then
  -- A later lease of the same process still loads.
  if claim.lease <= lease then redis.call('UNLINK', KEYS[3]) end
  tell(claim, ARGV[11], 'p', KEYS[1])
end
return 1
