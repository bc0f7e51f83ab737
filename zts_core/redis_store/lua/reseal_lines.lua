-- Put values in the place of others in lines of a stream, with the chain over them made anew where there is one.
-- KEYS: the stream, the chain. ARGV: the field, then for each line its id, the value that stands there, the value
-- instead. Returns how many were put; -1 where the chain does not fit the lines and nothing was touched.
local instead = {}
for index = 2, #ARGV, 3 do
  instead[ARGV[index]] = { ARGV[index + 1], ARGV[index + 2] }
end
local rows = redis.call('XRANGE', KEYS[1], '-', '+')
if #rows == 0 then
  return 0
end

-- As `chain` of the prelude; only a ledger has one.
local function linked(before, id, line)
  local of = {}
  for index = 1, #line, 2 do
    of[line[index]] = line[index + 1]
  end
  return redis.sha1hex(table.concat({ before, id, of.kind or '', of.seq or '', of.detail or '' }, '\n'))
end

local chained = redis.call('EXISTS', KEYS[2]) == 1
if chained then
  local link = ''
  for _, row in ipairs(rows) do
    link = linked(link, row[1], row[2])
  end
  if redis.call('LLEN', KEYS[2]) ~= #rows or redis.call('LINDEX', KEYS[2], -1) ~= link then
    return -1
  end
end

local about = {}
local told = redis.call('XINFO', 'STREAM', KEYS[1])
for index = 1, #told, 2 do
  about[told[index]] = told[index + 1]
end
local ttl, chain_ttl = redis.call('PTTL', KEYS[1]), redis.call('PTTL', KEYS[2])
redis.call('DEL', KEYS[1], KEYS[2])
local put, link = 0, ''
for _, row in ipairs(rows) do
  local id, line = row[1], row[2]
  for index = 1, #line, 2 do
    if line[index] == ARGV[1] and instead[id] and instead[id][1] == line[index + 1] then
      line[index + 1] = instead[id][2]
      put = put + 1
    end
  end
  redis.call('XADD', KEYS[1], id, unpack(line))
  if chained then
    link = linked(link, id, line)
    redis.call('RPUSH', KEYS[2], link)
  end
end
redis.call('XSETID', KEYS[1], about['last-generated-id'], 'ENTRIESADDED', about['entries-added'], 'MAXDELETEDID',
  about['max-deleted-entry-id'])
if ttl > 0 then
  redis.call('PEXPIRE', KEYS[1], ttl)
end
if chain_ttl > 0 then
  redis.call('PEXPIRE', KEYS[2], chain_ttl)
end
return put
