-- Drop a run that has ended, with all that is kept of it alone. ARGV: run, '1' for one that goes on too, how long its
-- plan is kept then (ms).
local KNOWN_AS_DELETED = 120000
local known = redis.call('HMGET', RUN, 'status', 'plan', 'workflow', 'created')
if not known[1] or (known[1] ~= 'finished' and ARGV[2] ~= '1') then
  return 0
end
if known[1] ~= 'finished' then
  for _, seq in ipairs(redis.call('SMEMBERS', OPEN)) do
    close(seq, 'cancelled')
  end
  need_plan(known[2], -1, ARGV[3])
  count_end('run', known[3], 'cancelled', tonumber(known[4]))
  redis.call('ZREM', ACTIVE, run)
  redis.call('ZREM', UNDECIDED, run)
  redis.call('ZREM', TIMERS, 'deadline:' .. run)
end
local key = redis.call('HGET', RUN, 'key')
if key and key ~= '' and redis.call('GET', PREFIX .. 'key:' .. key) == run then
  redis.call('DEL', PREFIX .. 'key:' .. key)
end
for _, name in ipairs(redis.call('HKEYS', STEPS)) do
  if string.match(name, '^%d+$') then
    redis.call('ZREM', DEAD, member(name))
  end
end
redis.call('ZREM', RUNS, run)
redis.call('ZADD', PREFIX .. 'deleted', now, redis.sha1hex(run))
redis.call('ZREMRANGEBYSCORE', PREFIX .. 'deleted', '-inf', now - KNOWN_AS_DELETED)
redis.call('PEXPIRE', PREFIX .. 'deleted', KNOWN_AS_DELETED)
redis.call('ZREM', EXPIRING, run)
redis.call('ZREM', OUTBOX, run)
for index = 1, 7 do
  redis.call('DEL', KEYS[index])
end
redis.call('ZREM', PREFIX .. 'traces', run)
redis.call('DEL', LINE, AUDIT, RUN .. ':calls', RUN .. ':log')
return 1
