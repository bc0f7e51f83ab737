"""Neo4j killed, frozen, locked or wrongly named: one clear line each, the runs go on, and the graph catches up."""

from __future__ import annotations

import re
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
import redis
from graph_histories import Player
from graph_picture import clear, picture
from graph_replay import expected, found
from graph_servers import PASSWORD, GraphModuleServer, Neo4jServer, free_port
from played_runs import Runs, step
from servers import RedisServer, Worker, wait_until

from zts_core.errors import GraphRefused, ServiceUnavailable, SettingInvalid, ZtsError
from zts_core.graph.feed import FeedLimits, ResultFeed
from zts_core.graph.neo4j_graph import Neo4jGraph
from zts_core.graph.opening import open_graph
from zts_core.graph.port import ResultGraph
from zts_core.redis_store.outbox import RedisOutbox
from zts_core.settings import Settings

pytestmark = pytest.mark.redis


@pytest.fixture
def graph(neo4j: Neo4jServer) -> Iterator[Neo4jGraph]:
    graph = neo4j.graph()
    clear(graph)
    yield graph
    graph.close()


@pytest.fixture
def outbox(redis_url: str) -> RedisOutbox:
    redis.Redis.from_url(redis_url).flushall()
    return RedisOutbox(redis_url, timeout_s=10)


def keep_feeding(outbox: RedisOutbox, graph: ResultGraph, over: threading.Event, told: list[str]) -> None:
    """What the worker's thread does, with short rests and small batches."""
    feed = ResultFeed(outbox, graph, limits=FeedLimits(interval_s=0.01, runs=5, lines=20, rest_s=0.1, rest_most_s=0.5))
    while not over.is_set():
        try:
            if feed.wanted():
                feed.feed()
        except ZtsError as error:
            told.append(str(error))
        over.wait(0.01)


def test_a_neo4j_killed_in_the_middle_of_batches_ends_up_equal_to_the_ledger(
    neo4j: Neo4jServer, graph: Neo4jGraph, redis_url: str, outbox: RedisOutbox
) -> None:
    player = Player(redis_url, 51)
    over, told = threading.Event(), list[str]()
    feeding = threading.Thread(target=keep_feeding, args=(outbox, graph, over, told))
    feeding.start()
    try:
        run_ids = player.play(24)
        wait_until(lambda: graph.ask("MATCH (s:Step) RETURN count(s)", {}, limit=1).rows[0][0] > 20, what="some steps")
        assert outbox.backlog().runs > 0, "the kill has to hit a feed at work"
        neo4j.kill()
        run_ids += player.play(6)
        wait_until(lambda: outbox.backlog().trouble, what="the feed notices")
        assert outbox.backlog().runs >= 6
        neo4j.start()
        wait_until(lambda: outbox.backlog().runs == 0, within_s=120, what=f"the outbox drains, {told[-1:]}")
    finally:
        over.set()
        feeding.join(30)
        if neo4j.process is None:
            neo4j.start()
    for run_id in run_ids:
        assert found(graph, run_id) == expected(player.store, run_id)
    assert any("does not answer" in line for line in told)
    whole = picture(graph)
    outbox.refill()
    ResultFeed(outbox, graph).drain(within_s=60)
    assert picture(graph) == whole


def test_both_graphs_hold_the_same(
    graph: Neo4jGraph, graph_module: GraphModuleServer, redis_url: str, outbox: RedisOutbox
) -> None:
    Player(redis_url, 53).play(8)
    embedded = graph_module.graph()
    clear(embedded)
    ResultFeed(outbox, graph).feed()
    outbox.refill()
    ResultFeed(outbox, embedded).feed()
    assert picture(embedded) == picture(graph)


def test_a_frozen_neo4j_holds_up_a_call_for_its_time_out_only(neo4j: Neo4jServer, graph: Neo4jGraph) -> None:
    hasty = neo4j.graph(timeout_s=1.0)
    assert hasty.ask("RETURN 1", {}, limit=1).rows == [[1]]
    neo4j.signal(signal.SIGSTOP)
    try:
        with pytest.raises(ServiceUnavailable, match="does not answer within 1 s"):
            hasty.ask("RETURN 1", {}, limit=1)
    finally:
        neo4j.signal(signal.SIGCONT)
    assert graph.ask("RETURN 1", {}, limit=1).rows == [[1]]
    hasty.close()


def one_line(call: Callable[[], object], kind: type[ZtsError] = ServiceUnavailable) -> str:
    with pytest.raises(kind) as raised:
        call()
    line = str(raised.value)
    assert "\n" not in line
    assert len(line) < 400
    assert PASSWORD not in line
    return line


def ask(graph: Neo4jGraph) -> Callable[[], object]:
    def once() -> object:
        with closing(graph):
            return graph.ask("RETURN 1", {}, limit=1)

    return once


def test_a_wrong_password_is_one_line_with_the_cure(neo4j: Neo4jServer) -> None:
    line = one_line(ask(neo4j.graph(password="wrong")))
    assert "refuses the login of 'neo4j'" in line
    assert "NEO4J_PASSWORD" in line


