-- Shared by all scripts: the names of the keys, and the few transitions that several scripts make.
local RUN, STEPS, RESULTS, INBOX, OPEN, LEDGER, VISITS = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6], KEYS[7]
local RUNS, ACTIVE, EXPIRING, QUEUED, OVERTAKEN = KEYS[8], KEYS[9], KEYS[10], KEYS[11], KEYS[12]
local LEASES, TIMERS, UNDECIDED, COUNTS, OUTBOX, DEAD = KEYS[13], KEYS[14], KEYS[15], KEYS[16], KEYS[17], KEYS[18]
local run = ARGV[1]
-- Keys that are named by what a script reads only when it runs; one primary holds them all.
local PREFIX = RUN:sub(1, #RUN - #run - #'run:')
local PLANNED = PREFIX .. 'planned'
local LINE = RUN .. ':line'
local LIMITS = PREFIX .. 'limits'
local AUDIT = RUN .. ':audit'

local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)

-- One more link of an audited run's chain; `zts_core/audit.py` says what it is, and why SHA-1 will do here.
local function chain(id, kind, seq, detail)
  local before = redis.call('LINDEX', AUDIT, -1) or ''
  redis.call('RPUSH', AUDIT, redis.sha1hex(table.concat({ before, id, kind, seq, detail }, '\n')))
end

local has_news, audited = false, false
local function ledger(kind, seq, detail)
  local id = redis.call('XADD', LEDGER, '*', 'kind', kind, 'seq', seq, 'detail', detail)
  if not has_news then
    redis.call('ZADD', OUTBOX, 'NX', now, run)
    audited = redis.call('HEXISTS', RUN, 'audit') == 1
    has_news = true
  end
  if audited then
    chain(id, kind, seq, detail)
  end
end

-- The names of workflows and crews come from users: past this many counters, new names share one.
local MOST_COUNTS = 10000
-- Upper bounds (ms) of the durations that are told apart; `redis_store/counts.py` has the same.
local BOUNDS = { 100, 500, 1000, 5000, 10000, 30000, 60000, 300000, 600000, 1800000, 3600000, 21600000 }

-- Add to a counter in the same step as the ledger's line, and return the name it stands under.
local function add(kind, name, amount)
  local counter = kind .. ' ' .. name
  if redis.call('HINCRBY', COUNTS, counter, amount) == amount and redis.call('HLEN', COUNTS) > MOST_COUNTS then
    redis.call('HDEL', COUNTS, counter)
    redis.call('HINCRBY', COUNTS, kind .. ' other', amount)
    return 'other'
  end
  return name
end

-- Counters that are born at 1 hide their first event from whoever looks at differences.
local function announce(crews)
  for _, crew in ipairs(crews) do
    if redis.call('HLEN', COUNTS) < MOST_COUNTS then
      redis.call('HSETNX', COUNTS, 'crew_ms ' .. crew, 0)
    end
  end
end

local function count_end(kind, name, status, since)
  local took = math.max(now - since, 1)
  local bound = 'inf'
  for _, upper in ipairs(BOUNDS) do
    if took <= upper then
      bound = upper
      break
    end
  end
  name = add(kind .. '_ms', name, took)
  redis.call('HINCRBY', COUNTS, kind .. ' ' .. name .. ' ' .. status .. ' ' .. bound, 1)
end

-- State and path, which come before it, hold no quotes.
local function crew_of(step)
  return string.match(step or '', '"crew":"(.-)"') or 'unknown'
end

-- An attempt ends once: done, failed, cancelled, retried, lost (its worker died) or dead (too many of them did).
local function count_attempt_of(step, started, status)
  local crew = crew_of(step)
  count_end('crew', crew, status, tonumber(started))
  return crew
end

local function count_attempt(seq, status)
  local step = redis.call('HMGET', STEPS, seq, seq .. ':started')
  return count_attempt_of(step[1], step[2], status)
end

local function member(seq)
  return run .. ':' .. seq
end

local function slots_of(crew)
  return PREFIX .. 'slots:' .. crew
end

local function waiting_of(crew)
  return PREFIX .. 'full:' .. crew
end

-- The slot of a crew with a limit is the lease: it goes where the lease goes, and so does the wish for one.
local function release(seq)
  local of = redis.call('HMGET', STEPS, seq .. ':slot', seq .. ':wants')
  if of[1] then
    redis.call('ZREM', slots_of(of[1]), member(seq))
    redis.call('HDEL', STEPS, seq .. ':slot')
  end
  if of[2] then
    redis.call('ZREM', waiting_of(of[2]), member(seq))
    redis.call('HDEL', STEPS, seq .. ':wants')
  end
