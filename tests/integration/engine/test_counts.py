"""What a step costs in messages and round trips, counted by Redis itself."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from played_runs import OTHER, Runs, step
from pydantic import SecretStr
from servers import RedisServer, Worker, wait_until

from zts_core.settings import Settings
from zts_producer.client import Client

pytestmark = [pytest.mark.redis, pytest.mark.worker]

STEPS = 40
SECRET = "what the idea and the values say stays in the store"


@pytest.fixture
def server() -> Iterator[RedisServer]:
    redis = RedisServer()
    yield redis
    redis.close()


def test_messages_carry_ids_only_and_stay_small(server: RedisServer, tmp_path: Path) -> None:
    runs = Runs(server.url, tmp_path / "record", beside_store=True)
    alone = runs.start([step("FIRST", keep={"secret": SECRET})])
    wave = runs.start([{"parallel": [step("A", keep={"secret": SECRET}), step("B", OTHER)]}])
    with server.client() as client:
        messages = [json.loads(text) for text in client.lrange("zts.steps", 0, -1)]
        sizes = [len(text) for text in client.lrange("zts.steps", 0, -1)]
    bodies = [json.loads(base64.b64decode(message["body"])) for message in messages]
    assert sorted(body[0] for body in bodies) == sorted([[alone, 1, False], [wave, 1, False], [wave, 2, False]])
    assert all(SECRET not in json.dumps([message, body]) for message, body in zip(messages, bodies, strict=True))
    assert max(sizes) < 1024


def reads_of_a_run(server: RedisServer, folder: Path, **environment: str) -> int:
    """Round trips of a sequence, once its worker knows the crew."""
    own = {"ZTS_TEST_RECORD": str(folder / "record"), "ZTS_TICK": "60", "PROMETHEUS_PORT": "0", **environment}
    worker = Worker(server.url, folder, concurrency=1, environment=own)
    try:
        worker.wait_ready()
        runs = Runs(server.url, folder / "record")
        runs.play([step("WARM"), step("UP")])
        with server.client() as client:
            before = client.info("stats")["total_reads_processed"]
            run_id = runs.start([step(f"S{number}") for number in range(STEPS)])
            wait_until(lambda: len(runs.calls(run_id)) == STEPS)
            wait_until(lambda: runs.store.run(run_id).outcome)
            return int(client.info("stats")["total_reads_processed"] - before)
    finally:
        worker.stop()


def test_a_step_that_is_sent_takes_three_round_trips(server: RedisServer, tmp_path: Path) -> None:
    reads = reads_of_a_run(server, tmp_path, ZTS_STAY="0")
    assert reads / STEPS <= 3.5, "claim, settle, the queue's BRPOP, and what the test itself asked"


def test_a_quick_step_in_a_row_takes_one(server: RedisServer, tmp_path: Path) -> None:
    reads = reads_of_a_run(server, tmp_path, ZTS_STAY="60")
    assert reads / STEPS <= 1.5, "settle, which claims the next one, and what the test itself asked"


def test_a_submit_greets_the_server_once(server: RedisServer, tmp_path: Path) -> None:
    settings = Settings(redis_url=SecretStr(server.url), data_folder=tmp_path, _env_file=None)
    with server.client() as counting:
        before = counting.info("stats")["total_connections_received"]
        with Client(settings, workers=False) as client:
            run = client.submit(
                "# Bees\n\nKeepers write down each inspection of a hive.", "just_the_build", out=tmp_path
            )
            assert client.services.advice().refuses == ""
        after = counting.info("stats")["total_connections_received"]
        assert counting.llen("zts.steps") == 1
    assert run.outcome is None
    assert after - before == 1
