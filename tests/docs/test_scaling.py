"""The workers that the page on scaling shows start together, and runs of every priority get through them."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from pages import REPOSITORY, commands
from pydantic import SecretStr
from servers import RedisServer, wait_until

from zts_core.celery_queue import CONTROL_QUEUE, QUEUES
from zts_core.run import Outcome, Priority
from zts_core.settings import Settings
from zts_producer.client import Client

pytestmark = [pytest.mark.worker, pytest.mark.redis]

WORKERS = [shlex.split(each) for each in commands(REPOSITORY / "docs" / "scaling.md") if each.startswith("celery")]
FLOW = "name: short\nsequence:\n  - {state: IDEA_VALIDATION, crew: ValidatorCrew}\n  - {state: COMPLETED}\n"


def queues(command: list[str]) -> list[str]:
    return command[command.index("-Q") + 1].split(",")


def test_the_shown_workers_take_every_queue() -> None:
    assert {queue for command in WORKERS for queue in queues(command)} == {CONTROL_QUEUE, *QUEUES.values()}


def test_the_shown_workers_carry_runs_of_every_priority(tmp_path: Path) -> None:
    (tmp_path / "short.yaml").write_text(FLOW)
    with ExitStack() as exits:
        server = RedisServer()
        exits.callback(server.close)
        environment = {**os.environ, "REDIS_URL": server.url, "ZTS_DATA_FOLDER": str(tmp_path), "PROMETHEUS_PORT": "0"}
        workers = [
            exits.enter_context(running(command, number, environment, tmp_path))
            for number, command in enumerate(WORKERS)
        ]
        client = exits.enter_context(
            Client(Settings(redis_url=SecretStr(server.url), data_folder=tmp_path), workers=False)
        )
        idea = "# Tool library\n\nNeighbours record a loan with its due day.\n"
        runs = [client.submit(idea, str(tmp_path / "short.yaml"), priority=level).run_id for level in Priority]
        ends = wait_until(
            lambda: (found := [client.record(run).outcome for run in runs]) and all(found) and found,
            within_s=90,
            what="all three runs end",
        )
        assert ends == [Outcome.COMPLETED] * 3
        wait_until(lambda: client.services.workers_answer(2.0) == len(WORKERS), within_s=60, what="all workers answer")
        assert [worker.poll() for worker in workers] == [None] * len(WORKERS)


@contextmanager
def running(
    command: list[str], number: int, environment: dict[str, str], folder: Path
) -> Iterator[subprocess.Popen[bytes]]:
    """A worker of the page, under a name of its own as on a host of its own; stopped at the end."""
    program = [str(Path(sys.executable).parent / command[0]), *command[1:], "--hostname", f"host{number}@test"]
    with (folder / f"worker{number}.log").open("wb") as log:
        process = subprocess.Popen(program, cwd=folder, env=environment, stdout=log, stderr=log, start_new_session=True)
    try:
        yield process
    finally:
        process.terminate()
        process.wait(60)
