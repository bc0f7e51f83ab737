"""A message that is written without Celery is the message Celery writes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from celery import Celery
from celery.utils.nodenames import anon_nodename

from zts_core.celery_queue import STEP_TASK, CeleryQueue, make_app
from zts_core.ports import StepMessage
from zts_core.run import Priority
from zts_core.step_message import QUEUES, MessageTemplate, shipped_template

MESSAGES = [
    StepMessage("1s8v3eyw3c47", 1, "VALIDATE", "ValidatorCrew"),
    StepMessage("1s8v3eyw3c47", 12345, 'a "state" with 100 % ü\\n', "pkg.mod:Crew", attempts=2, priority=Priority.HIGH),
    StepMessage("run", 2, priority=Priority.LOW),
]


@pytest.fixture
def app() -> Iterator[Celery]:
    app = make_app("memory://", "cache+memory://", timeout_s=1.0)
    with app:
        yield app


def sent_by_celery(app: Celery, message: StepMessage, *, task_id: str) -> dict[str, Any]:
    """What Celery's own `send_task` leaves in the broker."""
    CeleryQueue(app, watchdog="inline").send([message])
    with app.connection_for_read() as connection, connection.channel() as channel:
        found: dict[str, Any] = channel._get(QUEUES[message.priority])
    return json.loads(json.dumps(found).replace(found["headers"]["id"], task_id))


@pytest.mark.parametrize("message", MESSAGES, ids=lambda message: message.priority)
def test_a_filled_message_is_what_celery_sends(app: Celery, message: StepMessage) -> None:
    packed = shipped_template().fill(message)
    filled = json.loads(packed.payload)
    sent = sent_by_celery(app, message, task_id=filled["headers"]["id"])
    # A tag of each message's own; where its sender would hear of results, which are ignored; its name once more.
    own = ("delivery_tag", "reply_to", "argsrepr")
    for parts in (filled, sent):
        parts["properties"] = {name: value for name, value in parts["properties"].items() if name not in own}
    assert filled == sent
    assert packed.queue == filled["properties"]["delivery_info"]["routing_key"]
    assert filled["headers"]["origin"] == anon_nodename()


def test_two_messages_of_one_step_are_two_tasks() -> None:
    ids = {json.loads(shipped_template().fill(MESSAGES[0]).payload)["headers"]["id"] for _ in range(10)}
    assert len(ids) == 10


def test_the_shipped_template_is_what_the_installed_celery_makes(app: Celery) -> None:
    made = MessageTemplate.of(CeleryQueue(app, watchdog="inline", beside_store=True).sample())
    assert shipped_template() == made, "make it anew: python -m zts_core.celery_queue"


@pytest.mark.redis
def test_a_plain_celery_worker_takes_a_filled_message(redis_url: str) -> None:
    from celery.contrib.testing.worker import start_worker
    from redis import Redis
    from servers import wait_until

    # A database of its own: other tests leave steps in the queue of the same name.
    broker = f"{redis_url.replace('unix://', 'redis+socket://')}?virtual_host=7"
    plain = Celery("plain", broker=broker, set_as_current=False)
    plain.conf.task_default_queue = "zts.steps"
    taken: list[tuple[Any, ...]] = []

    @plain.task(name=STEP_TASK)
    def step(*arguments: Any) -> None:
        taken.append(arguments)

    packed = shipped_template().fill(MESSAGES[0])
    with Redis.from_url(f"{redis_url}?db=7") as client, start_worker(plain, perform_ping_check=False):
        client.lpush(packed.queue, packed.payload)
        wait_until(lambda: taken)
    assert taken == [("1s8v3eyw3c47", 1, False)]
