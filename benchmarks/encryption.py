"""Measures what encryption costs: an engine with a key beside one without, short rounds in turn."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack

import redis

from benchmarks.engine import Engine, sequence
from benchmarks.measuring import Figure, figure
from zts_core.sealing import new_key

ROUNDS = int(os.environ.get("BENCH_ROUNDS", "15"))
RUNS, STEPS = 10, 30


def figures() -> Iterator[Figure]:
    """Per engine: throughput, processor time of worker and Redis, memory in Redis; then what a key adds."""
    with ExitStack() as exits:
        kinds = {"without a key": "", "with a key": new_key()[0]}
        engines = {
            name: exits.enter_context(Engine(environment={"ZTS_ENCRYPTION_KEY": key})) for name, key in kinds.items()
        }
        speed: dict[str, list[float]] = {name: [] for name in kinds}
        cost: dict[str, list[float]] = {name: [] for name in kinds}
        size: dict[str, list[float]] = {name: [] for name in kinds}
        plan = sequence(STEPS)
        for number in range(ROUNDS):
            for name in sorted(kinds, reverse=number % 2 == 0):
                engine = engines[name]
                cpu, memory = engine.cpu_seconds(), used(engine.url)
                speed[name].append(RUNS * STEPS / engine.play(plan, runs=RUNS))
                cost[name].append(1e6 * (engine.cpu_seconds() - cpu) / (RUNS * STEPS))
                size[name].append((used(engine.url) - memory) / (RUNS * STEPS))
        for name in kinds:
            yield figure(f"{name}: throughput", "steps/s", speed[name])
            yield figure(f"{name}: processor time", "µs/step", cost[name])
            yield figure(f"{name}: memory in Redis", "bytes/step", size[name])
        added = [theirs - plain for plain, theirs in zip(cost["without a key"], cost["with a key"], strict=True)]
        yield figure("a key adds", "µs/step", added, note="worker and Redis together")


def used(url: str) -> int:
    """Bytes of memory that Redis uses."""
    with redis.Redis.from_url(url) as client:
        return int(client.info("memory")["used_memory"])
