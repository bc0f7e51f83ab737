"""`zts report`: what many runs came to, counted from what the store keeps, whatever their number."""

from __future__ import annotations

import json
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis as redis_py
from servers import RedisServer

from zts_core.redis_store.history import AT_ONCE, RedisHistory
from zts_producer.cli.main import run
from zts_producer.cli.root import root
from zts_producer.overview.tally import Tally
from zts_producer.times import now_ms

pytestmark = [pytest.mark.redis]
DAY_MS = 24 * 3600 * 1000


@pytest.fixture
def redis() -> Iterator[RedisServer]:
    server = RedisServer()
    yield server
    server.close()


def record(client: redis_py.Redis, number: int, created: int, outcome: str = "completed") -> None:
    """A run as the store leaves it: two steps, one of them tried twice, one of them paid for."""
    run_id = f"r{number}"
    key = f"zts:run:{run_id}"
    pipe = client.pipeline(transaction=False)
    pipe.zadd("zts:runs", {run_id: created})
    about = {"workflow": "flow", "status": "finished", "outcome": outcome, "created": created, "finished": created + 9}
    pipe.hset(key, mapping=about)
    steps: dict[str, str] = {}
    for seq, state in ((1, "A"), (2, f"LOOP_{number % 7}")):
        steps[f"{seq}"] = json.dumps({"state": state, "path": "p", "crew": "BuilderCrew"})
        steps |= {f"{seq}:status": "done", f"{seq}:attempt": str(seq), f"{seq}:failures": str(seq - 1)}
        steps |= {f"{seq}:started": str(created), f"{seq}:ended": str(created + 1000 * seq)}
    pipe.hset(key + ":steps", mapping=steps)
    paid = {"spent_usd": 500_000, "spent_tokens": 10, "spent_usd:builder": 500_000, "spent_tokens:builder": 10}
    pipe.hset(key + ":calls", mapping=paid)
    pipe.execute()


@pytest.fixture
def filled(redis: RedisServer, monkeypatch: pytest.MonkeyPatch) -> RedisServer:
    """More runs than one round trip reads, several of one time; the oldest is two months old."""
    client = redis_py.Redis.from_url(redis.url)
    today = now_ms() - 5000
    record(client, 0, today - 60 * DAY_MS)
    for number in range(1, AT_ONCE + 51):
        record(client, number, today - DAY_MS * (number // 100), "failed" if number % 10 == 0 else "completed")
    monkeypatch.setenv("REDIS_URL", redis.url)
    return redis


def test_every_run_since_then_counts_once(filled: RedisServer, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(root, "zts", ["report", "--since", "30d", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["runs"] == AT_ONCE + 50
    assert told["outcomes"] == {"completed": 135, "failed": 15}
    assert (told["steps"], told["retries"]) == (300, 150)
    assert told["usd"] == 75.0
    assert told["crews"]["BuilderCrew"]["tokens"] == 1500
    assert set(told["states"]) == {"A", "LOOP_n"}
    assert told["states"]["LOOP_n"]["median_s"] == pytest.approx(2, rel=0.1)
    assert len(told["days"]) == 2


def test_a_person_reads_tables(filled: RedisServer, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(root, "zts", ["report", "--since", "90d"]) == 0
    said = capsys.readouterr().out
    assert "151 runs (136 completed, 15 failed)" in said
    for word in ("Workflows", "States that took the most time", "Crews", "LOOP_n", "BuilderCrew", "$75.50"):
        assert word in said


def test_the_page_stands_alone(filled: RedisServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "month.html"
    assert run(root, "zts", ["report", "--html", str(file)]) == 0
    assert capsys.readouterr().out.strip() == str(file)
    text = file.read_text("utf-8")
    assert "<svg" in text
    assert "135 completed" in text or "completed 135" in text
    assert "http" not in text.replace("http://www.w3.org/2000/svg", "")


@pytest.mark.parametrize("since", ["30x", "", "-3d", "tomorrow", "2999-01-01", "999999999999d"])
def test_what_is_no_time_gives_one_line(since: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(root, "zts", ["report", "--since", since]) == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert repr(since) in said


def test_a_place_that_cannot_be_written_is_told_before_anything_is_read(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(root, "zts", ["report", "--html", "/nowhere/at/all.html"]) == 2
    assert "/nowhere/at/all.html" in capsys.readouterr().err


def test_an_empty_store_is_no_error(
    redis: RedisServer, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("REDIS_URL", redis.url)
    assert run(root, "zts", ["report"]) == 0
    assert "no run was submitted" in capsys.readouterr().err


def test_ten_times_the_runs_take_no_more_room(redis: RedisServer) -> None:
    client = redis_py.Redis.from_url(redis.url)
    peaks = []
    for first, last in ((0, 300), (300, 3000)):
        for number in range(first, last):
            record(client, number, now_ms())
        tally = Tally(0)
        tracemalloc.start()
        for runs in RedisHistory(redis.url, timeout_s=5).since(0):
            for each in runs:
                tally.add(each)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
        assert tally.runs == last
    assert peaks[1] < 2 * peaks[0]
