-- Answer an approval. ARGV: run, seq, approved or rejected, reason, ledger detail, '1' to act only when due,
-- call.
local seq = ARGV[2]
local step = redis.call('HMGET', STEPS, seq .. ':status', seq .. ':due')
if step[1] ~= 'waiting' then
  -- The same call again: its answer was lost on the way.
  return redis.call('HGET', STEPS, seq .. ':call') == ARGV[7] and 1 or 0
end
if ARGV[6] == '1' and (not step[2] or tonumber(step[2]) > now) then
  return 0
end
redis.call('HSET', STEPS, seq .. ':call', ARGV[7])
close(seq, ARGV[3] == 'approved' and 'done' or 'failed')
deliver(seq, settled_json(tonumber(seq), ARGV[3], ARGV[4]))
ledger('approval_answered', seq, ARGV[5])
return 1
