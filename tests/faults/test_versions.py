"""Fault 16: old and new workers side by side; what only a new one understands is left to it."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import BinaryIO

import pytest
from field import Field, faulty
from servers import Worker, wait_until

pytestmark = [pytest.mark.redis, pytest.mark.worker]


class OlderWorker(Worker):
    """A worker of the release before."""

    @staticmethod
    def _spawn(
        command: list[str], log: BinaryIO, redis_url: str, folder: Path, environment: Mapping[str, str]
    ) -> subprocess.Popen[bytes]:
        command[command.index("zts_worker")] = "tests.faults.older_app"
        return Worker._spawn(command, log, redis_url, folder, environment)


def test_an_older_worker_leaves_a_newer_run_to_others_and_goes_on_with_its_own(field: Field) -> None:
    older = field.worker(kind=OlderWorker, pool="threads")
    newer_run = field.runs.start([faulty("A"), {"parallel": [faulty("B"), faulty("C")]}, faulty("D")])
    wait_until(lambda: "left to newer workers" in older.said(), what="the older worker met the run")
    assert not field.runs.calls(newer_run)
    older_run = field.runs.start([faulty("A"), faulty("B")])
    with field.redis.client() as client:
        client.hset(f"zts:run:{older_run}", "format", "0")
    field.ends(older_run)
    field.worker(pool="threads")
    field.ends(newer_run, within_s=60)
    assert field.runs.calls(newer_run) == dict.fromkeys("ABCD", 1)
    assert "Traceback" not in older.said()
