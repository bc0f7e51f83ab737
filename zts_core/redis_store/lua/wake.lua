-- Give free slots of limited crews to the steps that wait for one, the longest waiting first. ARGV: '' (of no run),
-- '1' to look for slots that nobody holds any more. Answers "<run>:<seq>" of steps that have to be sent.
local woken = {}
local limits = redis.call('HGETALL', LIMITS)

local function steps_of(place)
  local of_run, seq = string.match(place, '^(.*):(%d+)$')
  return PREFIX .. 'run:' .. of_run .. ':steps', seq
end

-- A slot is a lease, or a message on its way; without either it was left behind by keys that somebody deleted.
local function prune(crew)
  for _, place in ipairs(redis.call('ZRANGE', slots_of(crew), 0, -1)) do
    if not (redis.call('ZSCORE', LEASES, place) or redis.call('ZSCORE', QUEUED, place)) then
      redis.call('ZREM', slots_of(crew), place)
    end
  end
end

local function wake(crew, limit)
  while limit == 0 or redis.call('ZCARD', slots_of(crew)) < limit do
    local place = redis.call('ZPOPMIN', waiting_of(crew))[1]
    if not place then
      if limit == 0 then
        redis.call('HDEL', LIMITS, crew)
      end
      return
    end
    local steps, seq = steps_of(place)
    if redis.call('HGET', steps, seq .. ':status') == 'queued' then
      redis.call('HDEL', steps, seq .. ':wants')
      redis.call('HSET', steps, seq .. ':slot', crew)
      redis.call('ZADD', slots_of(crew), now, place)
      -- It has waited its turn: sent ahead of all others, so that its slot is not idle for long.
      redis.call('ZADD', QUEUED, now, place)
      woken[#woken + 1] = place
    end
  end
end

for index = 1, #limits, 2 do
  if ARGV[2] == '1' then
    prune(limits[index])
  end
  wake(limits[index], tonumber(limits[index + 1]))
end
return woken
