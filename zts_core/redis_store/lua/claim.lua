-- Take a step for a new attempt. ARGV: run, seq, and what `take.lua` wants to know of the caller.
return take(ARGV[2], caller(3))
