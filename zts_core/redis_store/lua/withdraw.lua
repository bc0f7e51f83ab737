-- Stop a run: settle every step that no living lease holds as cancelled. ARGV: run, outcome, reason, ledger detail.
local status = redis.call('HGET', RUN, 'status')
if not status or status == 'finished' then
  return -1
end
if redis.call('HSETNX', RUN, 'withdrawn', cjson.encode({ ARGV[2], ARGV[3] })) == 1 then
  ledger('stopping', 0, ARGV[4])
end
redis.call('HDEL', RUN, 'paused')
-- Whoever decides on an earlier position must read again and see that the run is being stopped.
redis.call('HINCRBY', RUN, 'version', 1)
redis.call('DEL', LINE)
local running = 0
for _, seq in ipairs(redis.call('SMEMBERS', OPEN)) do
  local lease = redis.call('ZSCORE', LEASES, member(seq))
  local at_work = redis.call('HGET', STEPS, seq .. ':status') == 'running'
  if at_work and lease and tonumber(lease) > now then
    running = running + 1
  else
    if at_work then
      count_attempt(seq, 'cancelled')
    end
    close(seq, 'cancelled')
    deliver(seq, settled_json(tonumber(seq), 'cancelled', ARGV[3]))
  end
end
return running
