-- KEYS: key, companion, claim. ARGV: a random number, how long a place is held, and how it is asked for: 'fence' in any
-- case, 'lease' if nobody else has claimed to load it, 'retry' also where no more than so many load. Who asks, how long
-- a claim lives, and how many that is. Returns the lease, with a minus where a claim is made though something fresh stands
-- there; 0: somebody else loads.
local from, hold = tonumber(ARGV[1]), tonumber(ARGV[2])
local kind, h = look(KEYS[1], KEYS[2])
local how, holder = ARGV[3], ARGV[4]
local claim = how ~= 'fence' and claimed(KEYS[3]) or nil
local theirs = claim and claim.holder ~= holder and in_force(claim, kind, h)
if theirs and (how ~= 'retry' or h.open >= tonumber(ARGV[6])) then
  if claim.awaited == '' then redis.call('APPEND', KEYS[3], '!') end
  return 0
end
local fresh = kind == 'integer' or kind == 'slot' and h.state ~= 'H' and h.fresh > elapsed(KEYS[1], h)
if kind == 'integer' then
  -- While somebody loads it, a counter stands in a slot, too.
  local c, left = beside(KEYS[2], KEYS[1])
  c.state, c.from, c.last, c.soft = 'N', from, from, from
  set(KEYS[1], pack(c, h), left)
  redis.call('UNLINK', KEYS[2])
  kind, h = 'slot', c
end
if kind ~= 'slot' then
  h = new('H', from, 0, 0)
  set(KEYS[1], pack(h, ''), hold)
end
h.last = h.last + 1
redis.call('SETRANGE', KEYS[1], 12, struct.pack('>I8', h.last))
-- It stays for as long as the load may take, though what it holds may expire before.
local left = redis.call('PTTL', KEYS[1])
if left >= 0 and left < hold then
  h.slack = h.slack + hold - left
  redis.call('PEXPIRE', KEYS[1], string.format('%.0f', hold))
end
redis.call('SETRANGE', KEYS[1], 60, struct.pack('>I8I4', h.slack, h.open + 1))
if how ~= 'fence' and not theirs then
  -- Also those who waited for an earlier load wait for this one.
  claim_for(KEYS[3], h.last, holder, claim and claim.awaited or '', ARGV[5])
end
if how ~= 'fence' and fresh then return -h.last end
return h.last
