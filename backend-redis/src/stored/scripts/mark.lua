-- The mark of a tag: 'hard soft base', struck hard at, struck softly at, and how long before its end that was. What
-- stands there otherwise, or has no end, is no mark; and where there is none, whatever bears the tag is invalid.
local function mark(key)
  local text, left = redis.pcall('GET', key), redis.call('PTTL', key)
  local hard, soft, base
  if type(text) == 'string' then hard, soft, base = string.match(text, '^(%d+) (%d+) (%d+)$') end
  if hard and left > 0 then return { hard = tonumber(hard), soft = tonumber(soft), base = tonumber(base), left = left } end
  redis.call('UNLINK', key)
end

local function write_mark(key, m)
  redis.call('SET', key, string.format('%.0f %.0f %.0f', m.hard, m.soft, m.base), 'PX', string.format('%.0f', m.left))
end

-- The order in three: as it stands there, its epoch, its sequence.
local function order_of(text)
  local epoch, sequence = string.match(text, '^(%x+) (%d+)$')
  return text, epoch, tonumber(sequence)
end
