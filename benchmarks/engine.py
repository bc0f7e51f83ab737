"""Measures the engine on real Redis and real workers: a step's cost in a sequence, many runs at once, a fan-out."""

from __future__ import annotations

import os
import statistics
import tempfile
import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any, ClassVar

import redis
from pydantic import BaseModel, Field

from benchmarks.measuring import Figure, children_of, cpu_seconds, figure, memory_mb, process, python
from zts_core.celery_queue import CeleryQueue, make_app
from zts_core.crew import StepContext
from zts_core.dispatch import Dispatcher
from zts_core.ports import NewRun
from zts_core.redis_store import RedisStore
from zts_core.sealing import open_sealer
from zts_core.workflow.model import Workflow
from zts_core.workflow.plan import Plan, compile_plan
from zts_producer.embedded.server_binary import find_server

PAYLOAD = "x" * 180
GROWTH_STEPS = int(os.environ.get("BENCH_GROWTH_STEPS", "10000"))
CREW = "benchmarks.engine:NoOpCrew"


class Nothing(BaseModel):
    """About 200 bytes, or a list to fan out over."""

    text: str = PAYLOAD
    items: list[int] = []
    at_ns: int = Field(default_factory=time.monotonic_ns)
    """When its crew ended, by the clock that all processes of this machine share."""


class NoOpCrew:
    """Does nothing, so that only the engine is measured."""

    name: ClassVar[str] = "NoOpCrew"
    namespace: ClassVar[str] = "nothing"
    Output: ClassVar[type[BaseModel]] = Nothing

    def run(self, context: StepContext) -> Nothing:
        wanted = context.values.get("items", 0)
        return Nothing(items=list(range(wanted))) if wanted else Nothing()


class Engine:
    """A Redis with an append-only file (everysec), one worker, and a dispatcher."""

    def __init__(
        self,
        *,
        children: int = 2,
        watchdog: str = "inline",
        environment: Mapping[str, str] | None = None,
        options: Sequence[str] = (),
    ) -> None:
        self._exits = ExitStack()
        folder = Path(self._exits.enter_context(tempfile.TemporaryDirectory(prefix="zts-bench-")))
        socket = folder / "redis.sock"
        self.url = f"unix://{socket}"
        server = [str(find_server().path), "--port", "0", "--unixsocket", str(socket), "--dir", str(folder)]
        self.server = self._exits.enter_context(process([*server, "--save", "", "--appendonly", "yes"]))
        self._wait_for_redis()
        sealer = open_sealer((environment or {}).get("ZTS_ENCRYPTION_KEY", ""))
        self.store = RedisStore(self.url, retention_s=3600, timeout_s=30, sealer=sealer)
        self._exits.callback(self.store.close)
        broker = self.url
        app = make_app(broker, broker, timeout_s=30)
        queue = CeleryQueue(app, watchdog="chord" if watchdog == "chord" else "inline", beside_store=True)
        self.dispatcher = Dispatcher(self.store, queue)
        command = [
            "-m",
            "celery",
            "-A",
            "zts_worker",
            "worker",
            "--concurrency",
            str(children),
            "--loglevel",
            "warning",
        ]
        command += ["--without-mingle", "--without-gossip", "--without-heartbeat"]
        command += options
        own = {"REDIS_URL": self.url, "ZTS_DATA_FOLDER": str(folder), "ZTS_WATCHDOG": watchdog, **(environment or {})}
        self.worker = self._exits.enter_context(process(python(*command), **own))
        self.play(sequence(2), runs=10)

    def __enter__(self) -> Engine:
        return self

    def __exit__(self, *_: object) -> None:
        self._exits.close()

    def _wait_for_redis(self) -> None:
        client = redis.Redis.from_url(self.url)
        for _ in range(500):
            try:
                client.ping()
                return
            except redis.RedisError:
                time.sleep(0.01)
        raise TimeoutError("redis-server did not start")

    def start(self, plan: Plan) -> str:
        new = NewRun(uuid.uuid4().hex[:12], "an idea", "An idea", plan.root, 100_000, 3600.0)
        return self.dispatcher.start_run(new, plan).run_id

    def play(self, plan: Plan, *, runs: int = 1) -> float:
        """Seconds from the first submit to the last run's end."""
        started = time.perf_counter()
        self.wait([self.start(plan) for _ in range(runs)])
        return time.perf_counter() - started

    def wait(self, run_ids: Sequence[str]) -> None:
        for run_id in run_ids:
            after = "0"
            while True:
                entries = list(self.store.follow(run_id, after=after, wait_s=5))
                if any(entry.kind == "run_finished" for entry in entries):
                    break
                after = entries[-1].id if entries else after

    def gaps(self, plan: Plan) -> list[float]:
        """Milliseconds from the end of each step's crew to the end of the next one's, in one run of a sequence."""
        run_id = self.start(plan)
        self.wait([run_id])
        results = self.store.results(run_id, range(1, len(plan.nodes)))
        ends = [results[seq].output["at_ns"] for seq in sorted(results)]
        return [(later - earlier) / 1e6 for earlier, later in pairwise(ends)]

    def floor(self, steps: int) -> float:
        """Milliseconds that two queue hops and one commit cost on this Redis, without any engine."""
        with redis.Redis.from_url(self.url) as client:
            started = time.perf_counter()
            for number in range(steps):
                for _ in range(2):
                    client.lpush("bench:queue", PAYLOAD)
                    client.brpop(["bench:queue"])
                commit = client.pipeline(transaction=True)
                for name in ("output", "ledger", "state", "outbox"):
                    commit.set(f"bench:{name}:{number}", PAYLOAD, ex=60)
                commit.execute()
            return 1000 * (time.perf_counter() - started) / steps

    def pids(self) -> dict[str, list[int]]:
        """Its processes, by what they do."""
        return {
            "Redis": [self.server.pid],
            "the worker's parent": [self.worker.pid],
            "its children": children_of(self.worker.pid),
        }

    def cpu_seconds(self) -> float:
        """Processor time that all of them have taken."""
        return sum(map(cpu_seconds, self.pids().values()))


