-- Commit an attempt's effect once, with the decision that follows from it where one came along and still fits.
-- ARGV: run, seq, attempt, status, settlement, result, ledger kind, ledger detail, error, version, decision or '',
-- traceback, bytes of output and files; then, where the caller would work on the run's next step itself, what
-- `take.lua` wants to know of it.
local seq = ARGV[2]
local by = ARGV[14] and caller(14)

-- The answer, with the step that the caller may go on with.
local function answer(verdict, version, place, joins, next)
  return { verdict, version, redis.call('HLEN', INBOX), place, joins, next or 0, next and take(next, by) or '' }
end

-- The step that this very call has taken before, where its answer was lost on the way.
local function taken_before()
  for _, open in ipairs(by and redis.call('SMEMBERS', OPEN) or {}) do
    if redis.call('HGET', STEPS, open .. ':call') == by.call then
      return open
    end
  end
end

local step = redis.call('HMGET', STEPS, seq .. ':status', seq .. ':attempt', seq, seq .. ':started')
if step[1] ~= 'running' or step[2] ~= ARGV[3] then
  -- The same commit again, because its answer was lost on the way, is no stranger's.
  if step[2] == ARGV[3] and redis.call('HGET', RESULTS, seq) == ARGV[6] then
    local join = join_of(step[3])
    local joins = join and redis.call('HEXISTS', STEPS, 'join:' .. join) == 0
    return answer('settled', redis.call('HGET', RUN, 'version'), '', joins and 1 or 0, taken_before())
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
    return answer('loop', version, place, joins)
  end
  apply(decision, version)
  if by then
    -- Where the run stands now, the caller has just said itself.
    by.largest = -1
  end
  return answer('decided', version + 1, '', joins, decision.keeps and decision.starts[1][1])
end
deliver(seq, ARGV[5])
-- Of a wide wave, whose join this only counts down, the next one waits to be sent.
local next = by and joins == 0 and join_of(step[3]) and out_of_line()
if next then
  redis.call('HDEL', STEPS, next .. ':turn')
end
return answer('settled', version, '', joins, next)
