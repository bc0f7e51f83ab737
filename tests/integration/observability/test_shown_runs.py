"""A bounded number of runs have series of their own, read by one worker, until after their end."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import redis
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import generate_latest

from tests.contracts.store_worlds import World, redis_world
from tests.unit.heart.playing import approval, parallel, step
from zts_core.advance import advance
from zts_core.errors import ServiceUnavailable
from zts_core.limits import Budget
from zts_core.ports import Cost, Pace
from zts_core.redis_store.budgets import RedisCallBook
from zts_core.redis_store.keys import run_key
from zts_core.redis_store.shown import MORE, SHOWN_AFTER_END_S, SHOWN_AT_LEAST_S, RedisShownRuns, ShownRun
from zts_core.run import Ending, Outcome
from zts_worker.metrics.cluster import ClusterCollector
from zts_worker.metrics.runs import MOST_STATES, RunsCollector

pytestmark = pytest.mark.redis

MOST = 3


class Clock:
    """Seconds that pass when they are told to."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def world(redis_url: str) -> World:
    return redis_world(redis_url)


@pytest.fixture
def shown(redis_url: str, world: World) -> Iterator[RedisShownRuns]:
    reader = RedisShownRuns(redis_url, most=MOST, timeout_s=5)
    yield reader
    reader.close()


@pytest.fixture
def client(redis_url: str) -> Iterator[redis.Redis]:
    with redis.Redis.from_url(redis_url, decode_responses=True) as connected:
        yield connected


def ids(shown: RedisShownRuns) -> set[str]:
    return {run.run_id for run in shown.read()}


def only(shown: RedisShownRuns) -> ShownRun:
    (run,) = shown.read()
    return run


def end(world: World, run_id: str) -> None:
    world.store.withdraw(run_id, outcome=Outcome.CANCELLED, reason="enough")
    position = world.store.position(run_id)
    plan = world.store.plan(world.store.run(run_id).plan_digest)
    decision = advance(plan, position.state, position.settled, stop=Ending(Outcome.CANCELLED, "enough"))
    world.store.record(run_id, decision, version=position.version)
    assert world.store.run(run_id).outcome


def age(client: redis.Redis, run_id: str, seconds: float) -> None:
    """As if a run had ended that long ago."""
    finished = int(str(client.hget(run_key(run_id), "finished")))
    client.hset(run_key(run_id), "finished", str(int(finished - seconds * 1000)))


def test_a_run_tells_where_its_steps_stand_and_for_how_long(world: World, shown: RedisShownRuns) -> None:
    world.submit(parallel(step("A", "a"), step("B", "b"), approval("GO")), step("C"), budget_tokens=5000)
    world.claimed(1)
    world.let_pass(0.05)
    run = only(shown)
    assert (run.run_id, run.workflow, run.status) == ("r1", "main", "running")
    assert run.steps == {"running": 1, "queued": 1, "waiting": 1}
    assert {(each.state, each.status, each.number) for each in run.open} == {
        ("A", "running", 1),
        ("B", "queued", 1),
        ("GO", "waiting", 1),
    }
    assert all(0.05 <= each.longest_s <= run.age_s for each in run.open)
    assert (run.cost, run.budget) == (Cost(), Budget(None, 5000))
    world.store.pause("r1", paused=True)
    assert only(shown).status == "paused"


def test_retries_takeovers_and_cost_are_the_runs_own(world: World, shown: RedisShownRuns, redis_url: str) -> None:
    world.submit(step("A", retry_attempts=2))
    world.claimed(lease_s=0.01)
    world.let_pass(0.02)
    world.store.requeue_expired("r1", 1, takeovers=3)
    attempt = world.claimed()
    book = RedisCallBook(redis_url, retention_s=60, timeout_s=5)
    most = Cost(1.0, 1000)
    book.reserve("r1", 1, attempt=attempt, call="c1", crew="a", most=most, provider="p", pace=Pace())
    book.settle("r1", 1, call="c1", cost=Cost(0.25, 700), detail={})
    book.close()
    world.store.back_off("r1", 1, attempt=attempt, delay_s=60, error="busy")
    run = only(shown)
    assert (run.retries, run.takeovers, run.cost) == (1, 1, Cost(0.25, 700))
    assert run.steps == {"retrying": 1}


def test_iterations_and_items_are_one_state_and_a_wide_wave_few_series(world: World, shown: RedisShownRuns) -> None:
    world.submit(parallel(*(step(f"S_{number}", "s") for number in range(60))), max_steps=1000)
    run = only(shown)
    assert run.steps == {"queued": 60}
    assert [(each.state, each.number) for each in run.open] == [("S_n", 50)]


def test_steps_that_do_not_count_against_the_cap_are_counted_too(world: World, shown: RedisShownRuns) -> None:
    number = 2 * MORE + 3
    world.submit(parallel(*(approval(f"GO_{place}") for place in range(number))))
    assert world.store.run("r1").started == 0
    run = only(shown)
    assert run.steps == {"waiting": number}
    assert [(each.state, each.number) for each in run.open] == [("GO_n", number)]


