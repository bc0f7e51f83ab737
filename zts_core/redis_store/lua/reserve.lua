-- Set aside what a model call may cost, before it is made.
-- ARGV: run, seq, attempt, call, micro-dollars, tokens, ttl after the deadline (ms), requests and tokens per minute.
-- The last three KEYS: the run's calls, the pace of requests, the pace of tokens of all runs.
local CALLS, REQUESTS, TOKENS = KEYS[#KEYS - 2], KEYS[#KEYS - 1], KEYS[#KEYS]
local seq, hold = ARGV[2], 'hold:' .. ARGV[4]
local usd, tokens = tonumber(ARGV[5]), tonumber(ARGV[6])

local step = redis.call('HMGET', STEPS, seq .. ':status', seq .. ':attempt')
if step[1] ~= 'running' or step[2] ~= ARGV[3] then
  return { 'fenced', 0, 0 }
end
if redis.call('HEXISTS', CALLS, hold) == 1 then
  -- The same reservation again, because its answer was lost on the way.
  return { 'reserved', 0, 0 }
end

local budget = redis.call('HMGET', RUN, 'budget_usd', 'budget_tokens')
local used = redis.call('HMGET', CALLS, 'spent_usd', 'held_usd', 'spent_tokens', 'held_tokens')
local usd_used = tonumber(used[1] or 0) + tonumber(used[2] or 0)
local tokens_used = tonumber(used[3] or 0) + tonumber(used[4] or 0)
if budget[1] and usd_used + usd > tonumber(budget[1]) then
  return { 'over_usd', usd_used, tonumber(budget[1]) }
end
if budget[2] and tokens_used + tokens > tonumber(budget[2]) then
  return { 'over_tokens', tokens_used, tonumber(budget[2]) }
end

-- Generic cell rate algorithm (ITU-T I.371): one time per limit, up to a minute's allowance at once.
local MINUTE = 60000
local function pace(key, per_minute, cost)
  local earliest = math.max(tonumber(redis.call('GET', key) or 0), now)
  local wait = earliest + math.min(MINUTE / per_minute * cost, MINUTE) - MINUTE - now
  return math.max(math.ceil(wait), 0), math.ceil(earliest + MINUTE / per_minute * cost)
end
local waits, paces = 0, {}
for _, limit in ipairs({ { REQUESTS, tonumber(ARGV[8]), 1 }, { TOKENS, tonumber(ARGV[9]), tokens } }) do
  if limit[2] > 0 then
    local wait, next_at = pace(limit[1], limit[2], limit[3])
    waits = math.max(waits, wait)
    paces[#paces + 1] = { limit[1], next_at }
  end
end
if waits > 0 then
  return { 'wait', waits, 0 }
end
for _, taken in ipairs(paces) do
  redis.call('SET', taken[1], taken[2], 'PX', math.max(taken[2] - now, 1))
end

redis.call('HSET', CALLS, hold, usd .. ' ' .. tokens)
redis.call('HINCRBY', CALLS, 'held_usd', usd)
redis.call('HINCRBY', CALLS, 'held_tokens', tokens)
redis.call('PEXPIREAT', CALLS, tonumber(redis.call('HGET', RUN, 'deadline')) + tonumber(ARGV[7]))
return { 'reserved', 0, 0 }
