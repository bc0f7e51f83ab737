"""Decides how long a crew may run: its lease is renewed beside it, and it is left behind when it may not go on.

The crew works in a thread of its own while the pool's thread watches over it, so that a time-out or a lost lease is
acted on in every pool, whatever the crew does.
"""

from __future__ import annotations

import asyncio
import contextvars
import ctypes
import inspect
import os
import threading
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum
from queue import SimpleQueue
from typing import Any

from zts_core.crew import Crew
from zts_core.errors import ServiceUnavailable, StepAbandoned, StepTimedOut
from zts_core.ports import LeaseVerdict
from zts_worker import freezing, leaving
from zts_worker.step_context import AttemptContext

STOP_GRACE_S = 5.0
"""Seconds a crew that was told to stop gets before it is left behind."""


class Ended(Enum):
    """How the watch over a crew ended."""

    BY_ITSELF = "by itself"
    TIMED_OUT = "timed out"
    CANCELLED = "cancelled"
    LEASE_LOST = "lease lost"
    HANDED_BACK = "handed back"


@dataclass(frozen=True, slots=True)
class Watched:
    """What came of a watched crew: its return value or its error when it ended BY_ITSELF.

    `left_behind`: the crew could not be stopped and its thread still runs.
    """

    ended: Ended
    value: Any = None
    error: BaseException | None = None
    left_behind: bool = False


class _Work:
    """One attempt's crew, on its way through a crew thread, and what came of it."""

    def __init__(self, crew: Crew, context: AttemptContext) -> None:
        self.crew = crew
        self.context = context
        self.value: Any = None
        self.error: BaseException | None = None
        self.done = threading.Event()
        # So that the crew's log lines tell what those of the thread that watches over it tell.
        self.around = contextvars.copy_context()

    def do(self) -> None:
        try:
            self.value = self.around.run(self._run)
        except BaseException as error:
            self.error = error
        finally:
            self.done.set()

    def _run(self) -> Any:
        returned = self.crew.run(self.context)
        return asyncio.run(_awaited(returned)) if inspect.isawaitable(returned) else returned


class _CrewThread(threading.Thread):
    """Runs crews one after the other; one that was interrupted or left behind is never used again."""

    def __init__(self) -> None:
        super().__init__(name="crew", daemon=True)
        self.works: SimpleQueue[_Work | None] = SimpleQueue()
        self.start()

    def run(self) -> None:
        # An interruption may come a moment after the crew it was meant for has ended.
        with suppress(StepTimedOut, StepAbandoned):
            while (work := self.works.get()) is not None:
                self.name = f"crew-{work.context.state}"
                work.do()
                # What a crew gave must not live on until the next one comes.
                del work

    def interrupt(self, kind: type[BaseException]) -> None:
        """Raise `kind` in the crew at its next Python instruction; code inside C does not notice."""
        if self.ident is not None:
            ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(self.ident), ctypes.py_object(kind))

    def leave(self) -> None:
        """End after the crew at work, if that ever ends."""
        self.works.put(None)


_resting: deque[_CrewThread] = deque()
"""Crew threads without work: starting one costs as much as all else that a worker does for a step."""
os.register_at_fork(after_in_child=_resting.clear)


async def _awaited(value: Any) -> Any:
    return await value


def watch(crew: Crew, context: AttemptContext, *, renew: Callable[[], LeaseVerdict], every_s: float) -> Watched:
    """Run a crew to its end, its time-out, or the loss of its lease, renewing the lease every `every_s` seconds."""
    thread = _rested()
    work = _Work(crew, context)
    freezing.of_this_process.alive()
    try:
        thread.works.put(work)
        ended = _watch(work, renew, every_s)
    finally:
        freezing.of_this_process.rest()
    if ended is None:
        _resting.append(thread)
        return Watched(Ended.BY_ITSELF, work.value, work.error)
    return _stop(thread, work, ended)


def _rested() -> _CrewThread:
    try:
        return _resting.pop()
    except IndexError:
        return _CrewThread()


def _watch(work: _Work, renew: Callable[[], LeaseVerdict], every_s: float) -> Ended | None:
    """Why the crew may not go on; None where it ended by itself."""
    context = work.context
    next_renewal = time.monotonic() + every_s
    while True:
        pause = min(next_renewal - time.monotonic(), context.seconds_left)
        if work.done.wait(max(pause, 0)):
            return None
        if context.seconds_left <= 0:
            return Ended.TIMED_OUT
        if time.monotonic() >= next_renewal:
            next_renewal = time.monotonic() + every_s
            freezing.of_this_process.alive()
            ended = Ended.HANDED_BACK if leaving.time_is_over() else _LOST.get(_renewed(renew))
            if ended is not None:
                return ended


_LOST = {LeaseVerdict.LOST: Ended.LEASE_LOST, LeaseVerdict.CANCELLED: Ended.CANCELLED}


def _renewed(renew: Callable[[], LeaseVerdict]) -> LeaseVerdict:
    try:
        return renew()
    except ServiceUnavailable:
        # Redis may be back before the lease ends; if not, the fence refuses what this attempt writes.
        return LeaseVerdict.HELD


def _stop(thread: _CrewThread, work: _Work, ended: Ended) -> Watched:
    work.context.stopped = ended.value
    thread.leave()
    cancelled = ended is Ended.CANCELLED
    if not (cancelled and work.done.wait(STOP_GRACE_S / 2)):
        thread.interrupt(StepTimedOut if ended is Ended.TIMED_OUT else StepAbandoned)
    stopped = work.done.wait(STOP_GRACE_S / 2 if cancelled else 1.0)
    return Watched(ended, left_behind=not stopped)
