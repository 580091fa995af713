-- KEYS: order, recent, the marks of the tags. ARGV: the epoch of these names, how long the marks must live at least, and
-- the tags.
-- Makes the marks that are missing, with what the recent strikes say of the tag: when it was struck, or when whoever was
-- forgotten was struck last. Returns the order, and when each tag was struck hard; nothing more if the epoch is another.
local text = redis.call('GET', KEYS[1])
if not text then return { '' } end
local order, epoch, at = order_of(text)
if epoch ~= ARGV[1] then return { order } end
local need = tonumber(ARGV[2])
local function struck(how, tag)
  local score = redis.pcall('ZSCORE', KEYS[2], how .. redis.sha1hex(tag))
  return tonumber(type(score) == 'string' and score)
end
local floor = redis.pcall('ZSCORE', KEYS[2], 'f')
floor = tonumber(type(floor) == 'string' and floor) or at
local out = { order }
for i = 3, #ARGV do
  local key, tag = KEYS[i], ARGV[i]
  local m = mark(key)
  if not m then
    -- Twice as long as is needed, or each entry that comes would write it again.
    m = { hard = struck('h', tag) or floor, soft = struck('s', tag) or 0, base = 2 * need, left = 2 * need }
    write_mark(key, m)
  elseif m.left < need then
    m.base, m.left = m.base + 2 * need - m.left, 2 * need
    write_mark(key, m)
  end
  out[#out + 1] = m.hard
end
return out
