"""What every index of ideas promises, in memory and on a real Redis."""

from __future__ import annotations

import pytest
import redis

from tests.contracts.store_worlds import SEALER, World, memory_world, redis_world
from tests.fakes import MemoryIdeas, MemoryStore
from tests.unit.heart.playing import plan_of, step
from zts_core.advance import advance
from zts_core.ports import IdeaIndex, NewRun
from zts_core.redis_store.ideas import SHELF, RedisIdeas
from zts_core.run import RunState
from zts_core.sealing import NO_SEALER

HIVES = "A log for bee hives. Keepers record each inspection of a hive with a date, the weather and notes."
HIVES_AGAIN = "# A log for Bee Hives\n\nKeepers record each inspection of a hive, with date, weather, notes and photos!"
BREAD = "Bakers plan tomorrow's bread. Orders arrive by telephone and are written on paper that gets lost."


class Ideas:
    """A store with an index beside it."""

    def __init__(self, world: World, index: IdeaIndex) -> None:
        self.world = world
        self.index = index

    def submit(self, run_id: str, idea: str) -> None:
        plan = plan_of(step("A"))
        new = NewRun(run_id, idea, idea[:20], "main", 50, 60.0)
        self.world.store.create(new, plan, advance(plan, RunState(max_steps=50)))
        self.index.remember(run_id, idea, deadline_s=60.0)

    def alike(self, idea: str) -> list[str]:
        return [seen.run_id for seen in self.index.alike(idea)]


@pytest.fixture(params=["memory", *(pytest.param(name, marks=pytest.mark.redis) for name in ("redis", "sealed"))])
def ideas(request: pytest.FixtureRequest) -> Ideas:
    if request.param == "memory":
        world = memory_world()
        assert isinstance(world.store, MemoryStore)
        return Ideas(world, MemoryIdeas(world.store))
    url = request.getfixturevalue("redis_url")
    sealer = SEALER if request.param == "sealed" else NO_SEALER
    return Ideas(redis_world(url, sealer=sealer), RedisIdeas(url, retention_s=60, timeout_s=5, sealer=sealer))


def test_nothing_is_like_the_first_idea(ideas: Ideas) -> None:
    assert ideas.index.alike(HIVES) == ()


def test_the_very_same_idea_is_wholly_alike_and_says_how_its_run_stands(ideas: Ideas) -> None:
    ideas.submit("r1", HIVES)
    (seen,) = ideas.index.alike(HIVES)
    assert str(seen) == "run r1 (running, 100% alike): A log for bee hives."


def test_an_idea_in_other_words_and_order_is_found_and_another_idea_is_not(ideas: Ideas) -> None:
    ideas.submit("r1", HIVES)
    ideas.submit("r2", BREAD)
    (seen,) = ideas.index.alike(HIVES_AGAIN)
    assert seen.run_id == "r1"
    assert 0.6 <= seen.likeness < 1


def test_the_most_alike_comes_first_and_few_are_named(ideas: Ideas) -> None:
    ideas.submit("r1", HIVES_AGAIN)
    for number in range(2, 7):
        ideas.submit(f"r{number}", HIVES)
    found = ideas.alike(HIVES)
    assert len(found) == 3
    assert "r1" not in found
    assert found[0] == "r6"


@pytest.mark.parametrize("idea", ["", "?!", "an ox", "🐝🐝🐝"])
def test_an_idea_without_words_is_like_none(ideas: Ideas, idea: str) -> None:
    ideas.submit("r1", idea)
    assert ideas.index.alike(idea) == ()


@pytest.mark.redis
def test_on_redis_a_look_up_asks_for_few_runs_however_many_there_are(redis_url: str) -> None:
    ideas = Ideas(redis_world(redis_url), RedisIdeas(redis_url, retention_s=60, timeout_s=5))
    for number in range(3 * SHELF):
        ideas.submit(f"r{number}", HIVES)
    client = redis.Redis.from_url(redis_url, decode_responses=True)
    before = client.info("commandstats")["cmdstat_hmget"]["calls"]
    assert len(ideas.alike(HIVES)) == 3
    assert client.info("commandstats")["cmdstat_hmget"]["calls"] - before <= 8
    shelves = list(client.scan_iter("zts:alike:*"))
    assert shelves
    assert all(client.llen(key) <= SHELF and 0 < client.ttl(key) <= 120 for key in shelves)


@pytest.mark.redis
def test_on_redis_a_run_that_is_gone_is_not_named(redis_url: str) -> None:
    ideas = Ideas(redis_world(redis_url), RedisIdeas(redis_url, retention_s=60, timeout_s=5))
    ideas.submit("r1", HIVES)
    redis.Redis.from_url(redis_url).delete("zts:run:r1")
    assert ideas.alike(HIVES) == []
