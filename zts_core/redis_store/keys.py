"""Decides where everything lives in Redis: the data model, and the one place that spells its keys.

Of one run, all dropped together `retention` after its end:

    zts:run:<id>           hash    idea, title, workflow, plan (digest), status, outcome, reason, state (JSON, the
                                   position), version (of the position), started, created, finished, deadline (ms),
                                   max_steps, priority (where not normal), key, values, out,
                                   budget_usd (millionths), budget_tokens, crew_budgets (JSON), reuse_answers,
                                   seen_before (JSON), trace (where its spans belong, once it is traced),
                                   bytes (of all outputs and files), audit, sealed (id of the key that it needs),
                                   format (of all this; older workers leave it), paused,
                                   withdrawn (outcome and reason, once stopping),
                                   fed (the last ledger line in the graph), feed (JSON, what the next one needs of it)
    zts:run:<id>:steps     hash    <seq> -> the step as it was decided (JSON), and beside it <seq>:status, :attempt
                                   (the fence), :call (which claim or answer it was, so that one whose reply was
                                   lost can be repeated), :failures, :takeovers, :worker, :queued, :started, :ended,
                                   :due (ms), :error, :trace (of what failed for good), :line,
                                   :slot (the limited crew it has a slot of), :wants (the one it waits for a slot of),
                                   :turn (of a wide wave: waits in the line, or sent and its claim lets the next in);
                                   join:<frame> -> how many open steps only count down that frame's join
    zts:run:<id>:results   hash    <seq> -> the committed effect (JSON): output (or digest and bytes of its file) and
                                   manifest of files
    zts:run:<id>:inbox     hash    <seq> -> a settlement nobody has decided on yet
    zts:run:<id>:open      set     seqs that have not settled
    zts:run:<id>:ledger    stream  kind, seq, detail (JSON): the run's history
    zts:run:<id>:log       stream  line (JSON): what its crews logged, the newest 2,000 lines; dropped with the
                                   others, or `retention` and a deadline after the last line
    zts:run:<id>:line      list    "<seq>", or "<seq> <queue> <message>" where this Redis is the broker: steps of wide
                                   waves that are not sent yet; gone at the run's end
    zts:run:<id>:audit     list    one digest a line of the ledger, each over the one before (audit.py); only of runs
                                   whose workflow says `audit: true`
    zts:run:<id>:visits    hash    "place data" -> how often a loop came by there with the same data
    zts:run:<id>:calls     hash    what model calls cost: spent_usd, held_usd (millionths), spent_tokens, held_tokens,
                                   calls, each also with :<crew>; hold:<call> -> "usd tokens crew" set aside,
                                   answered:<seq>:<digest> -> this step was given that answer (1, or the sealed digest),
                                   reused, reused:<call>

Of all runs together:

    zts:plan:<digest>      string  a compiled workflow; expires when no unfinished run needs it any more
    zts:planned            hash    digest of a plan -> how many unfinished runs need it
    zts:key:<key>          string  the run that was submitted with this key
    zts:runs               zset    run -> creation (ms)
    zts:active             zset    run without an outcome -> creation (ms)
    zts:expiring           zset    finished run -> when its keys are gone (ms)
    zts:queued             zset    <run>:<seq> waiting for a worker -> when it was last sent (ms), plus the level of
                                   its run's priority times LEVEL_SPAN
    zts:overtaken          hash    level -> when the youngest step that was ever claimed there had been sent (ms)
    zts:limits             hash    crew with a limit -> how many of its steps may be at work at once, as the newest
                                   claim knew it; 0 once it has none any more, until nothing waits
    zts:slots:<crew>       zset    <run>:<seq> that has one of its slots -> since when (ms); leaves with its lease
    zts:full:<crew>        zset    <run>:<seq> that waits for one -> its run's level and since when, as in zts:queued
    zts:leases             zset    <run>:<seq> at work -> when its lease ends (ms)
    zts:timers             zset    retry:<run>:<seq>, approval:<run>:<seq>, deadline:<run> -> due (ms)
    zts:undecided          zset    run with a filled inbox -> since when (ms)
    zts:dead               zset    <run>:<seq> that failed for good and that nobody has dropped -> when (ms)
    zts:tick               string  held by the worker that does this interval's tick
    zts:outbox             zset    run with ledger lines that are not in the graph yet -> since when (ms)
    zts:outbox:feeder      string  held by the one process that feeds the graph now
    zts:outbox:feeding     hash    how that gets on: trouble (one line), failures in a row, resume (ms), asked (ms)
    zts:outbox:poison      hash    "<run> <ledger id>" -> a ledger line that the graph does not take (JSON), set aside
    zts:traces             zset    ended run whose own span nobody has written yet -> its end (ms); only traced runs,
                                   until a worker that traces takes them or they expire
    zts:traces:teller      string  held by the worker that writes these spans now
    zts:shown              zset    run with series of its own -> since when (ms); at most ZTS_METRICS_RUNS, gone ten
                                   minutes after the last scrape
    zts:shown:by           string  held by the one worker that shows them
    zts:answer:<digest>    string  what a model answered to the request with this digest (JSON); gone `retention` after
                                   it was last given or reused
    zts:alike:<band>       list    the newest runs whose ideas share a band of words (likeness.py); 1 KB a run in all,
                                   gone when the youngest of them is
    zts:pace:<provider>    hash    r:<second>, t:<second> -> requests, tokens asked in it; gone a minute after the last
    zts:server             hash    run_id: the server process that was seen last; lost_at (s): when one was seen
                                   that had lost writes; bounded, kept for ever
    zts:deleted            zset    SHA-1 of a run that somebody deleted -> when (ms): nobody shall miss it; gone two
                                   minutes after, longer than a process remembers what it was told (witness.py)
    zts:counts             hash    what the ledgers of all runs ever said, counted: bounded, kept for ever

With `ZTS_ENCRYPTION_KEY` values of content read `zts-sealed:<key id>:<base64>` (sealing.py). Of a run's hash: idea,
title, values, out, seen_before, state, reason, feed, and the reason in withdrawn; of its steps: values and prompt in
<seq>, :error, :trace, :line; results and log as a whole; inbox and the ledger's detail as a whole where a process
wrote them, the reason or a run's title inside of what a script did; plans, answers (with their request), the errors of
poison and feeding. Digests in names are keyed: of plans, visits, answers, alike.

All times are the Redis server's. The store needs one primary: its scripts touch keys of a run and of all runs at once.
"""

