-- Write to the ledger, once, that a recorded answer took the place of a model call. ARGV: run, seq, call, detail, ttl
-- after the deadline (ms). The last KEY: the run's calls.
local CALLS = KEYS[#KEYS]
if redis.call('EXISTS', RUN) == 0 or redis.call('HSETNX', CALLS, 'reused:' .. ARGV[3], 1) == 0 then
  return 0
end
redis.call('HINCRBY', CALLS, 'reused', 1)
redis.call('PEXPIREAT', CALLS, tonumber(redis.call('HGET', RUN, 'deadline')) + tonumber(ARGV[5]))
ledger('model_call', ARGV[2], ARGV[4])
return 1
