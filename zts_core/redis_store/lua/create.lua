-- Record a run with its first wave, once per idempotency key. ARGV: run, decision, fields, plan, key ttl, crews of
-- the plan.
-- KEYS after the common ones: the plan, the idempotency key (only where there is one).
local PLAN, KEY = KEYS[19], KEYS[20]
-- Of several runs that are recorded together only the first brings the plan along. It expires with whoever needs it.
if ARGV[4] ~= '' and redis.call('SET', PLAN, ARGV[4], 'NX', 'PX', ARGV[5]) then
  announce(cjson.decode(ARGV[6]))
end
if KEY then
  local first = redis.call('GET', KEY)
  if first and first ~= run and redis.call('EXISTS', PREFIX .. 'run:' .. first) == 1 then
    return { first, 1 }
  end
  redis.call('SET', KEY, run, 'PX', ARGV[5])
end
if redis.call('EXISTS', RUN) == 1 then
  -- The caller's own first try, whose answer was lost on the way.
  return { run, 0 }
end
local fields = cjson.decode(ARGV[3])
need_plan(fields.plan, 1, 0)
for name, value in pairs(fields) do
  redis.call('HSET', RUN, name, value)
end
redis.call('HSET', RUN, 'created', now, 'deadline', now + fields.deadline_ms, 'version', 0, 'status', 'running')
redis.call('HDEL', RUN, 'deadline_ms')
redis.call('ZADD', RUNS, now, run)
redis.call('ZADD', ACTIVE, now, run)
redis.call('ZADD', TIMERS, now + fields.deadline_ms, 'deadline:' .. run)
ledger('run_created', 0, cjson.encode({ workflow = fields.workflow, title = fields.title, plan = fields.plan }))
add('created', fields.workflow, 1)
apply(cjson.decode(ARGV[2]), 0)
return { run, 0 }
