"""Decides how a step's message is written without Celery: a message that Celery and kombu made, filled in.

`step_message.json` is that message, with a mark in place of each value that a step has of its own. It is made by
`python -m zts_core.celery_queue`, never by hand, and a test compares it with what the installed Celery makes. Any
Celery of the same protocol takes it, as it takes the messages of producers that are older than itself.
"""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from importlib.resources import files
from socket import gethostname
from typing import Any
from uuid import uuid4

from zts_core.decision import Packed
from zts_core.ports import StepMessage, StepQueue
from zts_core.run import Priority

STEP_QUEUE = "zts.steps"
QUEUES = {Priority.HIGH: "zts.high", Priority.NORMAL: STEP_QUEUE, Priority.LOW: "zts.steps.low"}
"""Where the steps of runs wait. On Redis a worker reads its queues in the order of their names: control, then these."""

FILE = "step_message.json"
MARKS = {name: f"@{name}@" for name in ("task_id", "run_id", "seq", "shown", "queue", "origin", "tag", "body")}
"""What stands in a template for each value that is filled in."""


def shown(message: StepMessage) -> str:
    """What people see of a message's arguments in Flower and in logs."""
    attempt = f"attempt {message.attempts + 1}" if message.attempts else ""
    named = (message.run_id, f"#{message.seq}", message.state, attempt, message.crew)
    return f"({' '.join(part for part in named if part)})"


@dataclass(frozen=True, slots=True)
class MessageTemplate:
    """A message on Redis, and the body inside of it, as texts for `%` with the names of `MARKS`."""

    envelope: str
    body: str

    @staticmethod
    def of(sample: Mapping[str, Any]) -> MessageTemplate:
        """From a message with marks: its `envelope`, whose body is a mark, and its `body`."""
        return MessageTemplate(_text(sample["envelope"]), _text(sample["body"]))

    def fill(self, message: StepMessage) -> Packed:
        """The message of a step that decides for itself what follows."""
        queue = QUEUES[message.priority]
        body = self.body % {"run_id": json.dumps(message.run_id), "seq": message.seq}
        filled = self.envelope % {
            "task_id": f'"{uuid4()}"',
            "shown": json.dumps(shown(message)),
            "queue": f'"{queue}"',
            # As Celery names a process that is no worker; a child of a pool has a number of its own.
            "origin": json.dumps(f"gen{os.getpid()}@{gethostname()}"),
            "tag": f'"{uuid4()}"',
            "body": f'"{base64.b64encode(body.encode()).decode()}"',
        }
        return Packed(queue, filled)


def _text(part: Any) -> str:
    text = json.dumps(part).replace("%", "%%")
    for name, mark in MARKS.items():
        text = text.replace(f'"{mark}"', f"%({name})s")
    return text


@cache
def shipped_template() -> MessageTemplate:
    """The template of `step_message.json`."""
    return MessageTemplate.of(json.loads((files(__package__) / FILE).read_text("utf-8")))


class TemplateQueue:
    """A StepQueue whose messages the store pushes, for short commands: they need Celery for hardly anything else."""

    def __init__(self, whole: Callable[[], StepQueue]) -> None:
        """`whole` opens the queue that can do the rest, once it is asked for."""
        self._open = whole

    def pack(self, messages: Sequence[StepMessage]) -> Sequence[Packed]:
        """The wave's messages, filled in."""
        return [shipped_template().fill(message) for message in messages]

    def send(self, messages: Sequence[StepMessage]) -> None:
        """Send what the store has not pushed."""
        self._whole.send(messages)

    def depth(self) -> int:
        """How many messages wait for a worker."""
        return self._whole.depth()

    @cached_property
    def _whole(self) -> StepQueue:
        return self._open()
