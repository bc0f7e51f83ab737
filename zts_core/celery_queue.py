"""Decides how a wave becomes Celery messages: names of tasks and queues, and when a wave is sent as a chord.

With `watchdog="inline"` a wave is a chord whose join is collapsed: the store counts it down where it commits, and the
last task does the watchdog's work at its end. With `watchdog="chord"` every wave is a real chord with the watchdog as
its body, so that each watchdog run can be seen in Flower.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

from celery import Celery, uuid
from celery.result import denied_join_result
from kombu import Connection, Queue, serialization
from kombu.exceptions import ChannelError, KombuError
from kombu.utils import json
from redis.backoff import NoBackoff
from redis.retry import Retry

from zts_core.crash_points import MID_WAVE, reach
from zts_core.decision import Packed
from zts_core.errors import ServiceUnavailable
from zts_core.ports import StepMessage
from zts_core.redis_url import CelerySpelling, for_celery
from zts_core.refusals import cure_of
from zts_core.step_message import FILE, MARKS, QUEUES, STEP_QUEUE, MessageTemplate, shown

STEP_TASK = "zts.step"
WATCHDOG_TASK = "zts.watchdog"
CONTROL_QUEUE = "zts.control"

WatchdogMode = Literal["inline", "chord"]

_PUBLISH_RETRIES = {"max_retries": 1, "interval_start": 0.05, "interval_step": 0.2, "interval_max": 0.5}
"""Few, because a submit has a deadline and a message that is not sent is found in the store and sent later."""

_HEALTH_CHECK_S = 5
"""Seconds between two looks at the connection that waits for messages; a dead one is dropped after two of them."""


def make_app(broker_url: str, result_url: str, *, timeout_s: float) -> Celery:
    """The Celery application of producers and workers; connects to nothing until it is used.

    Addresses are spelled as `redis_url` spells them; a broker may be a RabbitMQ too. Results are kept for chords only.
    Messages may be lost or doubled without harm, so they are acknowledged early.
    """
    broker, results = for_celery(broker_url), for_celery(result_url)
    on_redis = not broker.url.startswith(("amqp", "pyamqp"))
    app = Celery("zerotoship", broker=broker.url, backend=results.url, set_as_current=False)
    app.conf.update(
        task_serializer="json",
        result_serializer="json",
        accept_content=["json"],
        task_ignore_result=True,
        result_expires=3600,
        task_default_queue=STEP_QUEUE,
        # Control first: where queues are read in order, a watchdog never waits behind a crew.
        task_queues=[Queue(name, no_ack=on_redis) for name in (CONTROL_QUEUE, *QUEUES.values())],
        task_routes={STEP_TASK: {"queue": STEP_QUEUE}, WATCHDOG_TASK: {"queue": CONTROL_QUEUE}},
        task_publish_retry_policy=_PUBLISH_RETRIES,
        broker_connection_retry_on_startup=True,
        # A Redis that is full, or was made a replica, refuses writes for a while: without this a worker ends of it.
        broker_channel_error_retry=True,
        broker_transport_options={
            **(_redis_transport(timeout_s) if on_redis else _amqp_transport(timeout_s)),
            # For opening a channel; without an end, a submit would wait as long as the broker is away.
            **_PUBLISH_RETRIES,
            **_asking_sentinels(broker, timeout_s),
        },
        broker_use_ssl=broker.use_ssl,
        broker_heartbeat=_HEALTH_CHECK_S * 2,
        broker_connection_timeout=timeout_s / 2,
        redis_backend_use_ssl=results.use_ssl,
        redis_socket_timeout=timeout_s / 2,
        redis_socket_connect_timeout=timeout_s / 2,
        redis_backend_health_check_interval=_HEALTH_CHECK_S,
        result_backend_transport_options={
            "retry_policy": _PUBLISH_RETRIES,
            **_asking_sentinels(results, timeout_s),
        },
        worker_prefetch_multiplier=1,
        # RabbitMQ counts what it has handed out by itself.
        worker_disable_prefetch=on_redis,
        worker_send_task_events=False,
        worker_hijack_root_logger=False,
        worker_soft_shutdown_timeout=10.0,
        worker_enable_soft_shutdown_on_idle=False,
        enable_utc=True,
    )
    return app


def _redis_transport(timeout_s: float) -> dict[str, Any]:
    return {
        # Half of what a call may take, so that it can be tried once more on a new connection.
        "socket_timeout": timeout_s / 2,
        "socket_connect_timeout": timeout_s / 2,
        "socket_keepalive": True,
        "health_check_interval": _HEALTH_CHECK_S,
        "queue_order_strategy": "sorted",
        # Priorities are queues of ours, the same on every broker; kombu's own would be three more lists of each.
        "priority_steps": [0],
    }


def _asking_sentinels(spelling: CelerySpelling, timeout_s: float) -> dict[str, Any]:
    """The options of the spelling; a Sentinel that does not answer is left for the next one at once."""
    if not spelling.options:
        return {}
    asking = {"socket_timeout": timeout_s / 2, "socket_connect_timeout": timeout_s / 2, "retry": Retry(NoBackoff(), 0)}
    return {**spelling.options, "sentinel_kwargs": {**asking, **spelling.options["sentinel_kwargs"]}}


def _amqp_transport(timeout_s: float) -> dict[str, Any]:
    """Consumers of RabbitMQ acknowledge: without that, the first worker would be handed the whole queue at once."""
    return {"read_timeout": timeout_s, "write_timeout": timeout_s, "confirm_publish": True}


def _task(message: StepMessage, *, joined: bool) -> dict[str, Any]:
    return {
        "args": (message.run_id, message.seq, joined),
        "argsrepr": shown(message),
        "queue": QUEUES[message.priority],
        # A chord counts its header without storing results: nobody reads them, the store has them.
        "ignore_result": True,
    }


def _as_packed(message: dict[str, Any]) -> Packed:
    return Packed(message["properties"]["delivery_info"]["routing_key"], json.dumps(message))


def _waiting_in(connection: Any, queue: str) -> int:
    # A channel of its own: other brokers close the one on which a queue was not found.
    with connection.channel() as channel:
        try:
            return int(channel.queue_declare(queue=queue, passive=True).message_count)
        except ChannelError:
            # Redis has no empty lists: a queue without messages does not exist.
            return 0


class CeleryQueue:
    """A StepQueue on Celery."""

    def __init__(self, app: Celery, *, watchdog: WatchdogMode, beside_store: bool = False) -> None:
        """`beside_store` says that the broker is the Redis database of the run store."""
        self._app = app
        self._watchdog = watchdog
        self._beside_store = beside_store

    def send(self, messages: Sequence[StepMessage]) -> None:
        """Send a wave of one run, or steps of any runs that are to be sent again."""
        # Nobody waits for results here: without the denial, Celery subscribes to a channel per task.
        with self._translated(), denied_join_result():
            if len({message.run_id for message in messages}) > 1:
                for message in messages:
                    self.send([message])
                return
            for arguments in self._tasks(messages):
                self._app.send_task(STEP_TASK, **arguments)
                reach(MID_WAVE)

    def pack(self, messages: Sequence[StepMessage]) -> Sequence[Packed]:
        """The wave's messages as Celery and kombu write them, for the store's Redis to push with the decision."""
        if not (self._beside_store and messages):
            return ()
        if self._watchdog == "inline":
            return [self._template.fill(message) for message in messages]
        with self._translated(), denied_join_result():
            return [_as_packed(self._message(uuid(), **arguments)) for arguments in self._tasks(messages)]

    def _tasks(self, messages: Sequence[StepMessage]) -> Iterator[dict[str, Any]]:
        """Arguments of each task of a wave: by itself, or as a header of its chord."""
        if self._watchdog == "inline":
            for message in messages:
                yield _task(message, joined=False)
            return
        alone = len(messages) == 1
        chord = self._chord(messages[0].run_id, len(messages))
        for index, message in enumerate(messages):
            # A step whose branch goes on decides for it at its own end: branches wait for each other only at the join.
            yield _task(message, joined=alone or message.counts_down) | chord | {"group_index": index}

    def _chord(self, run_id: str, size: int) -> dict[str, Any]:
        """A flat chord: the messages that Celery's canvas would send, without the results it would wait for.

        The canvas binds each header task's result to a barrier, and so subscribes to one Redis channel per step.
        """
        group_id = uuid()
        body = self._app.signature(
            WATCHDOG_TASK, args=(run_id,), argsrepr=f"({run_id})", queue=CONTROL_QUEUE, ignore_result=True
        )
        body.freeze(group_id=group_id)
        self._app.backend.set_chord_size(group_id, size)
        return {"group_id": group_id, "chord": body}

    @cached_property
    def _template(self) -> MessageTemplate:
        return MessageTemplate.of(self.sample())

    def sample(self) -> dict[str, Any]:
        """A step's message with marks for its values: what a template is made of."""
        arguments = {"args": (MARKS["run_id"], MARKS["seq"], False), "argsrepr": MARKS["shown"], "ignore_result": True}
        message = self._message(MARKS["task_id"], queue=MARKS["queue"], origin=MARKS["origin"], **arguments)
        message["properties"]["delivery_tag"] = MARKS["tag"]
        body = json.loads(self._packer.decode_body(message["body"], message["properties"]["body_encoding"]))
        return {"envelope": {**message, "body": MARKS["body"]}, "body": body}

    def _message(self, task_id: str, *, queue: str, **arguments: Any) -> dict[str, Any]:
        headers, properties, body, _ = self._app.amqp.as_task_v2(task_id, STEP_TASK, **arguments)
        content_type, content_encoding, payload = serialization.dumps(body, serializer="json")
        message: dict[str, Any] = self._packer.prepare_message(
            payload,
            content_type=content_type,
            content_encoding=content_encoding,
            headers=headers,
            properties={**properties, "delivery_mode": 2},
        )
        self._packer._inplace_augment_message(message, "", queue)
        return message

    @cached_property
    def _packer(self) -> Any:
        """kombu's own channel of the virtual transports, in memory: it writes messages as the one of Redis does."""
        return Connection("memory://").channel()

    def workers(self, timeout_s: float) -> int:
        """How many workers answer a ping within `timeout_s` seconds."""
        with self._translated():
            return len(self._app.control.ping(timeout=timeout_s) or ())

    def depth(self) -> int:
        """How many step messages wait in the broker."""
        with self._translated(), self._app.connection_for_read() as connection:
            return sum(_waiting_in(connection, queue) for queue in QUEUES.values())

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except self._errors() as error:
            cure = cure_of(error, otherwise="start it, or correct ZTS_BROKER_URL")
            raise ServiceUnavailable(f"the broker does not answer: {error}; {cure}") from error

    def _errors(self) -> tuple[type[Exception], ...]:
        """What the transport and the backend raise where their server is away or refuses; not all of it is wrapped."""
        transport: Any = self._app.connection_for_write().transport
        backend: Any = self._app.backend
        return (
            KombuError,
            OSError,
            *transport.connection_errors,
            *transport.channel_errors,
            *getattr(backend, "connection_errors", ()),
            *getattr(backend, "channel_errors", ()),
        )


def write_sample() -> None:
    """Make the file that messages are written by where Celery is not loaded."""
    queue = CeleryQueue(make_app("memory://", "cache+memory://", timeout_s=1.0), watchdog="inline", beside_store=True)
    Path(__file__).with_name(FILE).write_text(json.dumps(queue.sample(), indent=2) + "\n", "utf-8")


if __name__ == "__main__":
    write_sample()