def test_no_more_runs_are_shown_than_there_are_places_and_series_stay_bounded(redis_url: str, world: World) -> None:
    shown = RedisShownRuns(redis_url, most=20, timeout_s=5)
    states = [step(f"STATE{letter}") for letter in "ABCDEFGHIJKLMNOPQRSTUVWXYZ"]
    for number in range(100):
        world.submit(parallel(*states), run_id=f"r{number}")
    registry = CollectorRegistry()
    registry.register(RunsCollector(shown.read))
    text = generate_latest(registry).decode()
    series = [line for line in text.splitlines() if not line.startswith("#")]
    assert len({line.split('run_id="')[1].split('"')[0] for line in series}) == 20
    assert len(series) == 20 * (7 + 1 + 4 + 2 * MOST_STATES)
    shown.close()


def test_the_newest_runs_get_the_places_and_keep_them(world: World, shown: RedisShownRuns) -> None:
    for number in range(5):
        world.submit(step("A"), run_id=f"r{number}")
        world.let_pass(0.002)
    assert ids(shown) == {"r2", "r3", "r4"}
    world.submit(step("A"), run_id="r5")
    assert ids(shown) == {"r2", "r3", "r4"}, "a place changes hands only when its run has ended"


def test_a_run_that_has_ended_is_shown_with_its_outcome_for_a_while(
    world: World, shown: RedisShownRuns, client: redis.Redis
) -> None:
    world.submit(step("A"))
    assert only(shown).status == "running"
    end(world, "r1")
    run = only(shown)
    assert (run.status, run.open) == ("cancelled", ())
    assert run.age_s == only(shown).age_s, "a duration does not grow"
    age(client, "r1", SHOWN_AFTER_END_S + 1)
    assert ids(shown) == set()
    assert client.zcard("zts:shown") == 0


def test_a_run_too_short_for_a_scrape_is_shown_where_there_is_room(world: World, shown: RedisShownRuns) -> None:
    world.submit(step("A"))
    end(world, "r1")
    assert ids(shown) == {"r1"}


def test_who_waits_for_a_place_gets_that_of_a_run_whose_end_was_seen(
    world: World, shown: RedisShownRuns, client: redis.Redis
) -> None:
    for number in range(MOST):
        world.submit(step("A"), run_id=f"r{number}")
    assert ids(shown) == {"r0", "r1", "r2"}
    end(world, "r1")
    world.submit(step("A"), run_id="new")
    assert ids(shown) == {"r0", "r1", "r2"}
    age(client, "r1", SHOWN_AT_LEAST_S + 1)
    assert ids(shown) == {"r0", "r2", "new"}


def test_a_run_that_was_dropped_leaves_its_place(world: World, shown: RedisShownRuns) -> None:
    world.submit(step("A"))
    assert ids(shown) == {"r1"}
    world.store.delete("r1", unfinished=True)
    assert ids(shown) == set()


def test_fewer_places_than_before_show_fewer_runs(world: World, shown: RedisShownRuns) -> None:
    for number in range(MOST):
        world.submit(step("A"), run_id=f"r{number}")
    assert len(ids(shown)) == MOST
    shown.most = 1
    assert len(ids(shown)) == 1


def test_one_worker_shows_the_runs_and_another_once_it_is_gone(
    world: World, redis_url: str, client: redis.Redis
) -> None:
    clock = Clock()
    first, second = (RedisShownRuns(redis_url, most=MOST, timeout_s=5, clock=clock) for _ in range(2))
    world.submit(step("A"))
    assert [ids(first), ids(second), ids(first)] == [{"r1"}, set(), {"r1"}]
    clock.now += 30
    assert ids(first) == {"r1"}
    assert 85_000 < int(str(client.pttl("zts:shown:by"))) <= 90_000, "for three scrapes of those that came so far"
    client.delete("zts:shown:by")
    assert [ids(second), ids(first)] == [{"r1"}, set()]
    first.close()
    second.close()


def test_a_step_that_is_sent_again_waits_since_it_was_sent_first(world: World, shown: RedisShownRuns) -> None:
    world.submit(step("A"))
    assert only(shown).open[0].longest_s < 1
    world.let_pass(0.05)
    world.store.touch_unclaimed("r1", 1)
    assert only(shown).open[0].longest_s >= 0.05


def test_reading_several_runs_takes_three_round_trips(world: World, shown: RedisShownRuns, client: redis.Redis) -> None:
    for number in range(MOST):
        world.submit(step("A"), run_id=f"r{number}")
    shown.read()

    def reads() -> int:
        return int(client.info("stats")["total_reads_processed"])

    reads()
    before = reads()
    own = reads() - before
    before = reads()
    assert len(shown.read()) == MOST
    assert reads() - before - own == 3


def test_a_redis_that_does_not_answer_is_asked_once_per_scrape() -> None:
    asked = []

    def away() -> Any:
        asked.append("counts")
        raise ServiceUnavailable("away")

    def runs() -> list[ShownRun]:
        asked.append("runs")
        return []

    cluster = ClusterCollector(away, known=lambda: (frozenset(), frozenset()))
    registry = CollectorRegistry()
    registry.register(cluster)
    registry.register(RunsCollector(cluster.after(runs)))
    assert "zerotoship_store_up 0.0" in generate_latest(registry).decode()
    assert asked == ["counts"], "waits would add up past a scrape's time-out"
