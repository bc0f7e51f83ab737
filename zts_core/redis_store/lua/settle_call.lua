-- Book what a model call cost, once, write it to the ledger, and record its answer for whoever asks the same again.
-- ARGV: run, seq, call, micro-dollars, tokens, detail, answer or '', digest of the request, ttl of the answer (ms),
-- what stands with the note that this step was given it.
-- The last two KEYS: the run's calls, the answer. No fence: money that is spent is spent, whoever owns the step now.
local CALLS, ANSWER = KEYS[#KEYS - 1], KEYS[#KEYS]
local hold = 'hold:' .. ARGV[3]
local held = redis.call('HGET', CALLS, hold)
if not held or redis.call('EXISTS', RUN) == 0 then
  return 0
end
local usd, tokens, payer = string.match(held, '^(%d+) (%d+) (.*)$')
redis.call('HDEL', CALLS, hold)
local spent_usd, spent_tokens
for _, whose in ipairs({ ':' .. payer, '' }) do
  -- Lua would write the negative of 0 as -0, which Redis takes for no number.
  redis.call('HINCRBY', CALLS, 'held_usd' .. whose, 0 - tonumber(usd))
  redis.call('HINCRBY', CALLS, 'held_tokens' .. whose, 0 - tonumber(tokens))
  spent_usd = redis.call('HINCRBY', CALLS, 'spent_usd' .. whose, ARGV[4])
  spent_tokens = redis.call('HINCRBY', CALLS, 'spent_tokens' .. whose, ARGV[5])
  redis.call('HINCRBY', CALLS, 'calls' .. whose, 1)
end
ledger('model_call', ARGV[2], ARGV[6])
if ARGV[7] ~= '' then
  redis.call('SET', ANSWER, ARGV[7], 'PX', ARGV[9])
  redis.call('HSET', CALLS, 'answered:' .. ARGV[2] .. ':' .. ARGV[8], ARGV[10])
end

local crew = crew_of(redis.call('HGET', STEPS, ARGV[2]))
add('calls', crew, 1)
add('micro_usd', crew, tonumber(ARGV[4]))
add('tokens', crew, tonumber(ARGV[5]))

-- The share of a budget at which a person should hear of it.
local NEARLY = 0.8
local function crosses(spent, added, budget)
  local line = budget and NEARLY * tonumber(budget)
  return line and spent >= line and spent - added < line
end
local known = redis.call('HMGET', RUN, 'workflow', 'budget_usd', 'budget_tokens')
if crosses(spent_usd, tonumber(ARGV[4]), known[2]) or crosses(spent_tokens, tonumber(ARGV[5]), known[3]) then
  add('low_budget', known[1], 1)
end
return 1
