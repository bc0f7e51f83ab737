-- Give a run the trace it belongs to, unless it has one; returns the run's. ARGV: run, trace.
if redis.call('EXISTS', RUN) == 0 then
  return ''
end
redis.call('HSETNX', RUN, 'trace', ARGV[2])
return redis.call('HGET', RUN, 'trace')
