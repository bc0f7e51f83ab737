-- Commit an attempt's effect once, with the decision that follows from it where one came along and still fits.
-- ARGV: run, seq, attempt, status, settlement, result, ledger kind, ledger detail, error, version, decision or '',
-- traceback, bytes of output and files.
local seq = ARGV[2]
local step = redis.call('HMGET', STEPS, seq .. ':status', seq .. ':attempt', seq, seq .. ':started')
if step[1] ~= 'running' or step[2] ~= ARGV[3] then
  -- The same commit again, because its answer was lost on the way, is no stranger's.
  if step[2] == ARGV[3] and redis.call('HGET', RESULTS, seq) == ARGV[6] then
    local join = join_of(step[3])
    local joins = join and redis.call('HEXISTS', STEPS, 'join:' .. join) == 0
    return { 'settled', redis.call('HGET', RUN, 'version'), redis.call('HLEN', INBOX), '', joins and 1 or 0 }
  end
  return { 'fenced' }
end
local joins = close_running(seq, ARGV[4], step[3])
redis.call('HSET', RESULTS, seq, ARGV[6])
redis.call('HINCRBY', RUN, 'bytes', ARGV[13])
if ARGV[9] ~= '' then
  redis.call('HSET', STEPS, seq .. ':error', ARGV[9])
end
if ARGV[4] == 'failed' then
  redis.call('HSET', STEPS, seq .. ':trace', ARGV[12])
  redis.call('ZADD', DEAD, now, member(seq))
end
ledger(ARGV[7], seq, ARGV[8])
count_attempt_of(step[3], step[4], ARGV[4])
local version = redis.call('HGET', RUN, 'version')
if ARGV[11] ~= '' and version == ARGV[10] then
  local decision = cjson.decode(ARGV[11])
  local place = looped(decision)
  if place then
    deliver(seq, ARGV[5])
    return { 'loop', version, redis.call('HLEN', INBOX), place, joins }
  end
  local undecided = apply(decision, version)
  return { 'decided', version + 1, undecided, '', joins }
end
deliver(seq, ARGV[5])
return { 'settled', version, redis.call('HLEN', INBOX), '', joins }
