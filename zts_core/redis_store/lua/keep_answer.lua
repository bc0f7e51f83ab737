-- Keep a checked answer, so that another attempt of its step need not pay again. ARGV: run, name, answer.
-- The last KEY: the run's calls, which exist since the answer's call was reserved.
local CALLS = KEYS[#KEYS]
if redis.call('EXISTS', CALLS) == 0 then
  return 0
end
redis.call('HSET', CALLS, 'answer:' .. ARGV[2], ARGV[3])
return 1
