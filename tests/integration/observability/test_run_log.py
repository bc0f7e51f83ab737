"""A run's own log: its history and what its crews logged, at the level people want, whatever the worker shows."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis as redis_py
from played_runs import Runs
from servers import RedisServer, Worker, wait_until

from tests.integration.observability.talking_crews import PAYLOAD
from zts_core.redis_store.run_log import MOST_LINES, KeptLines, RedisRunLog
from zts_producer.cli.main import run
from zts_producer.cli.root import root

pytestmark = [pytest.mark.redis, pytest.mark.worker]
TALKING = "tests.integration.observability.talking_crews:TalkingCrew"
SECRET = "sk-verysecret-12345"


@pytest.fixture(scope="module")
def redis() -> Iterator[RedisServer]:
    server = RedisServer()
    yield server
    server.close()


@pytest.fixture(scope="module", params=["prefork", "threads"])
def played(
    request: pytest.FixtureRequest, redis: RedisServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Worker, Runs, str]]:
    """A worker that shows warnings only, and a run on it that failed."""
    folder = tmp_path_factory.mktemp("log")
    # The last of two options counts.
    worker = Worker(
        redis.url,
        folder,
        pool=request.param,
        environment={"PROVIDER_API_KEY": SECRET},
        options=["--loglevel", "warning"],
    )
    runs = Runs(redis.url, folder / "record")
    try:
        node = {"state": "TALK", "crew": TALKING, "with": {"raise": True}}
        yield worker, runs, runs.play([node]).run_id
    finally:
        worker.stop()


def kept(redis_url: str, run_id: str) -> KeptLines:
    return RedisRunLog(redis_url, kept_s=60, timeout_s=5).read(run_id)


def test_what_crews_log_is_kept_though_the_worker_shows_less(played: tuple[Worker, Runs, str]) -> None:
    worker, runs, run_id = played
    wait_until(lambda: len(kept(runs.redis_url, run_id).lines) == 4, what="all lines arrive")
    lines = kept(runs.redis_url, run_id).lines
    assert [line.text("event") for line in lines] == [
        "by the context",
        "calling with key ***",
        "by print",
        "crew failed",
    ]
    assert {line.text("state") for line in lines} == {"TALK"}
    assert PAYLOAD not in lines[-1].text("exception")
    assert "by the context" not in worker.said()
    assert "calling with key" in worker.said()


def test_the_command_shows_history_and_lines_in_order(
    played: tuple[Worker, Runs, str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    _, runs, run_id = played
    monkeypatch.setenv("REDIS_URL", runs.redis_url)
    assert run(root, "zts", ["logs", run_id, "--json", "--follow"]) == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    told = [line["line"] for line in lines]
    assert told[0].startswith("run of main")
    assert told.index("by the context") > next(i for i, words in enumerate(told) if "TALK started" in words)
    assert run(root, "zts", ["logs", run_id, "--level", "error"]) == 0
    errors = capsys.readouterr().out
    assert "crew failed" in errors
    assert "by the context" not in errors
    assert SECRET not in errors


def test_the_folder_has_it_as_a_file(
    played: tuple[Worker, Runs, str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> None:
    _, runs, run_id = played
    monkeypatch.setenv("REDIS_URL", runs.redis_url)
    assert run(root, "zts", ["export", run_id, "--out", str(tmp_path)]) == 0
    text = (Path(capsys.readouterr().out.strip()) / "run.log").read_text("utf-8")
    assert "by the context" in text
    assert PAYLOAD not in text


def test_the_log_goes_with_its_run(played: tuple[Worker, Runs, str]) -> None:
    _, runs, run_id = played
    client = redis_py.Redis.from_url(runs.redis_url)
    assert client.pttl(f"zts:run:{run_id}:log") > 0


def test_the_last_words_of_a_run_that_was_deleted_do_not_bring_its_log_back(redis: RedisServer) -> None:
    client = redis_py.Redis.from_url(redis.url)
    client.hset("zts:run:here", "title", "a run")
    RedisRunLog(redis.url, kept_s=60, timeout_s=5).append([("gone", "{}"), ("here", "{}"), ("gone", "{}")])
    assert client.exists("zts:run:gone:log") == 0
    assert client.xlen("zts:run:here:log") == 1


def test_the_last_words_of_a_run_that_has_ended_stay_no_longer_than_it(redis: RedisServer) -> None:
    client = redis_py.Redis.from_url(redis.url)
    client.hset("zts:run:ended", "title", "a run")
    client.pexpire("zts:run:ended", 30_000)
    RedisRunLog(redis.url, kept_s=3600, timeout_s=5).append([("ended", "{}")])
    assert 0 < int(client.pttl("zts:run:ended:log")) <= 30_000  # type: ignore[arg-type]


def test_a_run_that_logs_without_end_keeps_its_newest_lines(redis: RedisServer) -> None:
    redis_py.Redis.from_url(redis.url).hset("zts:run:chatty", "title", "a run")
    log = RedisRunLog(redis.url, kept_s=60, timeout_s=5)
    count = 2 * MOST_LINES
    for first in range(0, count, 500):
        log.append([("chatty", json.dumps({"event": f"line {n}"})) for n in range(first, first + 500)])
    found = log.read("chatty")
    assert MOST_LINES <= len(found.lines) < MOST_LINES + 200
    assert found.lines[-1].text("event") == f"line {count - 1}"
    assert found.dropped == count - len(found.lines)
