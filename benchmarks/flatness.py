"""Measures what a step costs where much is kept: a long ledger, a large workflow, finished runs, waiting runs."""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterator

import redis

from benchmarks.engine import Engine, sequence
from benchmarks.measuring import Figure, figure
from zts_core.redis_store import keys

FINISHED = 1_000_000
WAITING = 100_000
AT_ONCE = 10_000


def figures(*, rounds: int = 5) -> Iterator[Figure]:
    """A step's median in each situation, by that of a short run beside it: 1 is flat."""
    with Engine() as engine:
        yield from _long_run(engine)
        yield figure("a step, nothing kept", "ms", _short_runs(engine, rounds=rounds))
        with redis.Redis.from_url(engine.url) as client:
            _keep_finished(client)
        note = f"{FINISHED:,} in the indexes of all runs"
        yield figure("a step, finished runs kept", "ms", _short_runs(engine, rounds=rounds), note=note)
        with redis.Redis.from_url(engine.url) as client:
            _keep_waiting(client)
        note = f"{WAITING:,} unfinished runs with a deadline each"
        yield figure("a step, runs waiting", "ms", _short_runs(engine, rounds=rounds), note=note)


def _long_run(engine: Engine) -> Iterator[Figure]:
    gaps = engine.gaps(sequence(1000))
    first, last = statistics.median(gaps[:100]), statistics.median(gaps[-100:])
    short = statistics.median(engine.gaps(sequence(50)))
    yield figure("steps 900 to 1,000 by steps 1 to 100", "x", [last / first], note="one run, its ledger grows")
    yield figure("a step in a workflow of 1,000 nodes by one of 50", "x", [statistics.median(gaps) / short])


def _short_runs(engine: Engine, *, rounds: int) -> list[float]:
    return [statistics.median(engine.gaps(sequence(50))) for _ in range(rounds)]


def _keep_finished(client: redis.Redis) -> None:
    """What a million finished runs leave in the keys that scripts touch; their own keys are not touched any more."""
    later = (time.time() + 30 * 24 * 3600) * 1000
    for first in range(0, FINISHED, AT_ONCE):
        members = {f"finished{number}": later for number in range(first, first + AT_ONCE)}
        client.zadd(keys.RUNS, members)
        client.zadd(keys.EXPIRING, members)


def _keep_waiting(client: redis.Redis) -> None:
    """What unfinished runs that wait for a person leave there."""
    now, later = time.time() * 1000, (time.time() + 30 * 24 * 3600) * 1000
    for first in range(0, WAITING, AT_ONCE):
        names = [f"waiting{number}" for number in range(first, first + AT_ONCE)]
        client.zadd(keys.RUNS, dict.fromkeys(names, now))
        client.zadd(keys.ACTIVE, dict.fromkeys(names, now))
        client.zadd(keys.TIMERS, {f"deadline:{name}": later for name in names})
