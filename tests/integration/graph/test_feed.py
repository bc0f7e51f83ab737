"""The feed on a real outbox: the graph equals the ledger, whatever is delivered twice, late or not at all."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis
from graph_histories import Player
from graph_picture import clear, picture
from graph_replay import expected, found
from graph_servers import GraphModuleServer

from zts_core.errors import GraphRefused, ServiceUnavailable
from zts_core.graph.feed import FeedLimits, ResultFeed
from zts_core.graph.port import Changes, ResultGraph
from zts_core.graph.translate import MEANINGS
from zts_core.outbox import UNREADABLE
from zts_core.redis_store.outbox import RedisOutbox

pytestmark = pytest.mark.redis
RUNS = 12


@pytest.fixture
def graph(graph_module: GraphModuleServer) -> Iterator[ResultGraph]:
    graph = graph_module.graph()
    clear(graph)
    yield graph
    graph.close()


@pytest.fixture
def client(redis_url: str) -> redis.Redis:
    client = redis.Redis.from_url(redis_url, decode_responses=True)
    client.flushall()
    return client


@pytest.fixture
def outbox(redis_url: str, client: redis.Redis) -> RedisOutbox:
    return RedisOutbox(redis_url, timeout_s=10)


def feed_of(outbox: RedisOutbox, graph: ResultGraph, **limits: float) -> ResultFeed:
    return ResultFeed(outbox, graph, limits=FeedLimits(**limits))  # type: ignore[arg-type]


@pytest.mark.parametrize("seed", range(4))
def test_the_graph_equals_the_ledger(redis_url: str, outbox: RedisOutbox, graph: ResultGraph, seed: int) -> None:
    player = Player(redis_url, seed)
    run_ids = player.play(RUNS)
    feed_of(outbox, graph).feed()
    for run_id in run_ids:
        assert found(graph, run_id) == expected(player.store, run_id)
    assert outbox.backlog().runs == 0


@pytest.mark.parametrize("seed", range(4))
def test_the_same_graph_comes_of_feeding_while_the_runs_go_on_in_batches_of_any_size(
    redis_url: str, outbox: RedisOutbox, graph: ResultGraph, seed: int
) -> None:
    player = Player(redis_url, seed + 100)
    draw = random.Random(seed)
    run_ids = [player.start() for _ in range(RUNS)]
    going = list(run_ids)
    while going:
        going = [run_id for run_id in going if player.move(run_id)]
        for run_id in going:
            if not player.open_steps(run_id):
                player.dispatcher.advance_run(run_id)
        feed = feed_of(outbox, graph, runs=draw.randint(1, 5), lines=draw.randint(1, 9))
        if draw.random() < 0.3:
            feed.deliver(outbox.take(runs=3, lines=4))
    for run_id in list(run_ids):
        run_ids += player.live_on(run_id)
        feed_of(outbox, graph, runs=draw.randint(1, 5), lines=draw.randint(1, 9)).feed()
    feed_of(outbox, graph, lines=7).feed()
    piecemeal = picture(graph)
    for run_id in run_ids:
        assert found(graph, run_id) == expected(player.store, run_id)
    clear(graph)
    outbox.refill()
    feed_of(outbox, graph).feed()
    assert picture(graph) == piecemeal


def test_what_is_delivered_twice_or_late_changes_nothing(
    redis_url: str, outbox: RedisOutbox, graph: ResultGraph
) -> None:
    player = Player(redis_url, 7)
    run_ids = [player.start() for _ in range(RUNS)]
    seen = []
    while [run_id for run_id in run_ids if player.move(run_id)]:
        for run_id in run_ids:
            if not player.open_steps(run_id):
                player.dispatcher.advance_run(run_id)
        pending = outbox.take(runs=3, lines=5)
        seen.append(pending)
        feed_of(outbox, graph).deliver(pending)
    feed_of(outbox, graph).feed()
    before = picture(graph)
    random.Random(1).shuffle(seen)
    for pending in seen:
        feed_of(outbox, graph).deliver(pending)
    assert picture(graph) == before
    assert outbox.backlog().runs == 0, "an old acknowledgement must not bring a run back"


def test_the_random_histories_hold_every_kind_of_line(redis_url: str, client: redis.Redis) -> None:
    players = [Player(redis_url, seed) for seed in range(4)]
    ledgers = [player.store.ledger(run_id) for player in players for run_id in player.play(RUNS)]
    seen = {entry.kind for ledger in ledgers for entry in ledger}
    assert set(MEANINGS) - seen <= {UNREADABLE, "halted"}
    assert any(sum(entry.kind == "run_finished" for entry in ledger) == 2 for ledger in ledgers)


def test_the_picture_in_the_docs_shows_every_relationship_that_there_is_and_no_other(
    redis_url: str, outbox: RedisOutbox, graph: ResultGraph
) -> None:
    page = (Path(__file__).parents[3] / "docs" / "graph.md").read_text("utf-8")
    drawn = set(re.findall(r'^    (\w+) -- "?(\w+)(?: \(path\))?"? --> (\w+)$', page, re.MULTILINE))
    for seed in range(3):
        Player(redis_url, seed).play(RUNS)
    feed_of(outbox, graph).feed()
    asked = graph.ask("MATCH (a)-[x]->(b) RETURN DISTINCT labels(a)[0], type(x), labels(b)[0]", {}, limit=100)
    assert {tuple(row) for row in asked.rows} == drawn


class Unreliable:
    """A graph that fails after the first statements of a batch, as one without rollback would."""

    def __init__(self, graph: ResultGraph, chance: random.Random) -> None:
        self.graph = graph
        self.chance = chance
        self.failures = 0

    def write(self, changes: Changes) -> None:
        if self.chance.random() < 0.5:
            some = Changes()
            kept = list(changes._rows.items())
            some._rows = dict(kept[: self.chance.randint(0, len(kept))])
            self.graph.write(some)
            self.failures += 1
            raise ServiceUnavailable("the line went dead in the middle of the batch")
        self.graph.write(changes)

    def __getattr__(self, name: str) -> object:
        return getattr(self.graph, name)


def test_a_batch_that_was_half_written_is_mended_by_writing_it_again(
    redis_url: str, outbox: RedisOutbox, graph: ResultGraph
) -> None:
    player = Player(redis_url, 11)
    run_ids = player.play(RUNS)
    shaky = Unreliable(graph, random.Random(3))
    feed = feed_of(outbox, shaky, runs=2, lines=6, rest_s=0)  # type: ignore[arg-type]
    while outbox.backlog().runs:
        try:
            feed.feed()
        except ServiceUnavailable:
            assert "dead" in outbox.backlog().trouble
    assert shaky.failures > 5
    assert outbox.backlog().trouble == ""
    for run_id in run_ids:
        assert found(graph, run_id) == expected(player.store, run_id)


def test_a_line_that_makes_no_sense_is_set_aside_after_three_tries_and_holds_up_nobody(
    redis_url: str, outbox: RedisOutbox, graph: ResultGraph, client: redis.Redis
) -> None:
    player = Player(redis_url, 13)
    first, second = player.start(), player.start()
    client.xadd(f"zts:run:{first}:ledger", {"kind": "attempt_failed", "seq": "1", "detail": "no JSON"})
    client.xadd(f"zts:run:{first}:ledger", {"kind": "gate", "seq": "0", "detail": "{}"})
    for run_id in (first, second):
        player.finish(run_id)
    feed = feed_of(outbox, graph, rest_s=0, budget_s=5)
    for _ in range(8):
        feed.feed()
    assert found(graph, second) == expected(player.store, second)
    assert outbox.backlog().runs == 0
    assert outbox.backlog().poison == 2
    aside = client.hgetall("zts:outbox:poison")
    assert all(name.startswith(first) for name in aside)  # type: ignore[union-attr]
    assert found(graph, first)["run"] == expected_run(player, first)


def expected_run(player: Player, run_id: str) -> list[object]:
    record = player.store.run(run_id)
    return [record.title, record.workflow, "finished", record.outcome, record.reason, record.max_steps]


class Picky:
    """A graph that refuses one step's rows."""

    def __init__(self, graph: ResultGraph, step: str) -> None:
        self.graph = graph
        self.step = step

    def write(self, changes: Changes) -> None:
        if self.step in changes._rows.get("attempts", {}):
            raise GraphRefused(f"not {self.step}")
        self.graph.write(changes)

    def __getattr__(self, name: str) -> object:
        return getattr(self.graph, name)