end

-- The join that a step's end only counts down. What comes before it in the step holds no quotes.
local function join_of(step)
  local join = string.match(step or '', '"join":(%d+)')
  return join ~= '0' and join or nil
end

-- One step less that counts down its join. Lost counts do no harm: who finds none left decides once too often.
local function count_down(step)
  local join = join_of(step)
  if not join then
    return 0
  end
  if redis.call('HINCRBY', STEPS, 'join:' .. join, -1) > 0 then
    return 0
  end
  redis.call('HDEL', STEPS, 'join:' .. join)
  return 1
end

-- A step at work stands in no other index than those of open steps and of leases.
local function close_running(seq, status, step)
  redis.call('HSET', STEPS, seq .. ':status', status, seq .. ':ended', now)
  release(seq)
  redis.call('SREM', OPEN, seq)
  redis.call('ZREM', LEASES, member(seq))
  return count_down(step)
end

-- A step that nobody can work on any more leaves every index that could bring it back.
local function close(seq, status)
  redis.call('ZREM', QUEUED, member(seq))
  redis.call('ZREM', TIMERS, 'retry:' .. member(seq), 'approval:' .. member(seq))
  return close_running(seq, status, redis.call('HGET', STEPS, seq))
end

-- What the heart has to decide on; the oldest undecided settlement counts.
local function deliver(seq, settled)
  redis.call('HSET', INBOX, seq, settled)
  redis.call('ZADD', UNDECIDED, 'NX', now, run)
end

-- Scores of one priority level in the queued index; `keys.py` has the same.
local LEVEL_SPAN = 1e13
local LEVELS = { high = 0, normal = 1, low = 2 }
local own_level

-- Where a step that queues from now on stands among the steps of all runs.
local function rank()
  own_level = own_level or LEVELS[redis.call('HGET', RUN, 'priority') or 'normal']
  return own_level * LEVEL_SPAN + now
end

local function note_sent(seq)
  redis.call('ZADD', QUEUED, rank(), member(seq))
end

local function queue(seq)
  redis.call('HSET', STEPS, seq .. ':status', 'queued', seq .. ':queued', now)
  redis.call('HDEL', STEPS, seq .. ':due')
  note_sent(seq)
end

-- Queue the steps of a wave. Of a wide one, `window` at once; each of them, when it is claimed, lets the next one in,
-- so that a run never has more of it in the broker and others get their turn between. 0 is no window. Whoever decided
-- may have kept the first step for itself: that one is queued for nobody else.
local function queue_wave(seqs, window, push, kept)
  local before = 0
  if kept then
    redis.call('HSET', STEPS, seqs[1] .. ':status', 'queued', seqs[1] .. ':queued', now)
    before = 1
  end
  local wide = window > 0 and #seqs - before > window
  for index = 1, #seqs - before do
    local seq, message = seqs[index + before], push[index]
    if not wide or index <= window then
      queue(seq)
      if wide then
        redis.call('HSET', STEPS, seq .. ':turn', 'sent')
      end
      -- Where this Redis is the broker too: recorded and sent is one step, and nothing can die in between.
      if message then
        redis.call('LPUSH', message[1], message[2])
      end
    else
      redis.call('HSET', STEPS, seq .. ':status', 'queued', seq .. ':queued', now, seq .. ':turn', 'waits')
      redis.call('RPUSH', LINE, message and seq .. ' ' .. message[1] .. ' ' .. message[2] or seq)
    end
  end
end

-- The next step of a wide wave that still waits to be sent, out of its line, with its message.
local function out_of_line()
  while true do
    local entry = redis.call('LPOP', LINE)
    if not entry then
      return nil
    end
    local seq, message = entry:match('^(%d+) ?(.*)$')
    if redis.call('HGET', STEPS, seq .. ':status') == 'queued' then
      return seq, message
    end
  end
end

-- Let the next step of a wide wave into the broker; the step's number where the caller has to send it, or ''.
local function next_in_line()
  local seq, message = out_of_line()
  if not seq then
    return ''
  end
  redis.call('HSET', STEPS, seq .. ':turn', 'sent')
  note_sent(seq)
  if message == '' then
    return seq
  end
  redis.call('LPUSH', message:match('^(%S+) (.*)$'))
  return ''
