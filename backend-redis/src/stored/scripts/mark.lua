-- KEYS: mark. ARGV: struck hard at, struck softly at, how long it must live at least, and 'x' if only where it is.
-- Merges by maximum. A mark is 'hard soft base': the last soft strike was base - PTTL ago.
local hard, soft, need = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local base, left = need, need
local mark = redis.pcall('GET', KEYS[1])
-- Whatever else stands there is no mark, and none means invalid.
if type(mark) == 'table' or mark and not string.match(mark, '^%d+ %d+ %d+$') then
  redis.call('UNLINK', KEYS[1])
  mark = false
end
if not mark and ARGV[4] == 'x' then return 0 end
if mark then
  local h, s, b = string.match(mark, '^(%d+) (%d+) (%d+)$')
  h, s, b = tonumber(h), tonumber(s), tonumber(b)
  local pttl = redis.call('PTTL', KEYS[1])
  left = math.max(pttl, need)
  base = b + (left - pttl)
  if soft > s then base = left end
  hard, soft = math.max(hard, h), math.max(soft, s)
  if hard == h and soft == s and left == pttl then return 0 end
end
set(KEYS[1], string.format('%.0f %.0f %.0f', hard, soft, base), left)
return 1
