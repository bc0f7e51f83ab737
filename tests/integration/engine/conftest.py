"""A stack per pool and watchdog mode: the same tests pass on each."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from engine_stack import Stack
from played_runs import Runs
from servers import RedisServer, Worker

STACKS = [("prefork", "inline"), ("prefork", "chord"), ("threads", "inline")]


@pytest.fixture(scope="module", params=STACKS, ids=["-".join(stack) for stack in STACKS])
def stack(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    pool, watchdog = request.param
    folder = tmp_path_factory.mktemp("stack")
    redis = RedisServer()
    environment = {
        "ZTS_WATCHDOG": watchdog,
        "ZTS_TEST_RECORD": str(folder / "record"),
        "ZTS_BACKOFF": "0.1",
        "ZTS_TICK": "0.2",
    }
    worker = Worker(redis.url, folder, pool=pool, concurrency=3, environment=environment)
    try:
        worker.wait_ready()
        yield Stack(redis, worker, Runs(redis.url, folder / "record", watchdog), folder)
    finally:
        worker.stop()
        redis.close()


@pytest.fixture
def runs(stack: Stack) -> Runs:
    return stack.runs
