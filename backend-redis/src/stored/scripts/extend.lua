-- KEYS: key, claim. ARGV: lease, who has it, how long it lives. Returns whether the lease is good and nobody else's claim
-- in force: then the claim lives on, or again.
local kind, h = look(KEYS[1])
local lease, mine = tonumber(ARGV[1]), { lease = tonumber(ARGV[1]), awaited = '' }
if not in_force(mine, kind, h) then return 0 end
local claim = claimed(KEYS[2])
if claim and claim.lease ~= lease and in_force(claim, kind, h) then return 0 end
claim_for(KEYS[2], lease, ARGV[2], claim and claim.awaited or '', ARGV[3])
return 1
