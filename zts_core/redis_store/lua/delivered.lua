-- Acknowledge ledger lines that are in the graph. KEYS: the outbox, then hash and ledger of each run.
-- ARGV: run, last line and memory of each. Runs that have expired meanwhile leave the outbox and get no new keys.
local OUTBOX = KEYS[1]

local function parts(line)
  local ms, number = string.match(line, '^(%d+)-(%d+)$')
  return tonumber(ms) or 0, tonumber(number) or 0
end

local function goes_back(line, fed)
  local ms, number = parts(line)
  local fed_ms, fed_number = parts(fed)
  return ms < fed_ms or (ms == fed_ms and number < fed_number)
end

for index = 0, #ARGV / 3 - 1 do
  local RUN, LEDGER = KEYS[2 + 2 * index], KEYS[3 + 2 * index]
  local run, line, memory = ARGV[1 + 3 * index], ARGV[2 + 3 * index], ARGV[3 + 3 * index]
  if redis.call('EXISTS', RUN) == 0 then
    redis.call('ZREM', OUTBOX, run)
  elseif not goes_back(line, redis.call('HGET', RUN, 'fed') or '0-0') then
    redis.call('HSET', RUN, 'fed', line, 'feed', memory)
    redis.call('HDEL', RUN, 'feed_tries')
    local newer = redis.call('XRANGE', LEDGER, '(' .. line, '+', 'COUNT', 1)
    if newer[1] then
      redis.call('ZADD', OUTBOX, parts(newer[1][1]), run)
    else
      redis.call('ZREM', OUTBOX, run)
    end
  end
end
return 1
