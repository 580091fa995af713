-- What stands under a key: see slot.rs. Prepended to every script that looks at one.
local function pack(h, rest)
  return 'LS\1' .. h.state .. struct.pack('>I8I8I8I8I8I8I8I4I4', h.from, h.last, h.soft, h.fresh, h.total,
    h.before, h.born, h.open, h.tags) .. rest
end

-- 'none', 'slot' with its header, 'integer' with its text, or 'foreign'.
local function look(key)
  local raw = redis.pcall('GETRANGE', key, 0, 67)
  if type(raw) == 'table' then return 'foreign' end
  if raw == '' then return 'none' end
  if #raw == 68 and string.sub(raw, 1, 3) == 'LS\1' then
    local h = { state = string.sub(raw, 4, 4) }
    h.from, h.last, h.soft, h.fresh, h.total, h.before, h.born, h.open, h.tags =
      struct.unpack('>I8I8I8I8I8I8I8I4I4', raw, 5)
    return 'slot', h
  end
  if #raw <= 20 and string.match(raw, '^-?%d+$') then return 'integer', raw end
  return 'foreign'
end

local FOREVER = 1125899906842624

-- How much of the total lifetime is over.
local function elapsed(key, total)
  local left = redis.call('PTTL', key)
  if left < 0 then return 0 end
  return math.max(0, total - left)
end

local function set(key, value, total)
  redis.call('SET', key, value, 'PX', string.format('%.0f', total))
end

-- A header for something new, whose leases begin after `from`.
local function new(state, from, fresh, total)
  return { state = state, from = from, last = from, soft = from, fresh = fresh, total = total, before = 0,
    born = 0, open = 0, tags = 0 }
end

-- The header beside a counter, made if there is none, or if somebody else has changed the counter.
local function beside(companion, key, text, from)
  local kind, h = look(companion)
  local known = kind == 'slot'
  if known and redis.call('GETRANGE', companion, 68, -1) == text then return h end
  local left = redis.call('PTTL', key)
  if left < 0 then left = FOREVER end
  local fresh = new('C', from, left, left)
  if known then fresh.total, fresh.fresh, fresh.before = h.total, h.fresh, h.before end
  return fresh
end

-- Writes the header beside a counter, to end with it.
local function keep_beside(companion, key, text, h)
  local left = redis.call('PTTL', key)
  if left < 0 then left = FOREVER end
  set(companion, pack(h, text), left)
end
