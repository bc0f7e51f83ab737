"""Measures what one run takes of each server: memory, disk, network, processor, and nodes of the graph.

Two kinds of run: five no-op steps with 200 bytes of output each, so that only the engine counts, and the default
workflow with the project's own crews offline, which build, test and write files. Bytes and commands hardly depend on
the machine and its load; processor time does. `a day of a million` is arithmetic on the figures above it.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import redis
from pydantic import SecretStr

from benchmarks.engine import CREW, Engine, plan_of
from benchmarks.graph import graph_beside
from benchmarks.measuring import Figure, children_of, cpu_seconds, figure
from zts_core.graph.port import ResultGraph
from zts_core.settings import Settings
from zts_core.workflow.plan import Plan
from zts_producer.client import Client

SMALL_RUNS = 500
REAL_RUNS = 4
STEPS = 5
IDEAS = Path(__file__).resolve().parent.parent / "examples" / "ideas"
A_DAY = 1_000_000
SECONDS_OF_A_DAY = 24 * 3600


@dataclass(frozen=True)
class Taken:
    """What some runs took together."""

    memory: int
    appended: int
    received: int
    sent: int
    commands: int
    redis_cpu_s: float
    worker_cpu_s: float


def figures(*, rounds: int = 3) -> Iterator[Figure]:
    """Small runs through the queue and without it, real ones, then the arithmetic."""
    # Real crews take longer than a worker stays for, so that each of their steps is a message.
    with Engine(environment={"ZTS_STAY": "0"}) as engine:
        taken = [_small(engine) for _ in range(rounds)]
        yield from _per_run(f"{STEPS} no-op steps", taken, SMALL_RUNS)
        yield from _per_step("", taken)
        note = "of a worker with two children"
        yield figure("connections to Redis", "", [_connections(engine)], note=note)
        waiting = [taking(engine, lambda: _wait_for_people(engine)).memory / SMALL_RUNS for _ in range(rounds)]
        yield figure(f"Redis memory, {STEPS} no-op steps, unfinished", "bytes", waiting, note="waits for a person")
    with Engine() as engine:
        yield from _per_step(" that follows a quick one", [_small(engine) for _ in range(rounds)])
    yield from _a_day(taken)
    yield from _real()


def _small(engine: Engine) -> Taken:
    return taking(engine, lambda: engine.wait([engine.start(small()) for _ in range(SMALL_RUNS)]))


def _connections(engine: Engine) -> int:
    with redis.Redis.from_url(engine.url) as client:
        # The one that asks, and those of this process's store, are no worker's.
        return sum(each["name"] != "zts:" and each["cmd"] != "client|list" for each in client.client_list())


def small() -> Plan:
    """Five steps, each reading what the one before wrote."""
    return plan_of([{"state": f"STEP_{number}", "crew": CREW} for number in range(STEPS)])


def _unfinished() -> Plan:
    steps = [{"state": f"STEP_{number}", "crew": CREW} for number in range(STEPS)]
    return plan_of(
        [*steps, {"approval": {"state": "SIGN_OFF", "prompt": "Shall we?"}}, {"state": "LAST", "crew": CREW}]
    )


def _wait_for_people(engine: Engine) -> None:
    plan = _unfinished()
    asked = {engine.start(plan) for _ in range(SMALL_RUNS)}
    for run_id in asked:
        while not any(entry.kind == "approval_asked" for entry in engine.store.ledger(run_id)):
            time.sleep(0.02)


def taking(engine: Engine, action: Callable[[], None]) -> Taken:
    """What Redis and the worker used while `action` ran and its runs were left where they are."""
    with redis.Redis.from_url(engine.url) as client:
        # A rewrite would shrink the file between two looks at it.
        client.config_set("auto-aof-rewrite-percentage", 0)
        workers = [engine.worker.pid, *children_of(engine.worker.pid)]
        before, cpu = client.info(), cpu_seconds(workers)
        action()
        after = client.info()
    used = {name: after[name] - before[name] for name in COUNTERS}
    return Taken(
        *(int(used[name]) for name in COUNTERS[:5]),
        redis_cpu_s=used["used_cpu_user"] + used["used_cpu_sys"],
        worker_cpu_s=cpu_seconds(workers) - cpu,
    )


COUNTERS = (
    "used_memory",
    "aof_current_size",
    "total_net_input_bytes",
    "total_net_output_bytes",
    "total_commands_processed",
    "used_cpu_user",
    "used_cpu_sys",
)


def _per_run(name: str, taken: list[Taken], runs: int) -> Iterator[Figure]:
    yield figure(f"Redis memory, {name}, finished", "bytes", [each.memory / runs for each in taken], note="a run")
    yield figure(f"appended to disk, {name}", "bytes", [each.appended / runs for each in taken], note="a run")
    yield figure(f"to Redis, {name}", "bytes", [each.received / runs for each in taken], note="a run")
    yield figure(f"from Redis, {name}", "bytes", [each.sent / runs for each in taken], note="a run")


def _per_step(which: str, taken: list[Taken]) -> Iterator[Figure]:
    steps = SMALL_RUNS * STEPS
    commands, redis_ms, worker_ms = (
        [factor * getattr(each, name) / steps for each in taken]
        for name, factor in (("commands", 1), ("redis_cpu_s", 1000), ("worker_cpu_s", 1000))
    )
    yield figure(f"commands of a step{which}", "", commands, note="those of scripts too")
    yield figure(f"processor time of Redis, a step{which}", "ms", redis_ms)
    yield figure(f"processor time of the worker, a step{which}", "ms", worker_ms, note="parent and two children")


def _a_day(taken: list[Taken]) -> Iterator[Figure]:
    """A million runs of five steps in one day: what it asks of the servers."""
    steps = SMALL_RUNS * STEPS
    a_second = A_DAY * STEPS / SECONDS_OF_A_DAY
    note = f"{A_DAY:,} runs of {STEPS} steps a day"
    cores = [a_second * each.redis_cpu_s / steps for each in taken]
    yield figure("a day of a million: steps, and messages", "/s", [a_second], note=note)
    yield figure("a day of a million: Redis", "cores", cores, note="one is all it can use for commands")
    cores = [a_second * each.worker_cpu_s / steps for each in taken]
    yield figure("a day of a million: workers", "cores", cores, note="without what crews do")
    kept = [A_DAY * each.memory / SMALL_RUNS / 1e9 for each in taken]
    yield figure("a day of a million: Redis memory", "GB", kept, note="for each day of ZTS_RETENTION")
    appended = [A_DAY * each.appended / SMALL_RUNS / SECONDS_OF_A_DAY / 1e6 for each in taken]
    yield figure("a day of a million: appended to disk", "MB/s", appended)
    both = [A_DAY * (each.received + each.sent) / SMALL_RUNS / SECONDS_OF_A_DAY / 1e6 for each in taken]
    yield figure("a day of a million: network of Redis", "MB/s", both)


def _real() -> Iterator[Figure]:
    """The default workflow, its results fed into the embedded graph."""
    with ExitStack() as exits:
        graph, graph_url = graph_beside(exits)
        exits.callback(graph.close)
        files = Path(exits.enter_context(tempfile.TemporaryDirectory(prefix="zts-files-")))
        engine = exits.enter_context(Engine(environment={"ZTS_GRAPH_URL": graph_url, "ZTS_ARTIFACTS": str(files)}))
        settings = Settings(redis_url=SecretStr(engine.url), data_folder=files, artifacts=str(files))
        client = exits.enter_context(Client(settings, workers=False))
        ideas = [path.read_text("utf-8") for path in sorted(IDEAS.glob("*.txt"))][: REAL_RUNS + 1]

        def play(some: list[str]) -> None:
            engine.wait([client.submit(idea).run_id for idea in some])

        play(ideas[:1])
        known, kept = _size(graph, client), _bytes_below(files)
        runs = len(ideas) - 1
        taken = taking(engine, lambda: play(ideas[1:]))
        yield from _per_run("the default workflow", [taken], runs)
        note = "a run; builds, runs and tests a project"
        yield figure("processor time, the default workflow", "s", [taken.worker_cpu_s / runs], note=note)
        yield figure("files, the default workflow", "bytes", [(_bytes_below(files) - kept) / runs], note="a run")
        nodes, edges = (now - then for now, then in zip(_size(graph, client), known, strict=True))
        yield figure(
            "nodes of the graph, the default workflow", "", [nodes / runs], note="a run; what it shares is not counted"
        )
        yield figure("relations of the graph, the default workflow", "", [edges / runs], note="a run")


def _size(graph: ResultGraph, client: Client) -> tuple[int, int]:
    """Nodes and relations once everything has reached the graph."""
    with redis.Redis.from_url(client.settings.store_url) as store:
        while store.zcard("zts:outbox"):
            time.sleep(0.1)
    asked = ("MATCH (n) RETURN count(n)", "MATCH ()-[r]->() RETURN count(r)")
    nodes, edges = (int(graph.ask(question, {}, limit=1).rows[0][0]) for question in asked)
    return nodes, edges


def _bytes_below(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
