-- Keep lines that crews of a run logged. KEYS: the run, its log. ARGV: most lines, how long they are kept (ms), lines.
-- A run that was deleted meanwhile gets none back, and those of one that has ended go when it goes.
local left = redis.call('PTTL', KEYS[1])
if left == -2 then
  return 0
end
for index = 3, #ARGV do
  redis.call('XADD', KEYS[2], 'MAXLEN', '~', ARGV[1], '*', 'line', ARGV[index])
end
redis.call('PEXPIRE', KEYS[2], left > 0 and left or ARGV[2])
return #ARGV - 2
