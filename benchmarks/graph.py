"""Measures the result feed: step results per second from the outbox into Neo4j and into the embedded graph.

A step result is what one step leaves: its node, its attempt with the output, its crew, what it used and what came
next. The ledgers are written straight into Redis, so that only the feed is measured. Beside it stands what Neo4j does
with bare rows in the same minute, because machines differ and are shared. `ZTS_BENCH_NODES` (such as 1000000) fills the
graph on and tells the speed on the way. Neo4j is the one of NEO4J_URI, or the one of the tests.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

import redis

from benchmarks.measuring import Figure, cpu_seconds, figure, process
from zts_core.graph.feed import FeedLimits, ResultFeed
from zts_core.graph.neo4j_graph import Neo4jGraph
from zts_core.graph.opening import open_graph
from zts_core.graph.port import ResultGraph
from zts_core.redis_store.outbox import RedisOutbox
from zts_core.run import dumps
from zts_core.settings import read_settings
from zts_producer.embedded.server_binary import find_server

STEPS = 10
"""Steps of each run."""
WARM_UP = 10_000
JAVA_WARM_UP = 60_000
ROUND = 5000
"""Step results before the first and in each measured round; so long Java goes on compiling what it runs."""
BARE_BATCH = 500
BARE = "UNWIND $rows AS r MERGE (n:Bare {id: r.id}) SET n += r.props"

_STARTED_MS = 1_700_000_000_000


def figures(*, rounds: int = 5) -> Iterator[Figure]:
    """Both graphs, nearly empty; and Neo4j while it grows, where that was asked for."""
    with ExitStack() as exits:
        url = _redis(exits)
        yield from _speed(url, graph_beside(exits)[0], [], "the embedded graph", rounds=rounds)
        yield from _speed(url, *_neo4j(exits), "Neo4j", rounds=rounds)


def _speed(url: str, graph: ResultGraph, server: list[int], name: str, *, rounds: int) -> Iterator[Figure]:
    """`server`: its processes, where they are of this machine and ours."""
    ledgers = Ledgers(url)
    feed = ResultFeed(RedisOutbox(url, timeout_s=30), graph, limits=FeedLimits(budget_s=3600, lease_s=300))
    for _ in range((JAVA_WARM_UP if isinstance(graph, Neo4jGraph) else WARM_UP) // ROUND):
        _round(ledgers, feed)
    if isinstance(graph, Neo4jGraph):
        graph._managed([("CREATE CONSTRAINT bare_id IF NOT EXISTS FOR (n:Bare) REQUIRE n.id IS UNIQUE", {})])
        bare = [_bare(graph, first=number * ROUND) for number in range(2 * rounds)][rounds:]
        yield figure(f"bare UNWIND + MERGE into {name}", "rows/s", bare, note=f"batches of {BARE_BATCH}, one label")
    gone = [_round(ledgers, feed, server) for _ in range(rounds)]
    note = f"runs of {STEPS} steps, outbox to acknowledged"
    yield figure(f"step results into {name}", "steps/s", [each.rate for each in gone], note=note)
    yield figure("processor time of each in the feed", "us", [each.feed_us for each in gone], note=name)
    if server:
        yield figure("processor time of each in the server", "us", [each.server_us for each in gone], note=name)
    wanted = int(os.environ.get("ZTS_BENCH_NODES", "0")) if isinstance(graph, Neo4jGraph) else 0
    while wanted and (size := _nodes(graph)) < wanted:
        gone = [_round(ledgers, feed, server) for _ in range(10)]
        yield figure(f"the same at {size:,} nodes", "steps/s", [each.rate for each in gone], note=name)
        yield figure(f"the server's at {size:,} nodes", "us", [each.server_us for each in gone], note=name)
    graph.close()


class Round(NamedTuple):
    """One go of the feed: step results per second, and processor time of each, here and in the graph's server."""

    rate: float
    feed_us: float
    server_us: float


def _round(ledgers: Ledgers, feed: ResultFeed, server: Sequence[int] = ()) -> Round:
    ledgers.write(ROUND)
    started, own_s, server_s = time.perf_counter(), time.process_time(), cpu_seconds(server)
    feed.feed()
    rate = ROUND / (time.perf_counter() - started)
    used_s = time.process_time() - own_s, cpu_seconds(server) - server_s
    return Round(rate, *(seconds * 1e6 / ROUND for seconds in used_s))


