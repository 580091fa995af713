-- What stands under a key: see slot.rs. Prepended to every script that looks at one.
local FOREVER = 1125899906842624

local function pack(h, rest)
  return 'LS\1' .. h.state .. struct.pack('>I8I8I8I8I8I8I8I8I4I4', h.from, h.last, h.soft, h.fresh, h.total,
    h.before, h.born, h.slack, h.open, h.tags) .. rest
end

-- 'none', 'slot' with its header, 'integer' with its text (if its header stands under the companion), or 'foreign'. What
-- somebody has taken the end away from, or given more time than it was to live, is as if it were not there.
local function look(key, companion)
  local raw = redis.pcall('GETRANGE', key, 0, 75)
  if type(raw) == 'table' then return 'foreign' end
  if raw == '' then return 'none' end
  if #raw == 76 and string.sub(raw, 1, 3) == 'LS\1' then
    local h = { state = string.sub(raw, 4, 4) }
    h.from, h.last, h.soft, h.fresh, h.total, h.before, h.born, h.slack, h.open, h.tags =
      struct.unpack('>I8I8I8I8I8I8I8I8I4I4', raw, 5)
    -- Numbers are exact so far.
    if h.from > h.last or h.last >= 9007199254740992 then return 'foreign' end
    local left = redis.call('PTTL', key)
    -- A place that is held has no life of its own.
    if left < 0 or (h.state ~= 'H' and left > h.total + h.slack) then return 'none' end
    return 'slot', h
  end
  if companion and #raw <= 20 and string.match(raw, '^-?%d+$') then
    local kind, h = look(companion)
    local left = redis.call('PTTL', key)
    if kind ~= 'slot' or left < 0 or left > h.total then return 'none' end
    return 'integer', raw
  end
  return 'foreign'
end

-- How much of its total lifetime is over. Where a load holds its place, Redis keeps it for longer, by the slack.
local function elapsed(key, h)
  return math.max(0, h.total + h.slack - redis.call('PTTL', key))
end

local function set(key, value, life)
  redis.call('SET', key, value, 'PX', string.format('%.0f', life))
end

-- A header for something new, whose leases begin after `from`.
local function new(state, from, fresh, total)
  return { state = state, from = from, last = from, soft = from, fresh = fresh, total = total, before = 0,
    born = 0, slack = 0, open = 0, tags = 0 }
end

-- Whether there is something to be served in it, fresh or stale.
local function lives(key, h)
  return (h.state == 'E' or h.state == 'N') and elapsed(key, h) < h.total
end

-- The header of a counter that was found, which stands beside it; and what is left of its life.
local function beside(companion, key)
  local _, h = look(companion)
  return h, redis.call('PTTL', key)
end

-- A counter as a plain integer, with its header beside it.
local function write_counter(key, companion, text, h, left)
  h.state, h.last, h.soft, h.slack, h.open = 'C', h.from, h.from, 0, 0
  set(key, text, left)
  set(companion, pack(h, ''), left)
end
