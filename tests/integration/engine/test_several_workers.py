"""Workers started by hand on one Redis share the load."""

from __future__ import annotations

from pathlib import Path

import pytest
from played_runs import OTHER, Runs, step
from servers import RedisServer, Worker

from zts_core.run import Outcome

pytestmark = [pytest.mark.redis, pytest.mark.worker]


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
