"""Workers started by hand on one Redis share the load."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from played_runs import OTHER, SCRIPTED, Runs, step
from servers import RedisServer, Worker

from zts_core.run import Outcome

pytestmark = [pytest.mark.redis, pytest.mark.worker]


def most_at_once(runs: Runs, run_ids: list[str]) -> int:
    """How many calls of crews overlapped, by the crews' own record."""
    most = at_work = 0
    for row in (json.loads(line) for line in runs.record.read_text().splitlines()):
        if row[0] in run_ids:
            at_work += 1 if row[4] == "called" else -1
            most = max(most, at_work)
    return most


def test_a_crew_with_a_limit_is_held_to_it_across_workers_while_others_go_on(tmp_path: Path) -> None:
    redis = RedisServer()
    environment = {"ZTS_TEST_RECORD": str(tmp_path / "record"), "PROMETHEUS_PORT": "0"}
    workers = [Worker(redis.url, tmp_path, concurrency=3, environment=environment) for _ in range(2)]
    try:
        for worker in workers:
            worker.wait_ready()
        runs = Runs(redis.url, tmp_path / "record", beside_store=True)
        few = [runs.start([step("FEW", sleep_s=0.2), step("AGAIN")], limits={SCRIPTED: 2}) for _ in range(12)]
        free = [runs.start([step("FREE", OTHER, sleep_s=0.2)]) for _ in range(4)]
        ended = [runs.wait(run_id) for run_id in (*free, *few)]
        with redis.client() as client:
            kept = client.keys("zts:slots:*") + client.keys("zts:full:*")  # type: ignore[operator]
    finally:
        for worker in workers:
            worker.stop()
        redis.close()
    assert {record.outcome for record in ended} == {Outcome.COMPLETED}
    assert most_at_once(runs, few) == 2
    assert most_at_once(runs, few + free) > 2, "a crew that is full holds no worker"
    assert {count for run_id in few for count in runs.calls(run_id).values()} == {1}
    assert kept == []


def test_two_workers_of_different_pools_share_one_fan_out(tmp_path: Path) -> None:
    redis = RedisServer()
    environment = {"ZTS_TEST_RECORD": str(tmp_path / "record"), "PROMETHEUS_PORT": "0"}
    workers = [
        Worker(redis.url, tmp_path, pool=pool, concurrency=1, environment=environment)
        for pool in ("prefork", "threads")
    ]
    try:
        for worker in workers:
            worker.wait_ready()
        runs = Runs(redis.url, tmp_path / "record")
        fan = {"foreach": {"over": "made.tasks", "as": "item", "step": step("ITEM", OTHER, sleep_s=0.1)}}
        ended = runs.play([step("LIST", output={"tasks": list(range(12))}), fan])
        took_part = {record.worker for record in runs.store.steps(ended.run_id) if record.state.startswith("ITEM")}
    finally:
        for worker in workers:
            worker.stop()
        redis.close()
    assert ended.outcome is Outcome.COMPLETED
    assert len(took_part) == 2
    assert set(runs.calls(ended.run_id).values()) == {1}
