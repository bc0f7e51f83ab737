"""What a finished run leaves in Redis: nothing, once its retention is over."""

from __future__ import annotations

import pytest
import redis

from tests.contracts.store_worlds import World, redis_world
from tests.unit.heart.playing import approval, loop, parallel, step
from zts_core.ports import ClaimVerdict
from zts_core.redis_store import RedisStore
from zts_core.run import Outcome
from zts_producer.lookup import find_run

pytestmark = pytest.mark.redis

KEPT = 0.1
"""Seconds a finished run is kept in these tests."""

OF_ALL_RUNS = {"zts:overtaken", "zts:tick", "zts:counts"}
"""Single keys of the whole store, bounded no matter how many runs there were."""


@pytest.fixture
def world(redis_url: str) -> World:
    return redis_world(redis_url, retention_s=KEPT)


@pytest.fixture
def client(redis_url: str) -> redis.Redis:
    return redis.Redis.from_url(redis_url, decode_responses=True)


def keys_left(client: redis.Redis) -> set[str]:
    return {str(key) for key in client.keys("*")} - OF_ALL_RUNS


def finish(world: World) -> None:
    """Play a run with a retry, a takeover, a question and a loop to its end."""
    nodes = (parallel(step("A"), step("B"), approval("OK", timeout=0.5)), loop("L", step("S", "a"), times=2))
    plan = world.submit(*nodes, key="mine", deadline_s=KEPT)
    world.claimed(1, lease_s=0.01)
    world.claimed(2)
    world.store.say("r1", 2, attempt=1, line="at it")
    world.store.back_off("r1", 2, attempt=1, delay_s=0.01, error="x")
    world.let_pass(0.02)
    world.store.requeue_expired("r1", 1, takeovers=3)
    world.store.requeue_retry("r1", 2)
    for seq in (1, 2):
        world.settle(seq, attempt=world.claimed(seq))
    world.store.answer("r1", 3, approved=True, by="ada", comment="")
    world.advance(plan)
    for seq in (4, 5):
        world.claimed(seq)
        world.settle(seq)
        world.advance(plan)
    assert world.store.run("r1").outcome is Outcome.EXHAUSTED


def test_no_key_is_left_once_the_retention_of_a_finished_run_is_over(world: World, client: redis.Redis) -> None:
    finish(world)
    assert keys_left(client)
    world.let_pass(3 * KEPT)
    assert len(world.store.sweep()) == 1
    assert not world.store.sweep()
    assert keys_left(client) == set()
    assert list(world.store.runs(limit=10)) == []


def test_a_run_is_kept_until_its_retention_is_over(world: World, redis_url: str) -> None:
    kept = redis_world(redis_url, retention_s=60)
    finish(kept)
    assert not kept.store.sweep()
    assert kept.store.run("r1").outcome is Outcome.EXHAUSTED


def test_an_unfinished_run_never_expires(world: World, client: redis.Redis) -> None:
    world.submit(step("A"), deadline_s=3600)
    for key in client.keys("zts:run:*"):
        assert client.ttl(key) == -1


def test_a_finished_run_leaves_no_trace_in_what_is_due(world: World, client: redis.Redis) -> None:
    finish(world)
    for name in ("queued", "leases", "timers", "undecided", "active"):
        assert client.zrange(f"zts:{name}", 0, -1) == []


def test_a_late_worker_of_a_finished_run_writes_no_new_key(world: World, client: redis.Redis) -> None:
    finish(world)
    world.let_pass(3 * KEPT)
    world.store.sweep()
    assert world.claim(1).verdict is ClaimVerdict.UNKNOWN
    world.settle(1)
    world.store.say("r1", 1, attempt=1, line="late")
    world.store.renew("r1", 1, attempt=1, lease_s=5)
    world.store.back_off("r1", 1, attempt=1, delay_s=1, error="late")
    world.store.withdraw("r1", outcome=Outcome.CANCELLED, reason="late")
    world.store.pause("r1", paused=True)
    world.store.answer("r1", 3, approved=True, by="late", comment="")
    assert keys_left(client) == set()


def test_a_key_whose_run_is_gone_starts_a_new_one(world: World) -> None:
    plan = world.submit(step("A"), key="mine", deadline_s=3600)
    world.claimed()
    world.settle()
    world.advance(plan)
    world.let_pass(2 * KEPT)
    world.store.sweep()
    run_id = world.create(plan, run_id="r2", key="mine", deadline_s=3600)
    assert world.store.run(run_id).run_id == "r2"


def test_the_plan_of_an_unfinished_run_is_kept_however_long_it_takes(world: World, redis_url: str) -> None:
    plan = world.submit(step("A"), deadline_s=KEPT)
    world.let_pass(4 * KEPT)
    another_process = RedisStore(redis_url, retention_s=KEPT, timeout_s=5)
    assert another_process.plan(plan.digest).digest == plan.digest


def test_the_last_run_is_the_newest_that_is_kept_though_a_newer_one_is_gone(world: World, client: redis.Redis) -> None:
    world.submit(step("A"))
    client.zadd("zts:runs", {"1s8z00000000": 10**14})
    assert find_run(world.store, "last", place="here") == "r1"
