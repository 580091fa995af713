-- KEYS: fleet. ARGV: a random number, the lease of who was there before, the node that asks, the fleet and the ask. Returns
-- how many have not handled it; -1: it is another fleet now.
local of, clock = fleet(KEYS[1], ARGV[1], ARGV[2])
if of ~= ARGV[4] then return -1 end
return (unhandled(KEYS[1], clock, tonumber(ARGV[5]), ARGV[3]))
