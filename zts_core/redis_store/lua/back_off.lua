-- Let a step wait after a transient error. ARGV: run, seq, attempt, delay (ms), error, ledger detail.
local seq = ARGV[2]
local step = redis.call('HMGET', STEPS, seq .. ':status', seq .. ':attempt')
if step[1] ~= 'running' or step[2] ~= ARGV[3] then
  return 0
end
local due = now + ARGV[4]
redis.call('HSET', STEPS, seq .. ':status', 'retrying', seq .. ':due', due, seq .. ':error', ARGV[5])
redis.call('HINCRBY', STEPS, seq .. ':failures', 1)
redis.call('ZREM', LEASES, member(seq))
release(seq)
redis.call('ZADD', TIMERS, due, 'retry:' .. member(seq))
ledger('attempt_failed', seq, ARGV[6])
count_attempt(seq, 'retried')
return 1