def sequence(steps: int) -> Plan:
    """A plan of no-op steps one after the other."""
    return plan_of([{"state": f"STEP_{number}", "crew": CREW} for number in range(steps)])


def fan_out(items: int) -> Plan:
    """One step, then `items` at once, then one."""
    first = {"state": "FIRST", "crew": CREW, "with": {"items": items}}
    body = {"over": "nothing.items", "as": "item", "step": {"state": "ITEM", "crew": CREW}}
    return plan_of([first, {"foreach": body}, {"state": "LAST", "crew": CREW}])


def plan_of(nodes: list[dict[str, Any]]) -> Plan:
    return compile_plan("bench", {"bench": Workflow.model_validate({"name": "bench", "sequence": nodes})})


def figures(*, rounds: int = 5) -> Iterator[Figure]:
    """All figures of the engine."""
    with Engine() as engine:
        yield figure("idle worker child", "MB", _idle_memory(engine), note="proportional set size, prefork")
        yield from _sequences(engine, rounds=rounds)
        yield from _throughput(engine, rounds=rounds)
        values = [1000 * engine.play(fan_out(100)) for _ in range(rounds)]
        yield figure("fan-out 1 to 100 to 1", "ms", values, note="joined by its last step")
        yield figure("fan-out 1 to 10,000 to 1", "s", [engine.play(fan_out(10_000))])
        yield from _growth(engine)
    with Engine(environment={"ZTS_STAY": "0"}) as engine:
        note = "each step through the queue: ZTS_STAY=0"
        yield figure("a step in a sequence of 50", "ms", engine.gaps(sequence(50)), note=note)
        for found in _throughput(engine, rounds=rounds):
            yield replace(found, note=note)
    with Engine(watchdog="chord") as engine:
        values = [1000 * engine.play(sequence(50)) / 50 for _ in range(rounds)]
        yield figure("a step in a sequence of 50", "ms", values, note="every wave a chord")


def _sequences(engine: Engine, *, rounds: int) -> Iterator[Figure]:
    """Floor and steps in turns, so that both meet the same neighbours on the machine."""
    plan = sequence(50)
    floors, gaps, ratios = [], [], []
    for _ in range(4 * rounds):
        floors.append(engine.floor(50))
        found = engine.gaps(plan)
        gaps += found
        ratios.append(statistics.median(found) / floors[-1])
    yield figure("two queue hops and a commit on bare Redis", "ms", floors, note="the floor of the same rounds")
    yield figure("a step in a sequence of 50", "ms", gaps, note="inline watchdog, two children; high is the longest")
    yield figure("the same, 99th percentile", "ms", [statistics.quantiles(gaps, n=100)[98]])
    yield figure("the same, by the floor of its round", "x", ratios)


def _growth(engine: Engine) -> Iterator[Figure]:
    """Memory that children gain over many steps."""
    children = children_of(engine.worker.pid)
    engine.play(sequence(5), runs=400)  # what a process loads and keeps with its first steps is no growth
    before = sum(memory_mb(pid) for pid in children)
    plan = sequence(5)
    for _ in range(GROWTH_STEPS // 1000):
        engine.play(plan, runs=200)
    gained = sum(memory_mb(pid) for pid in children) - before
    note = (
        f"{GROWTH_STEPS:,} steps, all children together" if children_of(engine.worker.pid) == children else "recycled"
    )
    yield figure("memory gained", "MB", [gained], note=note)


def _idle_memory(engine: Engine) -> list[float]:
    return [memory_mb(pid) for pid in children_of(engine.worker.pid)]


def _throughput(engine: Engine, *, rounds: int) -> Iterator[Figure]:
    plan, groups = sequence(5), engine.pids()
    rates, cpu = [], []
    for _ in range(rounds):
        before = {name: cpu_seconds(pids) for name, pids in groups.items()}
        rates.append(1000 / engine.play(plan, runs=200))
        cpu.append({name: cpu_seconds(pids) - before[name] for name, pids in groups.items()})
    yield figure("200 runs of 5 steps at once", "steps/s", rates, note="two prefork children")
    yield figure(
        "processor time per 1,000 steps",
        "s",
        [sum(each.values()) for each in cpu],
        note="Redis, worker and its children",
    )
    for name in groups:
        yield figure(f"of that {name}", "s", [each[name] for each in cpu])