def _bare(graph: Neo4jGraph, *, first: int) -> float:
    """Rows per second of nodes alone, as large as a step's."""
    props = {"state": "STEP", "crew": "Crew", "status": "done", "at_ms": _STARTED_MS, "output": "x" * 230}
    rows = [{"id": f"bare{first + number}", "props": props} for number in range(ROUND)]
    started = time.perf_counter()
    for at in range(0, ROUND, BARE_BATCH):
        graph._managed([(BARE, {"rows": rows[at : at + BARE_BATCH]})])
    return ROUND / (time.perf_counter() - started)


def _nodes(graph: ResultGraph) -> int:
    return int(graph.ask("MATCH (n) RETURN count(n)", {}, limit=1).rows[0][0])


class Ledgers:
    """Writes runs that have ended, as the engine would have left them."""

    def __init__(self, url: str) -> None:
        self.client = redis.Redis.from_url(url)
        self.client.flushall()
        self.runs = 0

    def write(self, steps: int) -> None:
        """As many runs as hold this many steps."""
        for _ in range(steps // STEPS):
            pipe = self.client.pipeline(transaction=False)
            self.write_run(pipe, f"run{self.runs:08d}", _STARTED_MS + 1000 * self.runs)
            pipe.execute()
            self.runs += 1

    def write_run(self, pipe: redis.client.Pipeline, run_id: str, at_ms: int) -> None:
        key = f"zts:run:{run_id}"
        fields = {
            "idea": f"An idea of {run_id}",
            "title": f"Idea {self.runs % 1000}",
            "workflow": "main",
            "plan": "p" * 64,
        }
        numbers = {"status": "finished", "created": at_ms, "deadline": 0, "max_steps": 50}
        pipe.hset(key, mapping={**fields, **numbers})
        line = 0

        def say(kind: str, seq: int = 0, **detail: object) -> None:
            nonlocal line
            line += 1
            pipe.xadd(f"{key}:ledger", {"kind": kind, "seq": seq, "detail": dumps(detail)}, id=f"{at_ms + line}-0")

        say("run_created")
        for seq in range(1, STEPS + 1):
            used = {f"n{seq - 1}": seq - 1} if seq > 1 else {}
            static = {"state": f"STEP_{seq}", "path": f"main.{seq}", "crew": f"Crew{seq}", "inputs": used}
            pipe.hset(f"{key}:steps", str(seq), dumps(static))
            output = {"passed": True, "score": 0.5, "text": "x" * 200}
            pipe.hset(f"{key}:results", str(seq), dumps({"namespace": f"n{seq}", "output": output, "artifacts": {}}))
            say("wave", states=[f"STEP_{seq}"], seqs=[seq])
            say("attempt_started", seq, attempt=1, worker="host:1")
            say("step_done", seq, attempt=1, namespace=f"n{seq}", digest=f"{seq:064d}")
        say("run_finished", outcome="completed", reason="all its steps are done")
        pipe.zadd("zts:outbox", {run_id: at_ms})


def _redis(exits: ExitStack) -> str:
    folder = Path(exits.enter_context(tempfile.TemporaryDirectory(prefix="zts-bench-")))
    socket = folder / "redis.sock"
    server = [str(find_server().path), "--port", "0", "--unixsocket", str(socket), "--dir", str(folder)]
    exits.enter_context(process([*server, "--save", ""]))
    client = redis.Redis.from_url(f"unix://{socket}")
    for _ in range(500):
        try:
            client.ping()
            return f"unix://{socket}"
        except redis.RedisError:
            time.sleep(0.01)
    raise TimeoutError("redis-server did not start")


def graph_beside(exits: ExitStack) -> tuple[ResultGraph, str]:
    """The embedded graph in a server of its own, and its address."""
    _tests_too()
    from graph_servers import GraphModuleServer

    server = GraphModuleServer()
    exits.callback(server.close)
    return server.graph(), server.url


def _neo4j(exits: ExitStack) -> tuple[ResultGraph, list[int]]:
    if graph := open_graph(read_settings()):
        return graph, []
    _tests_too()
    from graph_servers import Neo4jServer

    server = Neo4jServer(compiler="-XX:+TieredCompilation", memory=("-Xms2g", "-Xmx2g"), page_cache="1g")
    exits.callback(server.close)
    assert server.process is not None
    return server.graph(), [server.process.pid]


def _tests_too() -> None:
    tests = str(Path(__file__).parent.parent / "tests")
    if tests not in sys.path:
        sys.path.append(tests)


if __name__ == "__main__":
    from benchmarks.measuring import report

    print(report(list(figures()), as_json=False))
