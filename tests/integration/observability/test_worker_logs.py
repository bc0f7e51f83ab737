"""What real workers write: each line names the run and the step, none a secret or a payload."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from played_runs import Runs
from servers import RedisServer, Worker, wait_until

from tests.integration.observability.talking_crews import PAYLOAD

pytestmark = [pytest.mark.redis, pytest.mark.worker]

TALKING = "tests.integration.observability.talking_crews:TalkingCrew"
SECRET = "sk-verysecret-12345"


@pytest.fixture(scope="module")
def redis() -> Iterator[RedisServer]:
    server = RedisServer()
    yield server
    server.close()


@pytest.fixture(scope="module", params=["prefork", "threads"])
def lines(request: pytest.FixtureRequest, redis: RedisServer, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The log of a worker that played a good and a bad step, as objects, and the ids of the two runs."""
    folder = tmp_path_factory.mktemp("logs")
    environment = {"ZTS_LOG_FORMAT": "json", "PROVIDER_API_KEY": SECRET}
    worker = Worker(redis.url, folder, pool=request.param, concurrency=2, environment=environment)
    try:
        worker.wait_ready()
        runs = Runs(redis.url, folder / "record")
        ids = [play(runs, fails=False), play(runs, fails=True)]
        wait_until(lambda: worker.said().count("succeeded") == 2, what="both tasks are done")
    finally:
        worker.stop()
    text = worker.said()
    return text, [json.loads(line) for line in text.splitlines() if line.startswith("{")], ids


def play(runs: Runs, *, fails: bool) -> str:
    return runs.play([{"state": "TALK", "crew": TALKING, "with": {"raise": fails}}]).run_id


def one(lines: list[dict[str, Any]], run_id: str, text: str) -> dict[str, Any]:
    (found,) = [line for line in lines if text in line["event"] and line.get("run") == run_id]
    return found


@pytest.mark.parametrize("event", ["by the context", "calling with key", "by print"])
def test_what_a_crew_says_names_its_run_step_attempt_crew_and_worker(event: str, lines: Any) -> None:
    _, told, (run_id, _) = lines
    line = one(told, run_id, event)
    assert (line["run"], line["step"], line["state"], line["attempt"]) == (run_id, 1, "TALK", 1)
    assert line["crew"] == TALKING
    assert ":" in line["worker"]
    assert {"timestamp", "level", "logger"} <= line.keys()


@pytest.mark.parametrize("event", ["received", "succeeded"])
def test_celerys_own_lines_name_the_run_and_the_step(event: str, lines: Any) -> None:
    _, told, (run_id, _) = lines
    line = one(told, run_id, event)
    assert (line["step"], line["state"], line["crew"]) == (1, "TALK", TALKING)


def test_every_line_of_a_run_is_one_object(lines: Any) -> None:
    text, told, _ = lines
    assert all(line.startswith("{") for line in text.splitlines() if "TALK" in line or "zts.step[" in line)
    assert all(isinstance(line, dict) for line in told)


def test_a_crews_error_is_told_without_what_it_worked_on(lines: Any) -> None:
    text, told, (_, run_id) = lines
    line = one(told, run_id, "crew failed")
    assert "ValueError" in line["exception"]
    assert "talking_crews.py" in line["exception"]
    assert PAYLOAD not in text


def test_no_secret_is_in_any_line(lines: Any) -> None:
    text, told, (run_id, _) = lines
    assert SECRET not in text
    assert one(told, run_id, "calling with key")["event"] == "calling with key ***"


def test_the_console_form_tells_the_same(redis: RedisServer, tmp_path: Path) -> None:
    worker = Worker(redis.url, tmp_path, environment={"PROVIDER_API_KEY": SECRET})
    try:
        worker.wait_ready()
        run_id = play(Runs(redis.url, tmp_path / "record"), fails=True)
        wait_until(lambda: "succeeded" in worker.said(), what="the task is done")
    finally:
        worker.stop()
    line = next(line for line in worker.said().splitlines() if "by the context" in line)
    assert f"run={run_id}" in line
    assert "step=1" in line
    assert SECRET not in worker.said()
    assert PAYLOAD not in worker.said()
    assert "\x1b[" not in worker.said()
