-- KEYS: key. Returns what stands there: 'none', 'integer' or 'foreign'; or of a slot its state, up to where its leases are
-- void, the last of them, up to where they are for stale values alone, how long it is fresh and lives, how much of
-- that is over, and how many bytes it has.
local kind, h = look(KEYS[1])
if kind ~= 'slot' then return { kind } end
local out = { h.state }
for _, number in ipairs({ h.from, h.last, h.soft, h.fresh, h.total, elapsed(KEYS[1], h), redis.call('STRLEN', KEYS[1]) }) do out[#out + 1] = string.format('%.0f', number) end
return out
