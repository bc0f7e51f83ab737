"""What a store said it had kept is looked up when another server answers."""

from __future__ import annotations

import pytest
import redis
from servers import RedisServer

from tests.contracts.store_worlds import World
from tests.unit.heart.playing import step
from zts_core.redis_store import RedisStore, keys
from zts_core.redis_store.counts import RedisCounts
from zts_core.redis_store.witness import Replaced, Witness

pytestmark = pytest.mark.redis


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_what_another_server_lacks_is_named_and_counted_once() -> None:
    server = RedisServer()
    try:
        clock = Clock()
        with server.client() as client:
            witness = Witness(client, place="here", remembered_s=60, clock=clock)
            keep(client, "old", version=1, done=1)
            witness.run_kept("old", 1)
            assert witness.look() is None
            clock.now = 100.0
            assert witness.look() is None, "the same server"
            keep(client, "kept", version=3, done=1)
            for run_id in ("kept", "behind", "gone"):
                witness.run_kept(run_id, 3)
            witness.result_kept("kept", 1)
            witness.result_kept("behind", 2)
            keep(client, "behind", version=2, done=1)
            server.stop()
            server.start()
            found = witness.look()
            assert found == Replaced("here", (("behind", 0), ("gone", 0), ("behind", 2)))
            assert "run behind, run gone, run behind step 2" in str(found)
            assert witness.look() is None, "it is told once"
        counts, _ = RedisCounts(server.url, timeout_s=5).read()
        assert (counts.replaced.total(), counts.lost.total()) == (1, 3)
    finally:
        server.close()


def test_a_run_that_somebody_deleted_is_not_missed(redis_url: str) -> None:
    client: redis.Redis = redis.Redis.from_url(redis_url, decode_responses=True)
    client.flushall()
    store = RedisStore(redis_url, retention_s=60, timeout_s=5)
    world = World(store, let_pass=lambda _: None)
    world.submit(step("A"))
    store.witness.result_kept("r1", 1)
    store.witness.run_kept("r2", 1)
    assert store.delete("r1", unfinished=True)
    found = store.witness.look()
    assert found is not None
    assert found.lost == (("r2", 0),)
    assert 0 < client.pttl(keys.DELETED) <= 120_000


def keep(client: redis.Redis, run_id: str, *, version: int, done: int) -> None:
    client.hset(keys.run_key(run_id), "version", str(version))
    client.hset(keys.run_key(run_id, "steps"), f"{done}:status", "done")
