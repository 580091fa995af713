-- KEYS: order, recent. ARGV: tags. Returns the order, up to where strikes may have been forgotten, and for each tag
-- when it was last struck hard and softly (0: not since then).
local order = redis.call('GET', KEYS[1])
if not order then return { '' } end
local floor = redis.call('ZSCORE', KEYS[2], 'f') or string.match(order, ' (%d+)$')
local out = { order, floor }
for _, tag in ipairs(ARGV) do
  local hash = redis.sha1hex(tag)
  out[#out + 1] = redis.call('ZSCORE', KEYS[2], 'h' .. hash) or '0'
  out[#out + 1] = redis.call('ZSCORE', KEYS[2], 's' .. hash) or '0'
end
return out
