"""A Redis whose memory or disk is full says so, everywhere a person looks."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator

import pytest
from click.testing import CliRunner
from played_runs import Runs, step
from redis_kinds import Redis
from servers import wait_until

from zts_core.errors import ServiceUnavailable
from zts_core.redis_store.advice import redis_advice
from zts_core.settings import Settings
from zts_producer.cli.following import _WorkerHint
from zts_producer.cli.why import why
from zts_producer.client import Client

pytestmark = pytest.mark.redis


@pytest.fixture
def server() -> Iterator[Redis]:
    found = Redis()
    yield found
    found.close()


def lose_its_disk(server: Redis) -> None:
    with server.client() as client:
        client.config_set("save", "3600 1")
        shutil.rmtree(server.folder)
        client.bgsave()
        wait_until(lambda: client.info("persistence")["rdb_last_bgsave_status"] == "err", what="it cannot save")


def fill_its_memory(server: Redis) -> None:
    with server.client() as client:
        client.config_set("maxmemory", "1mb")


@pytest.mark.parametrize(("fill", "cure"), [(lose_its_disk, "make room there"), (fill_its_memory, "raise maxmemory")])
def test_what_a_run_waits_for_is_named(
    server: Redis,
    runs_on: Callable[..., Runs],
    monkeypatch: pytest.MonkeyPatch,
    fill: Callable[[Redis], None],
    cure: str,
) -> None:
    runs = runs_on(server.url)
    run_id = runs.start([step("WAITS")])
    assert redis_advice(server.url, timeout_s=5).refuses == ""
    fill(server)
    with pytest.raises(ServiceUnavailable, match=cure):
        runs.start([step("NEVER")])
    told: list[str] = []
    monkeypatch.setattr("zts_producer.cli.following.PATIENCE_S", 0)
    with Client(Settings(redis_url=server.url, _env_file=None), workers=False) as client:
        redis = next(part for part in client.health().components if part.name == "redis")
        assert (redis.status, cure in redis.detail) == ("unhealthy", True)
        hint = _WorkerHint(client, run_id, told.append)
        hint.note([])
        hint.note([])
    assert len(told) == 1, "it is said once"
    assert "takes no writes" in told[0]
    monkeypatch.setenv("REDIS_URL", server.url)
    assert cure in CliRunner().invoke(why, [run_id]).output
