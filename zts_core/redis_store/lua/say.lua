-- Write a crew's line to the ledger. ARGV: run, seq, attempt, line, detail.
local seq = ARGV[2]
local step = redis.call('HMGET', STEPS, seq .. ':status', seq .. ':attempt')
if step[1] == 'running' and step[2] == ARGV[3] then
  redis.call('HSET', STEPS, seq .. ':line', ARGV[4])
  ledger('said', seq, ARGV[5])
end
return 1
