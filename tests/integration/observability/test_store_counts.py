"""The store's counters say what the ledgers say, whatever happens to workers and messages."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from importlib.resources import files

import pytest
from fakes import MemoryQueue

from tests.contracts.store_worlds import World, redis_world
from tests.unit.heart.playing import parallel, step
from zts_core.dispatch import Dispatcher
from zts_core.ports import Cost, Pace
from zts_core.redis_store.budgets import RedisCallBook
from zts_core.redis_store.counts import BOUNDS_MS, Counts, Levels, RedisCounts
from zts_core.reviving import Reviver
from zts_core.run import Outcome, Priority, SettledAs

pytestmark = pytest.mark.redis


@pytest.fixture
def world(redis_url: str) -> World:
    return redis_world(redis_url)


@pytest.fixture
def counts(redis_url: str, world: World) -> Iterator[RedisCounts]:
    reader = RedisCounts(redis_url, timeout_s=5)
    yield reader
    reader.close()


def read(counts: RedisCounts) -> tuple[Counts, Levels]:
    return counts.read()


def statuses(counts: Counts) -> Counter[str]:
    found: Counter[str] = Counter()
    for (_, status, _), number in counts.attempts.items():
        found[status] += number
    return found


def test_a_run_is_counted_when_it_is_recorded_and_when_it_ends(world: World, counts: RedisCounts) -> None:
    plan = world.submit(step("A"))
    assert read(counts)[0].created == {"main": 1}
    assert read(counts)[1].active_runs == 1
    world.claimed()
    world.settle()
    world.advance(plan)
    found, levels = read(counts)
    assert {(name, outcome) for name, outcome, _ in found.runs} == {("main", "completed")}
    assert found.run_ms["main"] >= 1
    assert levels.active_runs == 0


def test_what_waits_is_counted_by_priority(world: World, counts: RedisCounts) -> None:
    for number, priority in enumerate((Priority.LOW, Priority.HIGH, Priority.LOW)):
        world.submit(step("A"), run_id=f"waits{number}", priority=priority)
    levels = read(counts)[1]
    assert {priority: number for priority, (number, _) in levels.waiting.items()} == {"high": 1, "normal": 0, "low": 2}
    assert levels.queued == 3
    assert levels.waiting["normal"][1] == 0
    assert levels.oldest_queued_s == max(seconds for _, seconds in levels.waiting.values()) >= 0


def test_an_end_that_a_retry_took_back_is_counted_as_such(world: World, counts: RedisCounts) -> None:
    plan = world.submit(step("A"), step("B"))
    world.claimed()
    world.settle(status=SettledAs.FAILED)
    world.advance(plan)
    Reviver(Dispatcher(world.store, MemoryQueue())).retry_run("r1")
    found, levels = read(counts)
    assert (found.created["main"], sum(found.runs.values()), found.reopened["main"]) == (1, 1, 1)
    assert levels.active_runs == 1
    ends = Counter(entry.kind for entry in world.store.ledger("r1"))
    assert (ends["run_finished"], ends["run_reopened"]) == (1, 1)


def test_a_submit_that_is_repeated_counts_once(world: World, counts: RedisCounts) -> None:
    world.submit(step("A"), key="mine")
    world.submit(step("A"), key="mine", run_id="r2")
    assert read(counts)[0].created == {"main": 1}


def test_a_crew_is_known_from_the_first_run_that_may_call_it(world: World, counts: RedisCounts) -> None:
    world.submit(step("A"), step("B"))
    found = read(counts)[0]
    assert set(found.attempt_ms) == {"a", "b"}
    assert not found.attempts


def test_a_late_commit_counts_nothing(world: World, counts: RedisCounts) -> None:
    world.submit(step("A"), step("B"))
    world.claimed()
    world.settle()
    world.settle()
    world.settle(attempt=2)
    assert statuses(read(counts)[0]) == {"done": 1}


def test_each_attempt_ends_in_one_status(world: World, counts: RedisCounts) -> None:
    world.submit(parallel(step("A"), step("B"), step("C"), step("D")))
    world.claimed(1)
    world.store.back_off("r1", 1, attempt=1, delay_s=0.001, error="x")
    world.let_pass(0.01)
    world.store.requeue_retry("r1", 1)
    world.settle(1, attempt=world.claimed(1), status=SettledAs.FAILED, reason="no")
    for _ in range(3):
        world.claimed(2, lease_s=0.001)
        world.let_pass(0.01)
        world.store.requeue_expired("r1", 2, takeovers=2)
    world.claimed(3, lease_s=0.001)
    world.claimed(4, lease_s=0.3)
    world.let_pass(0.01)
    world.store.withdraw("r1", outcome=Outcome.CANCELLED, reason="by ada")
    world.let_pass(0.3)
    world.store.requeue_expired("r1", 4, takeovers=2)
    found = read(counts)[0]
    assert statuses(found) == {"retried": 1, "failed": 1, "lost": 2, "dead": 1, "cancelled": 2}
    assert statuses(found).total() == world.kinds().count("attempt_started")
    assert found.takeovers.total() == world.kinds().count("lease_expired") == 4


def test_what_model_calls_cost_is_counted_by_crew_and_a_low_budget_once(
    world: World, counts: RedisCounts, redis_url: str
) -> None:
    world.submit(step("A", "writer"), budget_tokens=1000)
    attempt = world.claimed()
    book = RedisCallBook(redis_url, retention_s=60, timeout_s=5)
    for number in range(4):
        call = f"call{number}"
        book.reserve(
            "r1", 1, attempt=attempt, call=call, crew="writer", most=Cost(0.01, 280), provider="p", pace=Pace()
        )
        book.settle("r1", 1, call=call, cost=Cost(0.0025, 240), detail={})
        book.settle("r1", 1, call=call, cost=Cost(0.0025, 240), detail={})
    book.close()
    found = read(counts)[0]
    booked = world.kinds().count("model_call")
    assert (found.model_calls["writer"], found.tokens["writer"]) == (booked, 240 * booked)
    assert found.micro_usd["writer"] == 2500 * booked
    assert booked * 240 >= 800
    assert found.low_budgets == {"main": 1}


def test_levels_tell_what_waits_and_since_when(world: World, counts: RedisCounts) -> None:
    world.submit(parallel(step("A"), step("B")))
    world.claimed(1, lease_s=0.001)
    world.let_pass(0.05)
    levels = read(counts)[1]
    assert (levels.queued, levels.leases) == (1, 1)
    assert levels.oldest_queued_s >= 0.05
    assert levels.overdue_s["lease"] > 0
    assert levels.overdue_s["undecided"] == 0


def test_names_past_the_limit_share_one(world: World, counts: RedisCounts, redis_url: str) -> None:
    import redis

    with redis.Redis.from_url(redis_url) as client:
        client.hset("zts:counts", mapping={f"created flow_{n}": 1 for n in range(10_000)})
    world.submit(step("A"))
    assert read(counts)[0].created["other"] == 1
    assert "main" not in read(counts)[0].created


def test_the_bounds_are_those_of_the_scripts() -> None:
    prelude = (files("zts_core.redis_store") / "lua" / "prelude.lua").read_text("utf-8")
    assert f"local BOUNDS = {{ {', '.join(map(str, BOUNDS_MS))} }}" in prelude
