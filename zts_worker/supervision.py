"""Decides how long a crew may run: its lease is renewed beside it, and it is left behind when it may not go on.

The crew works in a thread of its own while the pool's thread watches over it, so that a time-out or a lost lease is
acted on in every pool, whatever the crew does.
"""

from __future__ import annotations

import asyncio
import contextvars
import ctypes
import inspect
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Any

from zts_core.crew import Crew
from zts_core.errors import ServiceUnavailable, StepAbandoned, StepTimedOut
from zts_core.ports import LeaseVerdict
from zts_worker import freezing
from zts_worker.step_context import AttemptContext

STOP_GRACE_S = 5.0
"""Seconds a crew that was told to stop gets before it is left behind."""


class Ended(Enum):
    """How the watch over a crew ended."""

    BY_ITSELF = "by itself"
    TIMED_OUT = "timed out"
    CANCELLED = "cancelled"
    LEASE_LOST = "lease lost"


@dataclass(frozen=True, slots=True)
class Watched:
    """What came of a watched crew: its return value or its error when it ended BY_ITSELF.

    `left_behind`: the crew could not be stopped and its thread still runs.
    """

    ended: Ended
    value: Any = None
    error: BaseException | None = None
    left_behind: bool = False


class _CrewThread(threading.Thread):
    """Runs a crew and keeps what comes of it."""

    def __init__(self, crew: Crew, context: AttemptContext) -> None:
        super().__init__(name=f"crew-{context.state}", daemon=True)
        self.crew = crew
        self.context = context
        self.value: Any = None
        self.error: BaseException | None = None
        self.done = threading.Event()
        # So that the crew's log lines tell what those of the thread that watches over it tell.
        self.around = contextvars.copy_context()

    def run(self) -> None:
        try:
            self.value = self.around.run(self.work)
        except BaseException as error:
            self.error = error
        finally:
            self.done.set()

    def work(self) -> Any:
        returned = self.crew.run(self.context)
        return asyncio.run(_awaited(returned)) if inspect.isawaitable(returned) else returned

    def interrupt(self, kind: type[BaseException]) -> None:
        """Raise `kind` in the crew at its next Python instruction; code inside C does not notice."""
        if self.ident is not None and not self.done.is_set():
            ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(self.ident), ctypes.py_object(kind))


async def _awaited(value: Any) -> Any:
    return await value


def watch(crew: Crew, context: AttemptContext, *, renew: Callable[[], LeaseVerdict], every_s: float) -> Watched:
    """Run a crew to its end, its time-out, or the loss of its lease, renewing the lease every `every_s` seconds."""
    thread = _CrewThread(crew, context)
    freezing.of_this_process.alive()
    thread.start()
    try:
        return _watch(thread, renew, every_s)
    finally:
        freezing.of_this_process.rest()


def _watch(thread: _CrewThread, renew: Callable[[], LeaseVerdict], every_s: float) -> Watched:
    context = thread.context
    next_renewal = time.monotonic() + every_s
    while True:
        pause = min(next_renewal - time.monotonic(), context.seconds_left)
        if thread.done.wait(max(pause, 0)):
            return Watched(Ended.BY_ITSELF, thread.value, thread.error)
        if context.seconds_left <= 0:
            return _stop(thread, Ended.TIMED_OUT, StepTimedOut)
        if time.monotonic() >= next_renewal:
            next_renewal = time.monotonic() + every_s
            freezing.of_this_process.alive()
            ended = _LOST.get(_renewed(renew))
            if ended is not None:
                return _stop(thread, ended, StepAbandoned)


_LOST = {LeaseVerdict.LOST: Ended.LEASE_LOST, LeaseVerdict.CANCELLED: Ended.CANCELLED}


def _renewed(renew: Callable[[], LeaseVerdict]) -> LeaseVerdict:
    try:
        return renew()
    except ServiceUnavailable:
        # Redis may be back before the lease ends; if not, the fence refuses what this attempt writes.
        return LeaseVerdict.HELD


def _stop(thread: _CrewThread, ended: Ended, kind: type[BaseException]) -> Watched:
    thread.context.stopped = ended.value
    if ended is Ended.CANCELLED and thread.done.wait(STOP_GRACE_S / 2):
        return Watched(ended)
    thread.interrupt(kind)
    stopped = thread.done.wait(STOP_GRACE_S / 2 if ended is Ended.CANCELLED else 1.0)
    return Watched(ended, left_behind=not stopped)
