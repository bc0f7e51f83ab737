-- Drop a run that has ended, with all that is kept of it alone. ARGV: run.
if redis.call('HGET', RUN, 'status') ~= 'finished' then
  return 0
end
local key = redis.call('HGET', RUN, 'key')
if key and key ~= '' and redis.call('GET', PREFIX .. 'key:' .. key) == run then
  redis.call('DEL', PREFIX .. 'key:' .. key)
end
for _, name in ipairs(redis.call('HKEYS', STEPS)) do
  if string.match(name, '^%d+$') then
    redis.call('ZREM', DEAD, member(name))
  end
end
redis.call('ZREM', RUNS, run)
redis.call('ZREM', EXPIRING, run)
redis.call('ZREM', OUTBOX, run)
for index = 1, 7 do
  redis.call('DEL', KEYS[index])
end
redis.call('ZREM', PREFIX .. 'traces', run)
redis.call('DEL', LINE, AUDIT, RUN .. ':calls', RUN .. ':log')
return 1
