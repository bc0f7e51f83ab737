-- Open a run again that has ended. ARGV: run, version, decision, steps to do again (JSON), deadline (ms from now),
-- fields of new limits (JSON).
local known = redis.call('HMGET', RUN, 'version', 'status', 'created', 'outcome', 'plan', 'workflow')
if known[1] ~= ARGV[2] or known[2] ~= 'finished' then
  return 0
end
for index = 1, 7 do
  redis.call('PERSIST', KEYS[index])
end
redis.call('PERSIST', AUDIT)
redis.call('PERSIST', RUN .. ':log')
redis.call('HDEL', RUN, 'outcome', 'reason', 'finished', 'withdrawn', 'paused')
redis.call('HSET', RUN, 'deadline', now + ARGV[5])
for name, value in pairs(cjson.decode(ARGV[6])) do
  redis.call('HSET', RUN, name, type(value) == 'number' and string.format('%.0f', value) or value)
end
redis.call('ZREM', EXPIRING, run)
need_plan(known[5], 1, 0)
add('reopened', known[6], 1)
redis.call('ZADD', ACTIVE, known[3], run)
redis.call('ZADD', TIMERS, now + ARGV[5], 'deadline:' .. run)
local again = cjson.decode(ARGV[4])
local decision = cjson.decode(ARGV[3])
ledger('run_reopened', 0, cjson.encode({ outcome = known[4], seqs = again }))
for _, seq in ipairs(again) do
  -- The attempt's number goes on, so that the fence still keeps out whoever held the step before.
  redis.call('HDEL', STEPS, seq .. ':failures', seq .. ':takeovers', seq .. ':error', seq .. ':trace', seq .. ':ended')
  redis.call('HDEL', RESULTS, seq)
  redis.call('SADD', OPEN, seq)
  redis.call('ZREM', DEAD, member(seq))
end
queue_wave(again, decision.window, {})
apply(decision, known[1])
return 1
