"""Runs over TLS, with certificates on both sides, as users who may do what they need and nothing else."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from played_runs import Runs, step
from redis.exceptions import NoPermissionError

from tests.integration.servers.conftest import Fortress, StartWorker
from zts_core.errors import ServiceUnavailable
from zts_core.redis_store import RedisStore
from zts_core.redis_store.advice import redis_advice
from zts_core.redis_store.connecting import connect
from zts_core.redis_store.counts import RedisCounts
from zts_core.redis_store.rotated import Rotated
from zts_core.redis_store.rotating import RedisRotation
from zts_core.run import Outcome
from zts_core.sealing import new_key, open_sealer
from zts_core.settings import Settings
from zts_producer.client import Client

pytestmark = [pytest.mark.redis, pytest.mark.worker]


def test_a_run_goes_through_as_producer_and_worker(
    fortress: Fortress, start_worker: StartWorker, runs_on: Callable[..., Runs]
) -> None:
    start_worker(fortress.url("worker"), pool="threads")
    for beside_store in (True, False):
        runs = runs_on(fortress.url("producer"), beside_store=beside_store)
        ended = runs.play([step("A"), {"parallel": [step(name) for name in "BCD"]}, step("E")])
        assert ended.outcome is Outcome.COMPLETED, runs.story(ended.run_id)
        assert runs.calls(ended.run_id) == dict.fromkeys("ABCDE", 1)
        assert runs.queue.depth() == 0
    assert fortress.refused() == []
    settings = Settings(redis_url=fortress.url("producer"), _env_file=None)
    with Client(settings, workers=False) as client:
        assert client.services.workers_answer(5) == 1
        found = [(part.name, part.detail) for part in client.health().components if part.status != "healthy"]
        assert (found, fortress.refused()) == ([], [])
        held = runs.start([step("HELD", sleep_s=0.1), step("NEVER")])
        client.cancel(held)
        assert runs.wait(held).outcome is Outcome.CANCELLED
    assert RedisCounts(fortress.url("metrics"), timeout_s=5).read()[0].created.total() == 3
    sealer, done = open_sealer(new_key()[0]), Rotated()
    rotation = RedisRotation(fortress.url("keys"), retention_s=60, timeout_s=5, sealer=sealer)
    assert list(rotation.rotate(done)) == [(1, 3), (2, 3), (3, 3)]
    assert (done.values > 0, fortress.refused()) == (True, [])


FOREIGN = [("FLUSHALL",), ("CONFIG", "GET", "*"), ("KEYS", "*"), ("SET", "theirs", "1"), ("SHUTDOWN",), ("ACL", "LIST")]


@pytest.mark.parametrize("user", ["producer", "worker", "keys", "metrics"])
def test_a_user_may_do_nothing_else(fortress: Fortress, user: str) -> None:
    with connect(fortress.url(user), timeout_s=5) as client:
        own = [("SET", "zts:tick", "1")] if user == "metrics" else []
        for command in [*FOREIGN, *own]:
            with pytest.raises(NoPermissionError):
                client.execute_command(*command)


def test_the_producer_takes_no_messages(fortress: Fortress) -> None:
    with connect(fortress.url("producer"), timeout_s=5) as client:
        for command in [("RPOP", "zts.steps"), ("BRPOP", "zts.steps", 1), ("SUBSCRIBE", "/0.celeryev")]:
            with pytest.raises(NoPermissionError):
                client.execute_command(*command)


def test_nobody_comes_in_without_a_login_or_a_certificate(fortress: Fortress) -> None:
    for url, said in [
        (fortress.url("stranger"), "refuses the login"),
        (fortress.url("worker", certificate=False), "does not answer"),
    ]:
        store = RedisStore(url, retention_s=60, timeout_s=2)
        with pytest.raises(ServiceUnavailable, match=said):
            store.ping()


def test_how_it_keeps_data_is_seen_where_its_settings_are_hidden(fortress: Fortress) -> None:
    assert redis_advice(fortress.url("producer"), timeout_s=5).warnings == ()
