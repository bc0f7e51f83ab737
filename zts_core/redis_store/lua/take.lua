-- Take a step for a new attempt, for the scripts whose caller can work on it. `by`: worker, lease (ms), largest state
-- worth sending (bytes), call, limits of crews that stand above their own ("builder=2 pricing=1", 0 for none), format,
-- ids of the keys at hand.
local function take(seq, by)
  local step = redis.call('HMGET', STEPS, seq, seq .. ':status', seq .. ':attempt', seq .. ':call', seq .. ':turn',
    seq .. ':failures', seq .. ':slot')
  local status = step[2]
  if not status then
    return { 'unknown' }
  end
  if status == 'done' or status == 'failed' or status == 'cancelled' then
    return { 'settled' }
  end
  -- The same call again: its answer was lost on the way, the attempt is the caller's.
  local again = status == 'running' and step[4] == by.call
  if status ~= 'queued' and not again then
    -- An expired lease is taken over by the reaper, which counts takeovers; a back-off or an approval is not due.
    return { 'held' }
  end
  local known = redis.call('HMGET', RUN, 'paused', 'withdrawn', 'version', 'plan', 'values', 'priority', 'bytes',
    'format', 'sealed')
  if tonumber(known[8] or '0') > tonumber(by.format) then
    -- A newer version wrote it; its message is sent again until a newer worker takes it.
    return { 'newer' }
  end
  if known[9] and not string.find(by.keys, known[9], 1, true) then
    -- Encrypted with a key that this worker lacks: as above.
    return { 'sealed', known[9] }
  end
  if known[1] and not again then
    -- It gives up its slot, or its wish for one, waits for no worker any more, and is found by a resume.
    release(seq)
    redis.call('ZREM', QUEUED, member(seq))
    return { 'paused' }
  end
  if known[2] and not again then
    close(seq, 'cancelled')
    deliver(seq, settled_json(tonumber(seq), 'cancelled', 'the run was stopped'))
    return { 'cancelled' }
  end
  local slot = step[7]
  -- The crew's name and its own limit stand before all that users write.
  local crew, own_limit = string.match(step[1], '"crew":"([^"]*)","join":%d+,"max_concurrent":(%d+)')
  if not crew and by.limits ~= '' then
    crew = crew_of(step[1])
  end
  if crew and not again then
    local name = string.gsub(string.lower(string.match(crew, '([^:.]*)$')), '_?crew$', '')
    local set = string.match(' ' .. by.limits, ' ' .. string.gsub(name, '%W', '%%%0') .. '=(%d+)')
    local limit = tonumber(set or own_limit or '0')
    if limit > 0 or slot then
      redis.call('HSET', LIMITS, name, limit)
    end
    if limit > 0 and not slot then
      if redis.call('ZCARD', slots_of(name)) >= limit or redis.call('EXISTS', waiting_of(name)) == 1 then
        redis.call('ZREM', QUEUED, member(seq))
        redis.call('ZADD', waiting_of(name), 'NX', rank(), member(seq))
        redis.call('HSET', STEPS, seq .. ':wants', name)
        return { 'full' }
      end
      redis.call('ZADD', slots_of(name), now, member(seq))
      redis.call('HSET', STEPS, seq .. ':slot', name)
      slot = name
    end
  end
  local attempt = tonumber(step[3] or 0)
  if not again then
    attempt = attempt + 1
    redis.call('HSET', STEPS, seq .. ':status', 'running', seq .. ':attempt', attempt, seq .. ':worker', by.worker,
      seq .. ':started', now, seq .. ':call', by.call)
    local sent = tonumber(redis.call('ZSCORE', QUEUED, member(seq)) or nil)
    redis.call('ZREM', QUEUED, member(seq))
    -- A level's queue is first in, first out: what was sent there before this step is not waiting in it any more.
    if sent then
      local level = math.floor(sent / LEVEL_SPAN)
      local sent_ms = sent - level * LEVEL_SPAN
      if sent_ms > tonumber(redis.call('HGET', OVERTAKEN, level) or '0') then
        redis.call('HSET', OVERTAKEN, level, sent_ms)
      end
    end
    ledger('attempt_started', seq, cjson.encode({ attempt = attempt, worker = by.worker }))
  end
  redis.call('ZADD', LEASES, now + by.lease, member(seq))
  local next = ''
  if step[5] == 'sent' then
    redis.call('HDEL', STEPS, seq .. ':turn')
    next = next_in_line()
  end
  -- A wide position is not even looked at: each of its steps would pay for all of them.
  local state = ''
  if not join_of(step[1]) and redis.call('HSTRLEN', RUN, 'state') <= tonumber(by.largest) then
    state = redis.call('HGET', RUN, 'state')
  end
  return { 'claimed', attempt, step[1], step[6] or '0', known[3], known[4], known[5], state, redis.call('HLEN', INBOX),
    known[6] or 'normal', next, slot or '', known[7] or '0' }
end

-- Who works on what is taken, as ARGV says it from `first` on.
local function caller(first)
  return {
    worker = ARGV[first],
    lease = ARGV[first + 1],
    largest = ARGV[first + 2],
    call = ARGV[first + 3],
    limits = ARGV[first + 4],
    format = ARGV[first + 5],
    keys = ARGV[first + 6],
  }
end
