-- Prolong the lease of an attempt. ARGV: run, seq, attempt, lease (ms).
local seq = ARGV[2]
local step = redis.call('HMGET', STEPS, seq .. ':status', seq .. ':attempt')
if step[1] ~= 'running' or step[2] ~= ARGV[3] then
  return 'lost'
end
redis.call('ZADD', LEASES, now + ARGV[4], member(seq))
if redis.call('HEXISTS', RUN, 'withdrawn') == 1 then
  return 'cancelled'
end
return 'held'
