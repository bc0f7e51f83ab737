"""Decides how the store's counters are read: exact, of the whole cluster, written by the scripts that write the ledger.

The hash `zts:counts` holds, per name of a workflow or crew (`other` past the limit that `prelude.lua` names):

    created <workflow>                       runs that were recorded
    run <workflow> <outcome> <bound>         ends of runs, by duration up to <bound> ms (`inf` above the last bound)
    reopened <workflow>                      ends that were taken back because the run was opened again
    run_ms <workflow>                        their durations together (ms)
    crew <crew> <status> <bound>             attempts that ended: done, failed, cancelled, retried, lost or dead
    crew_ms <crew>                           their durations together (ms)
    takeover <crew>                          leases that ran out because their worker was gone
    calls, tokens, micro_usd <crew>          model calls that were booked, and what they cost (millionths of a dollar)
    low_budget <workflow>                    budgets of runs of which four fifths were spent
    replaced server                          how often another Redis server process was met
    lost server                              writes that one of them had not kept, as far as somebody remembered them
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, cast

from redis.exceptions import RedisError

from zts_core.redis_store import keys
from zts_core.redis_store.connecting import connect
from zts_core.redis_store.scripts import translated
from zts_core.redis_url import place_of
from zts_core.run import Priority

BOUNDS_MS = (100, 500, 1_000, 5_000, 10_000, 30_000, 60_000, 300_000, 600_000, 1_800_000, 3_600_000, 21_600_000)
"""Upper bounds of the durations that are told apart; above them is `inf`."""

Ended = Counter[tuple[str, str, str]]
"""(name, status, bound) -> how many ended so."""


@dataclass(frozen=True, slots=True)
class Counts:
    """What the ledgers of all runs ever said, counted. Durations in milliseconds."""

    created: Counter[str] = field(default_factory=Counter)
    reopened: Counter[str] = field(default_factory=Counter)
    runs: Ended = field(default_factory=Counter)
    run_ms: Counter[str] = field(default_factory=Counter)
    attempts: Ended = field(default_factory=Counter)
    attempt_ms: Counter[str] = field(default_factory=Counter)
    takeovers: Counter[str] = field(default_factory=Counter)
    model_calls: Counter[str] = field(default_factory=Counter)
    tokens: Counter[str] = field(default_factory=Counter)
    micro_usd: Counter[str] = field(default_factory=Counter)
    low_budgets: Counter[str] = field(default_factory=Counter)
    replaced: Counter[str] = field(default_factory=Counter)
    lost: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True, slots=True)
class Levels:
    """How full the store is now. Seconds are by its clock; what is overdue should have been looked after before."""

    active_runs: int
    queued: int
    oldest_queued_s: float
    leases: int
    dead_letters: int
    oldest_run_s: float
    overdue_s: Mapping[str, float]
    waiting: Mapping[str, tuple[int, float]]
    """Of each priority: how many of its steps wait for a worker, and since how many seconds the oldest of them."""
    requests: int = 0
    """How often its server has read from a client since it started: round trips, of all clients."""


class RedisCounts:
    """Reads counters and levels in one round trip. Connects at the first call; safe to use from several threads."""

    def __init__(self, url: str, *, timeout_s: float) -> None:
        self.place = place_of(url)
        self._redis = connect(url, timeout_s=timeout_s)

    def close(self) -> None:
        """Give the connections back."""
        self._redis.close()

    def read(self) -> tuple[Counts, Levels]:
        """Everything as it is now; ServiceUnavailable where Redis does not answer."""
        with translated(self.place):
            pipe = self._redis.pipeline(transaction=True)
            pipe.time()
            pipe.hgetall(keys.COUNTS)
            for name in (keys.ACTIVE, keys.QUEUED, keys.LEASES, keys.DEAD):
                pipe.zcard(name)
            for name in (keys.ACTIVE, keys.LEASES, keys.TIMERS, keys.UNDECIDED):
                pipe.zrange(name, 0, 0, withscores=True)
            for level in range(len(Priority)):
                # A score of 0 says "at once" and no time.
                first = level * keys.LEVEL_SPAN
                end = f"({first + keys.LEVEL_SPAN}"
                pipe.zrangebyscore(keys.QUEUED, f"({first}", end, start=0, num=1, withscores=True)
                pipe.zcount(keys.QUEUED, first, end)
            (seconds, micros), raw, active, queued, leases, dead, *rest = pipe.execute()
        oldest, numbers = [*rest[:4], *rest[4::2]], rest[5::2]
        now_s = seconds + micros / 1e6
        ages = [_age(rows, now_s) for rows in oldest]
        overdue = {"lease": ages[1], "timer": ages[2], "undecided": ages[3]}
        waiting = dict(zip(Priority, zip(numbers, ages[4:], strict=True), strict=True))
        levels = Levels(active, queued, max(ages[4:]), leases, dead, ages[0], overdue, waiting, self._requests())
        return counts_from(raw), levels

    def _requests(self) -> int:
        try:
            return int(self._redis.info("stats").get("total_reads_processed", 0))
        except RedisError:
            # Not every server tells, and not every user may ask.
            return 0

    def ping(self) -> None:
        """ServiceUnavailable where Redis does not answer."""
        with translated(self.place):
            self._redis.ping()


def _age(rows: Iterable[Any], now_s: float) -> float:
    for _, score in rows:
        return max(0.0, now_s - cast(float, score) % keys.LEVEL_SPAN / 1000)
    return 0.0


def counts_from(raw: Mapping[str, str]) -> Counts:
    """The hash's fields by what they count; names may hold spaces, what stands around them does not."""
    counts = Counts()
    sums = {
        "created": counts.created,
        "reopened": counts.reopened,
        "run_ms": counts.run_ms,
        "crew_ms": counts.attempt_ms,
        "takeover": counts.takeovers,
        "calls": counts.model_calls,
        "tokens": counts.tokens,
        "micro_usd": counts.micro_usd,
        "low_budget": counts.low_budgets,
        "replaced": counts.replaced,
        "lost": counts.lost,
    }
    for counter, value in raw.items():
        kind, _, name = counter.partition(" ")
        if kind in sums:
            sums[kind][name] += int(value)
        elif kind in ("run", "crew"):
            name, status, bound = name.rsplit(" ", 2)
            ended = counts.runs if kind == "run" else counts.attempts
            ended[name, status, bound] += int(value)
    return counts
