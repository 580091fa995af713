-- KEYS: key, companion. Returns the header and tags of what was there, or what it was instead.
local kind, h = look(KEYS[1], KEYS[2])
local was = kind
if kind == 'slot' then
  was = lives(KEYS[1], h) and redis.call('GETRANGE', KEYS[1], 0, 75 + h.tags) or 'none'
end
redis.call('UNLINK', KEYS[1], KEYS[2])
return was
