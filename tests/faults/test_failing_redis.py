"""Faults 11 to 14: a Redis that restarts, is killed, stops answering, or is full."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from field import Field, FieldRuns, breathe, faulty
from played_runs import step
from servers import RedisServer, Worker, wait_until
from tiny_proxy import TinyProxy

from zts_core.errors import ServiceUnavailable
from zts_core.settings import Settings
from zts_producer.client import Client

LONG = [faulty(f"S{n}", sleep_s=0.4) for n in range(8)]


def test_every_worker_consumes_again_after_five_restarts_of_redis(field: Field) -> None:
    workers = [field.worker(pool="prefork"), field.worker(pool="threads")]
    run_ids = [field.runs.start(LONG) for _ in range(2)]
    field.called(run_ids[0], "S0")
    for _ in range(5):
        pid = field.redis.process.pid if field.redis.process else 0
        field.redis.stop()
        breathe(0.2)
        field.redis.start()
        assert field.redis.process
        assert field.redis.process.pid != pid
        breathe(0.4)
    field.all_end(run_ids)
    all_consume(field, workers, within_s=60)


def test_a_restart_that_outlasts_the_leases_costs_no_attempt(field: Field) -> None:
    field.worker()
    run_id = field.runs.start([faulty("PAID", sleep_s=6), faulty("NEXT")])
    field.called(run_id, "PAID")
    field.redis.stop()
    breathe(3)
    field.redis.start()
    field.ends(run_id)
    assert field.runs.calls(run_id) == {"PAID": 1, "NEXT": 1}


def test_a_commit_waits_for_redis_to_come_back(field: Field) -> None:
    field.worker()
    run_id = field.runs.start([faulty("PAID", sleep_s=1), faulty("NEXT")])
    field.called(run_id, "PAID")
    field.redis.stop()
    wait_until(lambda: any(row[4] == "returned" for row in field.runs.rows(run_id)), what="the crew is done")
    breathe(3)
    field.redis.start()
    field.ends(run_id)
    assert field.runs.calls(run_id) == {"PAID": 1, "NEXT": 1}


@pytest.fixture
def careful(tmp_path: Path) -> Iterator[Field]:
    """A field whose Redis writes every command to the disk before it answers."""
    found = Field(tmp_path, RedisServer("--appendfsync", "always"))
    try:
        yield found
    finally:
        found.close()


def test_nothing_that_was_accepted_is_lost_when_redis_is_killed(careful: Field) -> None:
    careful.worker()
    run_ids: list[str] = []
    for _ in range(3):
        run_ids += [careful.runs.start([faulty("A", sleep_s=0.1), faulty("B")]) for _ in range(3)]
        process = careful.redis.process
        careful.redis.stop(signal.SIGKILL)
        assert process
        assert process.returncode == -signal.SIGKILL
        careful.redis.start()
    careful.all_end(run_ids)


@pytest.fixture
def proxy(field: Field) -> Iterator[TinyProxy]:
    found = TinyProxy(field.redis.socket)
    try:
        yield found
    finally:
        found.close()


def test_every_worker_recovers_from_half_open_connections(field: Field, proxy: TinyProxy) -> None:
    workers = [field.worker(url=proxy.url, pool="prefork"), field.worker(url=proxy.url, pool="threads")]
    all_consume(field, workers, within_s=30)
    assert proxy.freeze(also_new=False) > 4
    broken_at = time.monotonic()
    all_consume(field, workers, within_s=60)
    print(f"half-open connections: every worker consumes after {time.monotonic() - broken_at:.1f} s")
    assert proxy.swallowed > 0


def all_consume(field: Field, workers: Sequence[Worker], *, within_s: float) -> None:
    """Submit until each worker has received a step since now."""
    before = [worker.said().count("received") for worker in workers]

    def submit_one() -> bool:
        field.ends(field.runs.start([{"parallel": [faulty(name, sleep_s=0.1) for name in "ABCD"]}]), within_s=within_s)
        return all(worker.said().count("received") > had for worker, had in zip(workers, before, strict=True))

    wait_until(submit_one, within_s=within_s, what="every worker consumes")
    assert all(worker.process.poll() is None for worker in workers)


def test_a_submit_to_a_redis_that_does_not_answer_fails_within_its_deadline(field: Field, proxy: TinyProxy) -> None:
    settings = Settings(redis_url=proxy.url, submit_deadline=4, redis_timeout=2, data_folder=field.folder)
    with Client(settings, workers=False) as client:
        assert client.list() == []
        proxy.freeze(also_new=True)
        began = time.monotonic()
        with pytest.raises(ServiceUnavailable, match="does not answer"):
            client.submit("An app that counts bees.", "just_the_build")
        assert time.monotonic() - began < 4 + 2 + 1
    assert proxy.swallowed > 0


def test_a_submit_whose_broker_does_not_answer_is_recorded_and_sent_later(field: Field, proxy: TinyProxy) -> None:
    settings = Settings(
        redis_url=field.redis.url,
        broker_url=f"{proxy.url[:-1]}1",
        redis_timeout=2,
        data_folder=field.folder,
    )
    proxy.freeze(also_new=True)
    with Client(settings, workers=False) as client:
        began = time.monotonic()
        record = client.submit("An app that counts bees.", "just_the_build")
        assert time.monotonic() - began < settings.submit_deadline
        assert record.outcome is None
    assert proxy.swallowed > 0
    assert field.runs.store.due(unclaimed_after_s=0, undecided_after_s=9, backlog=False, limit=9).unclaimed


def test_a_full_redis_is_named_and_runs_go_on_when_there_is_room_again(field: Field) -> None:
    field.worker()
    run_id = field.runs.start([faulty("PAID", sleep_s=3), faulty("NEXT")])
    field.called(run_id, "PAID")
    with field.redis.client() as client:
        client.config_set("maxmemory-policy", "noeviction")
        client.config_set("maxmemory", "1mb")
        with pytest.raises(ServiceUnavailable, match="free memory or raise maxmemory"):
            submit(field.runs)
        breathe(4)
        client.config_set("maxmemory", "0")
    field.ends(run_id)
    assert field.runs.calls(run_id) == {"PAID": 1, "NEXT": 1}
    field.ends(field.runs.start([faulty("AFTER")]))


def test_a_worker_that_connects_to_a_full_redis_waits_for_room(field: Field) -> None:
    with field.redis.client() as client:
        client.config_set("maxmemory", "1mb")
    worker = field.worker(ready=False)
    wait_until(lambda: "OOM" in worker.said() or "maxmemory" in worker.said(), what="the worker met the full Redis")
    breathe(2)
    with field.redis.client() as client:
        client.config_set("maxmemory", "0")
    field.ends(field.runs.start([faulty("AFTER")]), within_s=60)
    assert worker.process.poll() is None


def submit(runs: FieldRuns) -> None:
    runs.start([step("NEVER")])
