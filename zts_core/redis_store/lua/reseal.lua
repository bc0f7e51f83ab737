-- Put values in the place of others, each only where that still stands there. KEYS: a hash. ARGV, for each: field, the
-- value that stands there ('' for none), field and value instead. Returns how many were put.
local put = 0
for index = 1, #ARGV, 4 do
  local field, stands = ARGV[index], ARGV[index + 1]
  if (redis.call('HGET', KEYS[1], field) or '') == stands and redis.call('EXISTS', KEYS[1]) == 1 then
    redis.call('HSET', KEYS[1], ARGV[index + 2], ARGV[index + 3])
    if ARGV[index + 2] ~= field then
      redis.call('HDEL', KEYS[1], field)
    end
    put = put + 1
  end
end
return put
