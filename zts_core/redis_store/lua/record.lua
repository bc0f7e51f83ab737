-- Move a run on from a version. ARGV: run, version, decision.
local known = redis.call('HMGET', RUN, 'version', 'status')
if known[1] ~= ARGV[2] or known[2] == 'finished' then
  return { 'stale', '' }
end
local decision = cjson.decode(ARGV[3])
local place = looped(decision)
if place then
  return { 'loop', place }
end
apply(decision, known[1])
return { 'recorded', '' }
