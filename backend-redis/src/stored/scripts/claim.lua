-- Who loads a key for the whole fleet: 'lease holder', and '!' after it where others wait. It lives for as long as its
-- holder is believed to live; and it is in force only while that lease is good in what stands under the key now.
local function claimed(key)
  local text = redis.pcall('GET', key)
  if type(text) ~= 'string' then return nil end
  local lease, holder, awaited = string.match(text, '^(%d+) (%x+)(!?)$')
  if not lease then return nil end
  return { lease = tonumber(lease), holder = holder, awaited = awaited }
end

local function in_force(claim, kind, h)
  return claim and kind == 'slot' and claim.lease > h.from and claim.lease <= h.last
end

local function claim_for(key, lease, holder, awaited, time)
  set(key, string.format('%.0f ', lease) .. holder .. awaited, tonumber(time))
end

-- Says on the channel that the load of `name` is over, and how, if others wait. It is no harm where that is not allowed.
local function tell(claim, channel, how, name)
  if claim.awaited ~= '' then redis.pcall('PUBLISH', channel, how .. name) end
end
