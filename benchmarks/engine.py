"""Measures the engine on real Redis and real workers: a step's cost in a sequence, many runs at once, a fan-out."""

from __future__ import annotations

import tempfile
import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, ClassVar

import redis
from pydantic import BaseModel

from benchmarks.measuring import Figure, children_of, cpu_seconds, figure, memory_mb, process, python
from zts_core.celery_queue import CeleryQueue, make_app
from zts_core.crew import StepContext
from zts_core.dispatch import Dispatcher
from zts_core.ports import NewRun
from zts_core.redis_store import RedisStore
from zts_core.workflow.model import Workflow
from zts_core.workflow.plan import Plan, compile_plan
from zts_producer.embedded.server_binary import find_server

PAYLOAD = "x" * 180
CREW = "benchmarks.engine:NoOpCrew"


class Nothing(BaseModel):
    """About 200 bytes, or a list to fan out over."""

    text: str = PAYLOAD
    items: list[int] = []


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

    def __init__(self, *, children: int = 2, watchdog: str = "inline") -> None:
        self._exits = ExitStack()
        folder = Path(self._exits.enter_context(tempfile.TemporaryDirectory(prefix="zts-bench-")))
        socket = folder / "redis.sock"
        self.url = f"unix://{socket}"
        server = [str(find_server().path), "--port", "0", "--unixsocket", str(socket), "--dir", str(folder)]
        self.server = self._exits.enter_context(process([*server, "--save", "", "--appendonly", "yes"]))
        self._wait_for_redis()
        self.store = RedisStore(self.url, retention_s=3600, timeout_s=30)
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
        environment = {"REDIS_URL": self.url, "ZTS_DATA_FOLDER": str(folder), "ZTS_WATCHDOG": watchdog}
        self.worker = self._exits.enter_context(process(python(*command), **environment))
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

    def pids(self) -> list[int]:
        return [self.server.pid, self.worker.pid, *children_of(self.worker.pid)]


def sequence(steps: int) -> Plan:
    """A plan of no-op steps one after the other."""
    return _plan([{"state": f"STEP_{number}", "crew": CREW} for number in range(steps)])


def fan_out(items: int) -> Plan:
    """One step, then `items` at once, then one."""
    first = {"state": "FIRST", "crew": CREW, "with": {"items": items}}
    body = {"over": "nothing.items", "as": "item", "step": {"state": "ITEM", "crew": CREW}}
    return _plan([first, {"foreach": body}, {"state": "LAST", "crew": CREW}])


def _plan(nodes: list[dict[str, Any]]) -> Plan:
    return compile_plan("bench", {"bench": Workflow.model_validate({"name": "bench", "sequence": nodes})})


def figures(*, rounds: int = 5) -> Iterator[Figure]:
    """All figures of the engine."""
    with Engine() as engine:
        yield figure("idle worker child", "MB", _idle_memory(engine), note="proportional set size, prefork")
        plan = sequence(50)
        values = [1000 * engine.play(plan) / 50 for _ in range(rounds)]
        yield figure("a step in a sequence of 50", "ms", values, note="inline watchdog, two children")
        yield from _throughput(engine, rounds=rounds)
        values = [1000 * engine.play(fan_out(100)) for _ in range(rounds)]
        yield figure("fan-out 1 to 100 to 1", "ms", values, note="a chord, joined by its body")
    with Engine(watchdog="chord") as engine:
        values = [1000 * engine.play(sequence(50)) / 50 for _ in range(rounds)]
        yield figure("a step in a sequence of 50", "ms", values, note="every wave a chord")


def _idle_memory(engine: Engine) -> list[float]:
    return [memory_mb(pid) for pid in children_of(engine.worker.pid)]


def _throughput(engine: Engine, *, rounds: int) -> Iterator[Figure]:
    plan = sequence(5)
    rates, cpu = [], []
    for _ in range(rounds):
        before = cpu_seconds(engine.pids())
        rates.append(1000 / engine.play(plan, runs=200))
        cpu.append(cpu_seconds(engine.pids()) - before)
    yield figure("200 runs of 5 steps at once", "steps/s", rates, note="two prefork children")
    yield figure("processor time per 1,000 steps", "s", cpu, note="Redis, worker and its children")
