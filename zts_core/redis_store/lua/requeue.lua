-- Queue a step again. ARGV: run, seq, why ('expired', 'retry' or 'unclaimed'), takeovers allowed, how
-- long before its end (ms) a lease counts as expired.
local seq = ARGV[2]
local why = ARGV[3]
local step = redis.call('HMGET', STEPS, seq .. ':status', seq .. ':due', seq .. ':attempt', seq .. ':worker')
local status = step[1]
if not status then
  redis.call('ZREM', QUEUED, member(seq))
  redis.call('ZREM', LEASES, member(seq))
  redis.call('ZREM', TIMERS, 'retry:' .. member(seq))
  return 'nothing'
end
if why == 'unclaimed' then
  local waits = redis.call('HMGET', STEPS, seq .. ':turn', seq .. ':wants')
  if status ~= 'queued' or waits[1] == 'waits' or waits[2] then
    return 'nothing'
  end
  if redis.call('HEXISTS', RUN, 'paused') == 1 then
    redis.call('ZREM', QUEUED, member(seq))
    return 'nothing'
  end
  note_sent(seq)
  redis.call('HSET', STEPS, seq .. ':queued', now)
  ledger('sent_again', seq, '{}')
  return 'queued'
end
if why == 'retry' then
  if status ~= 'retrying' or tonumber(step[2]) > now then
    return 'nothing'
  end
  redis.call('ZREM', TIMERS, 'retry:' .. member(seq))
  queue(seq)
  return 'queued'
end
local lease = tonumber(redis.call('ZSCORE', LEASES, member(seq)) or '0')
local handed_back = why == 'handed_back'
if status ~= 'running' or (handed_back and step[3] ~= ARGV[4]) or (not handed_back and lease > now + ARGV[5]) then
  return 'nothing'
end
redis.call('ZREM', LEASES, member(seq))
release(seq)
ledger('lease_expired', seq, cjson.encode({
  attempt = tonumber(step[3]), worker = step[4] or '', gone = lease > now, handed_back = handed_back or nil
}))
if redis.call('HEXISTS', RUN, 'withdrawn') == 1 then
  add('takeover', count_attempt(seq, 'cancelled'), 1)
  close(seq, 'cancelled')
  deliver(seq, settled_json(tonumber(seq), 'cancelled', 'the run was stopped and its worker is gone'))
  return 'dead'
end
if handed_back then
  -- Its worker was told to stop: no fault of the step, however often it happens.
  count_attempt(seq, 'lost')
  queue(seq)
  return 'queued'
end
if redis.call('HINCRBY', STEPS, seq .. ':takeovers', 1) > tonumber(ARGV[4]) then
  local reason = 'its worker died ' .. redis.call('HGET', STEPS, seq .. ':takeovers') .. ' times during this step, or froze'
  add('takeover', count_attempt(seq, 'dead'), 1)
  close(seq, 'failed')
  redis.call('HSET', STEPS, seq .. ':error', reason)
  redis.call('ZADD', DEAD, now, member(seq))
  deliver(seq, settled_json(tonumber(seq), 'failed', reason))
  ledger('step_failed', seq, cjson.encode({ attempt = tonumber(step[3]), error = reason }))
  return 'dead'
end
add('takeover', count_attempt(seq, 'lost'), 1)
queue(seq)
return 'queued'