def test_rows_that_the_graph_refuses_are_set_aside_and_the_rest_of_the_batch_arrives(
    redis_url: str, outbox: RedisOutbox, graph: ResultGraph
) -> None:
    player = Player(redis_url, 17)
    run_ids = player.play(4)
    picky = Picky(graph, f"{run_ids[0]}#1#1")
    feed = feed_of(outbox, picky, rest_s=0)  # type: ignore[arg-type]
    for _ in range(10):
        feed.feed()
    assert outbox.backlog().runs == 0
    assert outbox.backlog().poison >= 1
    for run_id in run_ids[1:]:
        assert found(graph, run_id) == expected(player.store, run_id)


def test_only_one_process_feeds_at_a_time(redis_url: str, outbox: RedisOutbox, graph: ResultGraph) -> None:
    Player(redis_url, 19).play(1)
    other = RedisOutbox(redis_url, timeout_s=10)
    with other.feeder(lease_s=30) as lease:
        assert lease is not None
        assert feed_of(outbox, graph).feed() == 0
        assert not feed_of(outbox, graph).wanted()
    assert feed_of(outbox, graph).feed() > 0


def test_a_feeder_that_died_is_replaced_when_its_lease_is_over(
    redis_url: str, outbox: RedisOutbox, graph: ResultGraph
) -> None:
    Player(redis_url, 23).play(1)
    dead = RedisOutbox(redis_url, timeout_s=10).feeder(lease_s=0.05)
    dead.__enter__()
    feed = feed_of(outbox, graph)
    while not feed.feed():
        pass
    assert outbox.backlog().runs == 0


