-- What Redis gives its scripts beside Lua's own, and takes away. Run once, with: call, pcall, sha1hex, error_reply, tidy,
-- pack, unpack, and what makes a table of what is thrown. Returns what calls a script.
local call, command_pcall, sha1hex, error_reply, tidy, pack, unpack, placed = ...
local lua_pcall, lua_xpcall, error, tostring = pcall, xpcall, error, tostring

redis = {
  call = call, pcall = command_pcall, sha1hex = sha1hex, error_reply = error_reply,
  status_reply = function(text) return { ok = text } end,
  log = function() end, LOG_DEBUG = 0, LOG_VERBOSE = 1, LOG_NOTICE = 2, LOG_WARNING = 3,
}
struct = { pack = pack, unpack = unpack }

-- What a command throws is a text to whoever catches it.
function pcall(...) return tidy(lua_pcall(...)) end

-- Chance and the machine are none of a script's business here.
math.random, math.randomseed, print, dofile, loadfile = nil

KEYS, ARGV = {}, {}
setmetatable(_G, {
  __index = function(_, name)
    error("Script attempted to access nonexistent global variable '" .. tostring(name) .. "'", 2)
  end,
  __newindex = function() error('Attempt to modify a readonly table', 2) end,
})

return function(script) return lua_xpcall(script, placed) end
