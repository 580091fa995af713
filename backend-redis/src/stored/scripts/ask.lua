-- KEYS: fleet, what the name begins with that is touched. ARGV: a random number, the lease of who was there before, the
-- node that asks. Asks all others to handle what they were told before. Returns the fleet, the number of the ask, how many
-- have not handled it, and how long their leases run.
local of, clock = fleet(KEYS[1], ARGV[1], ARGV[2])
local ask = redis.call('HINCRBY', KEYS[1], 'asks', 1)
local many, longest = unhandled(KEYS[1], clock, ask, ARGV[3])
if many > 0 then
  local touched = KEYS[2] .. of .. ':' .. string.format('%.0f', ask)
  redis.call('SET', touched, '', 'PX', 1)
  redis.call('UNLINK', touched)
end
return { of, ask, many, longest }