def test_the_feed_is_asked_for_once_per_interval_and_only_where_something_waits(
    redis_url: str, outbox: RedisOutbox, graph: ResultGraph
) -> None:
    feed = feed_of(outbox, graph, interval_s=0.01)
    assert not feed.wanted()
    Player(redis_url, 29).start()
    patient = feed_of(outbox, graph, interval_s=30)
    while not patient.wanted():
        pass
    assert not patient.wanted()


def test_after_a_failure_the_feed_rests_longer_each_time(
    redis_url: str, outbox: RedisOutbox, graph: ResultGraph
) -> None:
    rests = [outbox.rest(trouble="down", base_s=1, most_s=5) for _ in range(5)]
    assert rests == [1, 2, 4, 5, 5]
    Player(redis_url, 31).start()
    assert not feed_of(outbox, graph, interval_s=0.001).wanted()
    assert outbox.backlog().trouble == "down"
    outbox.recovered()
    assert outbox.backlog().trouble == ""


def test_the_backlog_tells_how_long_the_oldest_run_waits(
    redis_url: str, outbox: RedisOutbox, client: redis.Redis
) -> None:
    assert outbox.backlog().oldest_s == 0
    run_id = Player(redis_url, 37).start()
    since = client.zscore("zts:outbox", run_id)
    client.zadd("zts:outbox", {run_id: since - 90_000})  # type: ignore[operator]
    assert 90 <= outbox.backlog().oldest_s < 120


def test_without_a_graph_the_outbox_forgets_a_run_when_the_store_does(redis_url: str, client: redis.Redis) -> None:
    player = Player(redis_url, 41, retention_s=0.05)
    run_id = player.play(1)[0]
    assert client.zscore("zts:outbox", run_id)
    while client.exists(f"zts:run:{run_id}") or not player.store.sweep():
        pass
    assert client.keys("zts:outbox*") == []


def test_news_of_a_run_that_is_gone_is_dropped_and_makes_no_key(
    redis_url: str, outbox: RedisOutbox, graph: ResultGraph, client: redis.Redis
) -> None:
    player = Player(redis_url, 43)
    run_id = player.play(1)[0]
    pending = outbox.take(runs=5, lines=500)
    client.delete(*client.keys(f"zts:run:{run_id}*"))
    feed_of(outbox, graph).deliver(pending)
    assert client.keys(f"zts:run:{run_id}*") == []
    client.zadd("zts:outbox", {run_id: 1})
    assert list(outbox.take(runs=5, lines=500)) == []
    assert outbox.backlog().runs == 0