end

local function settled_json(seq, status, reason)
  return cjson.encode({ seq, status, '', '', {}, reason })
end

local function record_starts(decision)
  local states, seqs, joins = {}, {}, {}
  for _, start in ipairs(decision.starts) do
    local seq, join = start[1], start[4]
    if join > 0 then
      joins[join] = (joins[join] or 0) + 1
    end
    redis.call('HSET', STEPS, seq, start[3])
    redis.call('SADD', OPEN, seq)
    states[#states + 1] = start[2]
    seqs[#seqs + 1] = seq
  end
  queue_wave(seqs, decision.window, decision.push, decision.keeps)
  for join, steps in pairs(joins) do
    redis.call('HINCRBY', STEPS, 'join:' .. join, steps)
  end
  if #seqs > 0 then
    ledger('wave', 0, cjson.encode({ states = states, seqs = seqs }))
  end
end

local function record_reused(decision)
  for _, reused in ipairs(decision.reused) do
    local seq = reused[1]
    redis.call('HSET', STEPS, seq, reused[2], seq .. ':status', 'done', seq .. ':queued', now, seq .. ':ended', now)
    redis.call('HSET', RESULTS, seq, reused[3])
    ledger('step_reused', seq, reused[4])
  end
end

local function record_approvals(decision)
  for _, asked in ipairs(decision.approvals) do
    local seq, timeout = asked[1], asked[4]
    redis.call('HSET', STEPS, seq, asked[3], seq .. ':status', 'waiting', seq .. ':queued', now)
    redis.call('SADD', OPEN, seq)
    if timeout > 0 then
      redis.call('HSET', STEPS, seq .. ':due', now + timeout)
      redis.call('ZADD', TIMERS, now + timeout, 'approval:' .. member(seq))
    end
    ledger('approval_asked', seq, asked[5])
  end
end

-- One more unfinished run, or one less, needs a plan: it expires when none does.
local function need_plan(digest, change, ttl)
  local plan = PREFIX .. 'plan:' .. digest
  if redis.call('HINCRBY', PLANNED, digest, change) > 0 then
    redis.call('PERSIST', plan)
    return
  end
  redis.call('HDEL', PLANNED, digest)
  redis.call('PEXPIRE', plan, ttl)
end

local function finish(decision)
  local ttl = decision.finish[3]
  need_plan(redis.call('HGET', RUN, 'plan'), -1, ttl)
  redis.call('HSET', RUN, 'outcome', decision.finish[1], 'reason', decision.finish[2], 'finished', now)
  local known = redis.call('HMGET', RUN, 'workflow', 'created', 'trace')
  count_end('run', known[1], decision.finish[1], tonumber(known[2]))
  if known[3] then
    redis.call('ZADD', PREFIX .. 'traces', now, run)
  end
  redis.call('ZREM', ACTIVE, run)
  redis.call('ZREM', UNDECIDED, run)
  redis.call('ZREM', TIMERS, 'deadline:' .. run)
  redis.call('ZADD', EXPIRING, now + ttl, run)
  redis.call('DEL', INBOX, LINE)
  for index = 1, 7 do
    redis.call('PEXPIRE', KEYS[index], ttl)
  end
  redis.call('PEXPIRE', AUDIT, ttl)
  redis.call('PEXPIRE', RUN .. ':log', ttl)
end

-- The place that a loop has come by for the third time with the same data, if the decision goes there.
local function looped(decision)
  local found = nil
  for _, visit in ipairs(decision.visits) do
    if redis.call('HINCRBY', VISITS, visit, 1) >= decision.same_visits then
      found = found or visit
    end
  end
  return found
end

-- Move the run on from `version`.
local function apply(decision, version)
  for _, seq in ipairs(decision.consumed) do
    redis.call('HDEL', INBOX, seq)
  end
  for _, event in ipairs(decision.events) do
    ledger(event[1], event[2], event[3])
  end
  for _, seq in ipairs(decision.closed) do
    close(seq, 'cancelled')
  end
  record_reused(decision)
  record_starts(decision)
  record_approvals(decision)
  redis.call('HSET', RUN, 'state', decision.state, 'status', decision.status, 'started', decision.started,
    'version', version + 1)
  if redis.call('HLEN', INBOX) > 0 then
    redis.call('ZADD', UNDECIDED, now, run)
  else
    redis.call('ZREM', UNDECIDED, run)
  end
  if decision.finish then
    finish(decision)
  end
end
