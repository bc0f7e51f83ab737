-- Which runs have series of their own, for the one worker that shows them; nothing for the others. ARGV: '', who asks,
-- how long it is the one (ms), most runs, how long a run that has ended is shown (ms), and how long at least (ms).
local SHOWN, BY = PREFIX .. 'shown', PREFIX .. 'shown:by'
local most, longest, least = tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6])
local by = redis.call('GET', BY)
if by and by ~= ARGV[2] then
  return {}
end
redis.call('SET', BY, ARGV[2], 'PX', ARGV[3])

-- Since when it has ended; 0 while it goes on, nothing where it is gone.
local function ended(id)
  local known = redis.call('HMGET', PREFIX .. 'run:' .. id, 'status', 'finished')
  return known[1] and tonumber(known[2] or '0')
end

-- Whoever has a place keeps it, so that new names come one by one: a series costs most when it is new.
local free, yielding = most, {}
for _, id in ipairs(redis.call('ZRANGE', SHOWN, 0, -1)) do
  local at = ended(id)
  if not at or (at > 0 and now - at > longest) then
    redis.call('ZREM', SHOWN, id)
  else
    free = free - 1
    if at > 0 and now - at > least then
      yielding[#yielding + 1] = id
    end
  end
end

local function has_room()
  if free <= 0 and #yielding > 0 then
    redis.call('ZREM', SHOWN, table.remove(yielding, 1))
    free = free + 1
  end
  return free > 0
end

for _, id in ipairs(redis.call('ZREVRANGE', ACTIVE, 0, most - 1)) do
  if not redis.call('ZSCORE', SHOWN, id) and has_room() then
    redis.call('ZADD', SHOWN, now, id)
    free = free - 1
  end
end
-- The places that are left are for runs that came and went between two looks.
for _, id in ipairs(free > 0 and redis.call('ZREVRANGE', EXPIRING, 0, most - 1) or {}) do
  local at = ended(id)
  if free > 0 and at and at > 0 and now - at <= longest and redis.call('ZADD', SHOWN, 'NX', now, id) == 1 then
    free = free - 1
  end
end
redis.call('ZREMRANGEBYRANK', SHOWN, 0, -most - 1)
redis.call('PEXPIRE', SHOWN, 2 * longest)
local ids, started = redis.call('ZREVRANGE', SHOWN, 0, -1), {}
for _, id in ipairs(ids) do
  started[#started + 1] = redis.call('HGET', PREFIX .. 'run:' .. id, 'started') or 0
end
return { now, ids, started }
