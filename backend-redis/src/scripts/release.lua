-- KEYS: key. ARGV: lease. The place that was held for it is free when nobody else loads.
local kind, h = look(KEYS[1])
local lease = tonumber(ARGV[1])
if kind ~= 'slot' or h.state ~= 'H' or lease <= h.from or lease > h.last then return 0 end
if h.open <= 1 then return redis.call('UNLINK', KEYS[1]) end
redis.call('SETRANGE', KEYS[1], 60, struct.pack('>I4', h.open - 1))
return 0
