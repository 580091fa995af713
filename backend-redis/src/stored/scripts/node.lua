-- KEYS: fleet. ARGV: a random number, the lease of who was there before; the node, its lease, the fleet and the ask that it
-- has handled; whether it begins ('join'), goes on ('stay') or ends ('leave'); and whether Redis tells it what changes
-- ('told'), or not ('untold'). Returns the fleet, how many asks there were, and whether there is anybody who is not told.
local of, clock = fleet(KEYS[1], ARGV[1], ARGV[2])
if ARGV[7] == 'leave' then
  redis.call('HDEL', KEYS[1], ARGV[3])
else
  -- Where nobody ever asks, nobody else forgets who is gone.
  if ARGV[7] == 'join' then unhandled(KEYS[1], clock, 0, '') end
  local _, handled = read_node(redis.call('HGET', KEYS[1], ARGV[3]))
  if of == ARGV[5] then handled = math.max(handled, tonumber(ARGV[6])) end
  redis.call('HSET', KEYS[1], ARGV[3], string.format('%.0f %.0f', clock + tonumber(ARGV[4]), handled))
end
local untold = tonumber(string.match(redis.call('HGET', KEYS[1], 'untold') or '', '^%d+$') or 0)
if ARGV[8] == 'untold' and ARGV[7] ~= 'leave' then
  untold = math.max(untold, clock + tonumber(ARGV[4]))
  redis.call('HSET', KEYS[1], 'untold', string.format('%.0f', untold))
end
return { of, tonumber(redis.call('HGET', KEYS[1], 'asks') or 0), untold > clock and 1 or 0 }
