"""Flower shows each step by names a person understands, behind a password, and never what a step worked on."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from browser import FLAGS, chromium
from monitoring import free_port
from played_runs import OTHER, SCRIPTED, Runs, step
from servers import REPOSITORY, RedisServer, Worker, skip_or_fail, wait_until

pytestmark = [pytest.mark.redis, pytest.mark.worker]

USER, PASSWORD = "ada", "a long password"
PAYLOAD = "what nobody may see"


class Flower:
    """A real Flower of our application, with basic authentication."""

    def __init__(self, redis: RedisServer, folder: Path) -> None:
        if find_spec("flower") is None:
            skip_or_fail("flower is missing: pip install 'zerotoship[flower]'")
        self.redis_url = redis.url
        self.port = free_port()
        self.log = folder / "flower.log"
        environment = {
            **os.environ,
            "REDIS_URL": redis.url,
            "PYTHONPATH": os.pathsep.join([str(REPOSITORY), str(REPOSITORY / "tests")]),
            "HOME": str(folder),
        }
        command = [sys.executable, "-m", "celery", "-A", "zts_worker", "flower", "--address=127.0.0.1"]
        command += [f"--port={self.port}", f"--basic-auth={USER}:{PASSWORD}"]
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(command, env=environment, cwd=folder, stdout=log, stderr=log)
        wait_until(self.answers, what=f"Flower answers, said {self.log}")

    def answers(self) -> bool:
        try:
            self.get("/api/workers")
        except OSError:
            return False
        return True

    def get(self, path: str, *, password: str = PASSWORD) -> Any:
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}")
        token = base64.b64encode(f"{USER}:{password}".encode()).decode()
        request.add_header("Authorization", f"Basic {token}")
        with urllib.request.urlopen(request, timeout=10) as answer:
            return json.load(answer)

    def tasks(self) -> list[dict[str, Any]]:
        return list(self.get("/api/tasks").values())

    def close(self) -> None:
        self.process.terminate()
        self.process.wait(10)


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Flower, str]]:
    """A Flower that has seen one run, and the run's id. Events are off until Flower asks for them."""
    folder = tmp_path_factory.mktemp("flower")
    redis = RedisServer()
    environment = {"ZTS_TEST_RECORD": str(folder / "record"), "ZTS_WATCHDOG": "chord", "ZTS_BACKOFF": "0.1"}
    worker = Worker(redis.url, folder, environment=environment)
    worker.wait_ready()
    flower = Flower(redis, folder)
    runs = Runs(redis.url, folder / "record", "chord")
    try:
        # Flower switches events on by a broadcast; a worker hears it within a moment.
        wait_until(lambda: heard(flower, runs), what="the worker sends events")
        nodes = [step("PLAN", keep={"secret": PAYLOAD}), {"parallel": [step("BUILD"), step("SELL", OTHER)]}]
        run_id = runs.play(nodes).run_id
        wait_until(lambda: len(of_run(flower, run_id)) == 5, what="three steps and two watchdogs are shown")
        yield flower, run_id
    finally:
        flower.close()
        worker.stop()
        redis.close()


def heard(flower: Flower, runs: Runs) -> bool:
    runs.play([step("TRIAL")])
    return bool(flower.tasks())


def of_run(flower: Flower, run_id: str) -> list[dict[str, Any]]:
    return [task for task in flower.tasks() if run_id in (task["args"] or "") and task["state"] == "SUCCESS"]


def test_every_step_is_shown_by_run_number_state_and_crew(watched: tuple[Flower, str]) -> None:
    flower, run_id = watched
    shown = {task["args"] for task in of_run(flower, run_id) if task["name"] == "zts.step"}
    assert shown == {
        f"({run_id} #1 PLAN {SCRIPTED})",
        f"({run_id} #2 BUILD {SCRIPTED})",
        f"({run_id} #3 SELL {OTHER})",
    }


def test_a_step_that_is_sent_again_is_shown_by_the_same_names_and_its_attempt(watched: tuple[Flower, str]) -> None:
    flower, _ = watched
    runs = Runs(flower.redis_url, flower.log.parent / "record", "chord")
    run_id = runs.play([step("PLAN", fail="transient", until_attempt=2, retry_attempts=2)]).run_id
    again = f"({run_id} #1 PLAN attempt 2 {SCRIPTED})"
    wait_until(lambda: again in {task["args"] for task in of_run(flower, run_id)}, what="the second attempt is shown")


def test_the_watchdog_is_shown_by_its_run(watched: tuple[Flower, str]) -> None:
    flower, run_id = watched
    assert {task["args"] for task in of_run(flower, run_id) if task["name"] == "zts.watchdog"} == {f"({run_id})"}


def test_no_payload_is_shown(watched: tuple[Flower, str]) -> None:
    flower, _ = watched
    assert PAYLOAD not in json.dumps(flower.tasks())


def test_without_the_password_nothing_is_shown(watched: tuple[Flower, str]) -> None:
    flower, _ = watched
    for path in ("/", "/tasks", "/api/tasks"):
        with pytest.raises(urllib.error.HTTPError, match="401"):
            flower.get(path, password="wrong")


@pytest.mark.chromium
def test_a_browser_shows_the_steps(watched: tuple[Flower, str], tmp_path: Path) -> None:
    flower, run_id = watched
    address = f"http://{USER}:{quote(PASSWORD)}@127.0.0.1:{flower.port}/tasks"
    picture = Path(os.environ.get("ZTS_PICTURES", tmp_path)) / "flower.png"
    options = [*FLAGS, f"--user-data-dir={tmp_path}", "--window-size=1500,620", "--virtual-time-budget=6000"]
    command = [chromium(), *options, f"--screenshot={picture}", "--dump-dom", address]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    for shown in (run_id, "#1 PLAN", "#2 BUILD", "zts.watchdog", "SUCCESS"):
        assert shown in done.stdout
    assert PAYLOAD not in done.stdout
