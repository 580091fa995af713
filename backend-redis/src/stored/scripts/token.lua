-- KEYS: fleet. ARGV: a random number, the lease of who was there before. Returns the fleet, and one more token.
local of = fleet(KEYS[1], ARGV[1], ARGV[2])
return { of, redis.call('HINCRBY', KEYS[1], 'tokens', 1) }
