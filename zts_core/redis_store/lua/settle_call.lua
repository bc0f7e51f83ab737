-- Book what a model call cost, once, and write it to the ledger. ARGV: run, seq, call, micro-dollars, tokens, detail.
-- The last KEY: the run's calls. No fence: money that is spent is spent, whoever owns the step now.
local CALLS = KEYS[#KEYS]
local hold = 'hold:' .. ARGV[3]
local held = redis.call('HGET', CALLS, hold)
if not held or redis.call('EXISTS', RUN) == 0 then
  return 0
end
local usd, tokens = string.match(held, '^(%d+) (%d+)$')
redis.call('HDEL', CALLS, hold)
redis.call('HINCRBY', CALLS, 'held_usd', -tonumber(usd))
redis.call('HINCRBY', CALLS, 'held_tokens', -tonumber(tokens))
redis.call('HINCRBY', CALLS, 'spent_usd', ARGV[4])
redis.call('HINCRBY', CALLS, 'spent_tokens', ARGV[5])
redis.call('HINCRBY', CALLS, 'calls', 1)
ledger('model_call', ARGV[2], ARGV[6])
return 1
