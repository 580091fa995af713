-- The fleet: a hash. 'of' says which one it is, and on which server it was made; 'asks' and 'tokens' count; 'clock' and 'seen'
-- are the time by which leases run; and each node has 'end handled' under its name: until when its lease runs, and the
-- number of the last ask that it has handled; 'untold' is until when there is a lease of somebody whom Redis does not tell.

-- Which fleet it is, and its time in milliseconds. The server's clock may be set: so the time goes on by a second at most
-- from one look to the next, and never back. Where there is none, or one that another server has made and this one may
-- remember wrongly, who was in it may still believe what he has: 'n:before' stands for all of them.
local function fleet(key, random, lease)
  -- Who has begun by removing something may go on, though Redis is full.
  redis.pcall('HDEL', key, '')
  local info = redis.pcall('INFO', 'server')
  local server = type(info) == 'string' and string.match(info, 'run_id:(%x%x%x%x%x%x%x%x)')
  local time = redis.call('TIME')
  local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
  local there = redis.pcall('HMGET', key, 'of', 'clock', 'seen', 'asks', 'tokens')
  -- What somebody has written there that is no number, or none that is exact, is lost.
  local function number(at)
    return #(there[at] or '0') <= 15 and tonumber(string.match(there[at] or '0', '^%d+$'))
  end
  local of, clock, seen = there[1], there[2] and number(2), there[3] and number(3)
  if not (of and clock and seen and number(4) and number(5)) or server and string.sub(of, 1, 8) ~= server then
    of, clock, seen = (server or string.rep('0', 8)) .. random, 0, now
    redis.call('UNLINK', key)
    redis.call('HSET', key, 'of', of, 'n:before', lease .. ' 0')
  end
  clock = clock + math.max(0, math.min(now - seen, 1000))
  redis.call('HSET', key, 'clock', string.format('%.0f', clock), 'seen', string.format('%.0f', now))
  return of, clock
end

-- A node's lease and what it has handled.
local function read_node(text)
  local over, handled = string.match(text or '', '^(%d+) (%d+)$')
  return tonumber(over or 0), tonumber(handled or 0)
end

-- How many nodes but `mine` have not handled that ask, and how long the longest of their leases runs. Those whose lease is
-- over are forgotten.
local function unhandled(key, clock, ask, mine)
  local many, longest, all = 0, 0, redis.call('HGETALL', key)
  for at = 1, #all, 2 do
    if string.sub(all[at], 1, 2) == 'n:' then
      local over, handled = read_node(all[at + 1])
      if over <= clock then
        redis.call('HDEL', key, all[at])
      elseif all[at] ~= mine and handled < ask then
        many, longest = many + 1, math.max(longest, over - clock)
      end
    end
  end
  return many, longest
end
