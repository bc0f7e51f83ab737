-- Let no further attempt start, or let them start again. ARGV: run, '1' or '0', ledger kind.
local known = redis.call('HMGET', RUN, 'status', 'paused', 'withdrawn')
local over = not known[1] or known[1] == 'finished' or known[3]
if over or (ARGV[2] == '1') == (known[2] == '1') then
  return 0
end
ledger(ARGV[3], 0, '{}')
if ARGV[2] == '1' then
  redis.call('HSET', RUN, 'paused', '1')
  return 1
end
redis.call('HDEL', RUN, 'paused')
-- Messages of a paused run were dropped at the claim: due at once, so that the reaper sends them.
for _, seq in ipairs(redis.call('SMEMBERS', OPEN)) do
  local step = redis.call('HMGET', STEPS, seq .. ':status', seq .. ':turn', seq .. ':wants')
  if step[1] == 'queued' and step[2] ~= 'waits' and not step[3] then
    redis.call('ZADD', QUEUED, 0, member(seq))
  end
end
return 1
