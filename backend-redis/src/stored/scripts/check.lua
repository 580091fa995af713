-- KEYS: key. ARGV: leases. Returns whether all of them are good.
local kind, h = look(KEYS[1])
for _, lease in ipairs(ARGV) do
  lease = tonumber(lease)
  if kind ~= 'slot' or lease <= h.from or lease > h.last then return 0 end
end
return 1
