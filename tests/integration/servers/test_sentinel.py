"""Runs on a Redis that Sentinels watch: they go on after a failover, and what a failover lost is told."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest
from played_runs import Runs, step
from redis_kinds import Redis, Sentinel
from servers import wait_until

from tests.integration.servers.conftest import StartWorker
from zts_core.errors import UnknownRun
from zts_core.redis_store import keys
from zts_core.redis_store.counts import RedisCounts
from zts_core.run import Outcome
from zts_core.settings import Settings
from zts_producer.client import Client

pytestmark = [pytest.mark.redis, pytest.mark.worker]


@dataclass
class Watched:
    """A primary, its replica, and a Sentinel."""

    primary: Redis
    replica: Redis
    sentinel: Sentinel

    @property
    def url(self) -> str:
        return f"sentinel://127.0.0.1:1,127.0.0.1:{self.sentinel.port}/0?service=mymaster"

    def fail_over(self) -> None:
        """Kill the primary; wait until the replica is what the Sentinel names."""
        self.primary.stop(signal.SIGKILL)
        wait_until(lambda: self.sentinel.primary_port() == self.replica.port, what="the Sentinel names the replica")

    def cut_replication(self) -> None:
        """From now on the replica hears nothing of what the primary accepts."""
        with self.primary.client() as client:
            client.execute_command("ACL", "SETUSER", "default", "-psync", "-sync")
            client.execute_command("CLIENT", "KILL", "TYPE", "replica")
            wait_until(lambda: client.info("replication")["connected_slaves"] == 0, what="the replica is cut off")


@pytest.fixture
def watched() -> Iterator[Watched]:
    primary = Redis()
    replica = Redis("--replicaof", "127.0.0.1", str(primary.port))
    sentinel = None
    try:
        with replica.client() as client:
            wait_until(
                lambda: client.info("replication")["master_link_status"] == "up", what="the replica follows the primary"
            )
        sentinel = Sentinel(primary)
        yield Watched(primary, replica, sentinel)
    finally:
        for each in (primary, replica, sentinel):
            if each:
                each.close()


def test_runs_go_on_after_a_failover(watched: Watched, start_worker: StartWorker, runs_on: Callable[..., Runs]) -> None:
    start_worker(watched.url, pool="prefork")
    runs = runs_on(watched.url, beside_store=True)
    run_id = runs.start([step(name, sleep_s=0.5) for name in "ABCD"])
    wait_until(lambda: runs.calls(run_id)["A"], what="the first step is at work")
    watched.fail_over()
    assert runs.wait(run_id, within_s=60).outcome is Outcome.COMPLETED
    assert runs.play([step("AFTER")]).outcome is Outcome.COMPLETED
    with Client(Settings(redis_url=watched.url, _env_file=None), workers=False) as client:
        redis = next(part for part in client.health().components if part.name == "redis")
    assert f"mymaster of 127.0.0.1:1,127.0.0.1:{watched.sentinel.port}" in redis.detail


def test_a_failover_that_lost_writes_is_told(
    watched: Watched, start_worker: StartWorker, runs_on: Callable[..., Runs]
) -> None:
    worker = start_worker(watched.url, pool="prefork")
    runs = runs_on(watched.url, beside_store=True)
    kept = runs.play([step("KEPT")])
    with watched.primary.client() as client:
        # A replacement is counted against a server that somebody has met.
        wait_until(lambda: client.hget(keys.SERVER, "run_id"), what="a process has looked at this server")
        assert client.execute_command("WAIT", 1, 5000) == 1
    watched.cut_replication()
    lost = runs.play([step("LOST")])
    watched.fail_over()
    wait_until(lambda: "has lost what it had accepted" in worker.said(), what="the worker tells")
    told = next(line for line in worker.said().splitlines() if "has lost what it had accepted" in line)
    assert lost.run_id in told
    assert kept.run_id not in told
    with Client(Settings(redis_url=watched.url, _env_file=None), workers=False) as client:
        health = client.health()
        redis = next(part for part in health.components if part.name == "redis")
        assert (redis.status, health.exit_code) == ("degraded", 0)
        assert "lost accepted writes" in redis.detail
        with pytest.raises(UnknownRun, match="submit it again"):
            list(client.looks(lost.run_id))
    counts, _ = RedisCounts(watched.url, timeout_s=5).read()
    assert counts.replaced.total() == 1
    assert counts.lost.total() >= 1
    assert runs.play([step("AFTER")]).outcome is Outcome.COMPLETED
