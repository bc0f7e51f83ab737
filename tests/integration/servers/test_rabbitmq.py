"""RabbitMQ carries the messages, Redis holds the runs: record first, then send, and what is lost is sent again."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from played_runs import Runs, step
from redis_kinds import Rabbit
from servers import RedisServer, wait_until

from tests.integration.servers.conftest import StartWorker
from zts_core.run import Outcome, StepStatus
from zts_core.settings import Settings
from zts_producer.client import Client

pytestmark = [pytest.mark.redis, pytest.mark.worker]


@pytest.fixture
def rabbit() -> Iterator[Rabbit]:
    found = Rabbit()
    try:
        found.wait_ready()
        yield found
    finally:
        found.close()


@pytest.fixture
def store() -> Iterator[RedisServer]:
    found = RedisServer()
    yield found
    found.close()


def test_runs_go_through_and_a_purged_queue_is_filled_again(
    rabbit: Rabbit, store: RedisServer, start_worker: StartWorker, runs_on: Callable[..., Runs]
) -> None:
    runs = runs_on(store.url, broker_url=rabbit.url)
    lost = runs.start([step("A"), {"parallel": [step(name) for name in "BCD"]}, step("E")])
    assert runs.queue.depth() == 1
    with runs.app.connection_for_write() as connection:
        assert connection.default_channel.queue_purge("zts.steps") == 1
    assert [record.status for record in runs.store.steps(lost)] == [StepStatus.QUEUED]
    worker = start_worker(store.url, pool="threads", environment={"ZTS_BROKER_URL": rabbit.url})
    assert runs.wait(lost).outcome is Outcome.COMPLETED
    assert runs.kinds(lost)["sent_again"] >= 1
    assert runs.calls(lost) == dict.fromkeys("ABCDE", 1)
    ended = runs.play([step("A"), {"parallel": [step(name) for name in "BC"]}, step("D")])
    assert ended.outcome is Outcome.COMPLETED
    with store.client() as client:
        assert not [key for key in client.keys("*") if not key.startswith("zts:") and "celery-task" not in key]
    settings = Settings(redis_url=store.url, broker_url=rabbit.url, _env_file=None)
    with Client(settings, workers=False) as client:
        assert client.services.workers_answer(5) == 1
    held = runs.start([step("AT_WORK", sleep_s=2), step("NEXT")])
    wait_until(lambda: runs.calls(held)["AT_WORK"], what="the crew is at work")
    rabbit.cut()
    assert runs.wait(held).outcome is Outcome.COMPLETED, worker.said()[-3000:]
    assert runs.calls(held) == {"AT_WORK": 1, "NEXT": 1}
