-- Set aside what a model call may cost, before it is made.
-- ARGV: run, seq, attempt, call, micro-dollars, tokens, ttl after the deadline (ms), requests and tokens per minute,
-- crew.
-- The last two KEYS: the run's calls, the pace of the provider for all runs.
local CALLS, PACE = KEYS[#KEYS - 1], KEYS[#KEYS]
local seq, hold, crew = ARGV[2], 'hold:' .. ARGV[4], ARGV[10]
local usd, tokens = tonumber(ARGV[5]), tonumber(ARGV[6])

local step = redis.call('HMGET', STEPS, seq .. ':status', seq .. ':attempt')
if step[1] ~= 'running' or step[2] ~= ARGV[3] then
  return { 'fenced', 0, 0, '' }
end
if redis.call('HEXISTS', CALLS, hold) == 1 then
  -- The same reservation again, because its answer was lost on the way.
  return { 'reserved', 0, 0, '' }
end

-- The crew's budget first: its answer names the narrower limit. A crew's names end in ":<crew>", the run's do not.
local budgets = redis.call('HMGET', RUN, 'budget_usd', 'budget_tokens', 'crew_budgets')
local of_crew = budgets[3] and cjson.decode(budgets[3])[crew] or {}
for index, budget in ipairs({ { of_crew.usd, of_crew.tokens }, budgets }) do
  local whose = index == 1 and ':' .. crew or ''
  local used = redis.call('HMGET', CALLS, 'spent_usd' .. whose, 'held_usd' .. whose, 'spent_tokens' .. whose,
    'held_tokens' .. whose)
  local usd_used = tonumber(used[1] or 0) + tonumber(used[2] or 0)
  local tokens_used = tonumber(used[3] or 0) + tonumber(used[4] or 0)
  if budget[1] and usd_used + usd > tonumber(budget[1]) then
    return { 'over_usd', usd_used, tonumber(budget[1]), string.sub(whose, 2) }
  end
  if budget[2] and tokens_used + tokens > tonumber(budget[2]) then
    return { 'over_tokens', tokens_used, tonumber(budget[2]), string.sub(whose, 2) }
  end
end

-- What was asked in each of the last 61 seconds, so that in no minute more is asked than the provider allows: a
-- request late in one second and another early in the sixtieth after it are less than a minute apart.
local WINDOW = 61
local second = math.floor(now / 1000)
local seconds, asked = {}, { r = {}, t = {} }
local known = redis.call('HGETALL', PACE)
for index = 1, #known, 2 do
  local kind, at = string.match(known[index], '^(%a):(%d+)$')
  at = tonumber(at)
  if at <= second - WINDOW then
    redis.call('HDEL', PACE, known[index])
  else
    asked[kind][at] = tonumber(known[index + 1])
    seconds[#seconds + 1] = at
  end
end
table.sort(seconds)
local waits = 0
-- A call that is larger than a whole minute's allowance goes alone.
for kind, limit in pairs({ r = { tonumber(ARGV[8]), 1 }, t = { tonumber(ARGV[9]), tokens } }) do
  local allowed, cost = limit[1], math.min(limit[2], limit[1])
  local total = cost
  for _, amount in pairs(asked[kind]) do
    total = total + amount
  end
  for _, at in ipairs(seconds) do
    if allowed > 0 and total > allowed then
      total = total - (asked[kind][at] or 0)
      asked[kind][at] = 0
      waits = math.max(waits, (at + WINDOW) * 1000 - now)
    end
  end
end
if waits > 0 then
  return { 'wait', waits, 0, '' }
end
if tonumber(ARGV[8]) + tonumber(ARGV[9]) > 0 then
  redis.call('HINCRBY', PACE, 'r:' .. second, 1)
  redis.call('HINCRBY', PACE, 't:' .. second, tokens)
  redis.call('PEXPIRE', PACE, WINDOW * 1000)
end

redis.call('HSET', CALLS, hold, usd .. ' ' .. tokens .. ' ' .. crew)
for _, whose in ipairs({ ':' .. crew, '' }) do
  redis.call('HINCRBY', CALLS, 'held_usd' .. whose, usd)
  redis.call('HINCRBY', CALLS, 'held_tokens' .. whose, tokens)
end
redis.call('PEXPIREAT', CALLS, tonumber(redis.call('HGET', RUN, 'deadline')) + tonumber(ARGV[7]))
return { 'reserved', 0, 0, '' }