def test_an_unknown_database_is_one_line_with_the_cure(neo4j: Neo4jServer) -> None:
    line = one_line(ask(neo4j.graph(database="nowhere")))
    assert "nowhere" in line
    assert "ZTS_NEO4J_DATABASE" in line


def test_nobody_at_the_address_is_one_line_with_the_cure() -> None:
    nobody = Neo4jGraph(f"bolt://127.0.0.1:{free_port()}", user="neo4j", password="x", database=None, timeout_s=5)
    line = one_line(ask(nobody))
    assert "does not answer" in line
    assert "correct NEO4J_URI" in line


@pytest.mark.parametrize("scheme", ["bolt+s", "neo4j+ssc"])
def test_tls_asked_of_a_server_without_it_is_one_line_with_the_cure(neo4j: Neo4jServer, scheme: str) -> None:
    uri = neo4j.uri.replace("bolt", scheme)
    line = one_line(ask(Neo4jGraph(uri, user="neo4j", password=PASSWORD, database=None, timeout_s=10)))
    assert "TLS" in line


def test_a_database_that_only_reads_is_one_line_and_can_still_be_asked(neo4j: Neo4jServer, graph: Neo4jGraph) -> None:
    system = neo4j.graph(database="system")
    line = one_line(system.prepare, ZtsError)
    assert "Neo4j at" in line
    system.close()


@pytest.mark.parametrize("uri", ["http://localhost:7474", "localhost", "neo5j://x"])
def test_an_address_that_is_none_is_said_before_anything_starts(uri: str) -> None:
    with pytest.raises(SettingInvalid, match="NEO4J_URI"):
        open_graph(Settings(neo4j_uri=uri))  # type: ignore[arg-type]


def test_a_query_that_takes_too_long_is_ended(neo4j: Neo4jServer) -> None:
    hasty = neo4j.graph(timeout_s=1.0)
    endless = "UNWIND range(1, 100000) AS a UNWIND range(1, 100000) AS b WITH a, b WHERE a * b = -1 RETURN count(*)"
    with pytest.raises((ServiceUnavailable, GraphRefused)):
        hasty.ask(endless, {}, limit=1)
    hasty.close()


@pytest.fixture
def stack(neo4j: Neo4jServer, tmp_path: Path) -> Iterator[tuple[RedisServer, dict[str, str]]]:
    server = RedisServer()
    record = {"ZTS_TEST_RECORD": str(tmp_path / "record")}
    environment = {**neo4j.environment, **record, "ZTS_TICK": "0.2", "ZTS_GRAPH_TIMEOUT": "4"}
    yield server, environment
    server.close()


@pytest.mark.worker
def test_results_are_in_neo4j_within_seconds_and_a_neo4j_that_hangs_holds_up_no_run(
    neo4j: Neo4jServer, graph: Neo4jGraph, stack: tuple[RedisServer, dict[str, str]], tmp_path: Path
) -> None:
    server, environment = stack
    worker = Worker(server.url, tmp_path, environment=environment)
    try:
        worker.wait_ready()
        runs = Runs(server.url, tmp_path / "record")
        outbox = RedisOutbox(server.url, timeout_s=10)
        first = runs.play([step("A"), step("B")]).run_id
        ended = "MATCH (r:Run {id: $id, status: 'finished'})-[:HAS_STEP]->(s {status: 'done'}) RETURN count(s)"
        wait_until(lambda: graph.ask(ended, {"id": first}, limit=1).rows == [[2]], within_s=20, what="it is in Neo4j")
        neo4j.signal(signal.SIGSTOP)
        second = runs.play([step("A"), step("B"), step("C")]).run_id
        assert runs.store.run(second).outcome == "completed"
        wait_until(lambda: "result feed" in worker.said(), what="the worker says so")
        neo4j.signal(signal.SIGCONT)
        wait_until(lambda: graph.ask(ended, {"id": second}, limit=1).rows == [[3]], within_s=60, what="it catches up")
        wait_until(lambda: outbox.backlog().runs == 0, what="the outbox is empty")
    finally:
        neo4j.signal(signal.SIGCONT)
        worker.stop()
    assert len(re.findall(r"does not answer", worker.said())) < 5, "a trouble that lasts is told once"
    assert PASSWORD not in worker.said()


@pytest.mark.worker
def test_a_wrong_password_leaves_the_runs_alone(stack: tuple[RedisServer, dict[str, str]], tmp_path: Path) -> None:
    server, environment = stack
    worker = Worker(server.url, tmp_path, environment={**environment, "NEO4J_PASSWORD": "wrong"})
    try:
        worker.wait_ready()
        runs = Runs(server.url, tmp_path / "record")
        assert runs.play([step("A")]).outcome == "completed"
        outbox = RedisOutbox(server.url, timeout_s=10)
        wait_until(lambda: "refuses the login" in outbox.backlog().trouble, what="the backlog says why")
        assert worker.process.poll() is None
    finally:
        worker.stop()