from __future__ import annotations

PREFIX = "zts:"

FORMAT = 1
"""Of what stands in a run's keys and its plan. Raised by a release whose runs an older worker would misread."""

LEVEL_SPAN = 10**13
"""Scores of one priority level in `zts:queued`: more milliseconds than a clock will show; `prelude.lua` has it too."""
RUNS = PREFIX + "runs"
ACTIVE = PREFIX + "active"
EXPIRING = PREFIX + "expiring"
QUEUED = PREFIX + "queued"
OVERTAKEN = PREFIX + "overtaken"
LEASES = PREFIX + "leases"
TIMERS = PREFIX + "timers"
UNDECIDED = PREFIX + "undecided"
COUNTS = PREFIX + "counts"
DEAD = PREFIX + "dead"
SERVER = PREFIX + "server"
DELETED = PREFIX + "deleted"
TICK = PREFIX + "tick"
OUTBOX = PREFIX + "outbox"
FEEDER = OUTBOX + ":feeder"
FEEDING = OUTBOX + ":feeding"
POISON = OUTBOX + ":poison"
TRACES = PREFIX + "traces"
TELLER = TRACES + ":teller"

_OF_A_RUN = ("", ":steps", ":results", ":inbox", ":open", ":ledger", ":visits")
_OF_ALL = (RUNS, ACTIVE, EXPIRING, QUEUED, OVERTAKEN, LEASES, TIMERS, UNDECIDED, COUNTS, OUTBOX, DEAD)


def run_key(run_id: str, part: str = "") -> str:
    """Key of a run's hash, or of one of its parts (`steps`, `ledger`, ...)."""
    return f"{PREFIX}run:{run_id}{':' if part else ''}{part}"


def script_keys(run_id: str) -> list[str]:
    """The keys every script gets, in the order in which `prelude.lua` names them."""
    return [run_key(run_id) + part for part in _OF_A_RUN] + list(_OF_ALL)


def plan_key(digest: str) -> str:
    """Key of a compiled workflow."""
    return f"{PREFIX}plan:{digest}"


def submit_key(key: str) -> str:
    """Key of an idempotency key."""
    return f"{PREFIX}key:{key}"


def answer_key(request: str) -> str:
    """Key of the recorded answer to a request, by its digest."""
    return f"{PREFIX}answer:{request}"


def alike_key(band: str) -> str:
    """Key of the runs whose ideas share a band."""
    return f"{PREFIX}alike:{band}"


def pace_key(provider: str) -> str:
    """Key of what a provider was asked lately."""
    return f"{PREFIX}pace:{provider}"


def split_member(member: str) -> tuple[str, int]:
    """Run and step of a `<run>:<seq>` member."""
    run_id, _, seq = member.rpartition(":")
    return run_id, int(seq)
