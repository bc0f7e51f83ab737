"""Measures what encryption costs: an engine with a key beside one without, short rounds in turn."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack

import redis

from benchmarks.engine import Engine, sequence
from benchmarks.measuring import Figure, figure
from zts_core.sealing import new_key
from zts_core.workflow.plan import Plan

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
        plan = sequence(STEPS)
        for number in range(ROUNDS):
            for name in sorted(kinds, reverse=number % 2 == 0):
                engine = engines[name]
                cpu = engine.cpu_seconds()
                speed[name].append(RUNS * STEPS / engine.play(plan, runs=RUNS))
                cost[name].append(1e6 * (engine.cpu_seconds() - cpu) / (RUNS * STEPS))
        for name in kinds:
            yield figure(f"{name}: throughput", "steps/s", speed[name])
            yield figure(f"{name}: processor time", "µs/step", cost[name])
            yield figure(f"{name}: memory in Redis", "bytes/step", [memory(engines[name], plan) / STEPS])
        added = [theirs - plain for plain, theirs in zip(cost["without a key"], cost["with a key"], strict=True)]
        yield figure("a key adds", "µs/step", added, note="worker and Redis together")


def memory(engine: Engine, plan: Plan) -> int:
    """Bytes that the keys of one run take in Redis."""
    run_id = engine.start(plan)
    engine.wait([run_id])
    with redis.Redis.from_url(engine.url) as client:
        return sum(client.memory_usage(key, samples=0) or 0 for key in client.scan_iter(f"zts:run:{run_id}*"))
