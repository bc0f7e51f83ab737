"""Crews one after the other on one thread: none sees another, and one that was stopped is never waited for again."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Callable
from typing import Any, ClassVar

import pytest
from pydantic import BaseModel
from structlog.contextvars import bound_contextvars, get_contextvars

from zts_core.errors import StepAbandoned, StepTimedOut
from zts_core.ports import LeaseVerdict
from zts_worker.supervision import Ended, Watched, watch


class Context:
    """The part of an attempt's context that the watch knows."""

    def __init__(self, *, timeout_s: float = 60.0) -> None:
        self.state = "STATE"
        self.stopped: str | None = None
        self._until = time.monotonic() + timeout_s

    @property
    def seconds_left(self) -> float:
        return self._until - time.monotonic()


class Crew:
    name: ClassVar[str] = "Crew"
    namespace: ClassVar[str] = "crew"
    Output: ClassVar[type[BaseModel]] = BaseModel

    def __init__(self, act: Callable[[], Any]) -> None:
        self.act = act

    def run(self, context: Any) -> Any:
        return self.act()


def watched(
    act: Callable[[], Any],
    *,
    timeout_s: float = 60.0,
    renew: Callable[[], LeaseVerdict] = lambda: LeaseVerdict.HELD,
    every_s: float = 60.0,
) -> Watched:
    context: Any = Context(timeout_s=timeout_s)
    return watch(Crew(act), context, renew=renew, every_s=every_s)


def test_crews_that_end_by_themselves_share_one_thread() -> None:
    first, second = (watched(threading.get_ident) for _ in range(2))
    assert (first.ended, second.ended) == (Ended.BY_ITSELF, Ended.BY_ITSELF)
    assert first.value == second.value != threading.get_ident()


def test_crews_at_work_at_once_have_threads_of_their_own() -> None:
    both = threading.Barrier(2)
    found: list[Watched] = []

    def meet() -> int:
        both.wait(10)
        return threading.get_ident()

    others = [threading.Thread(target=lambda: found.append(watched(meet))) for _ in range(2)]
    for other in others:
        other.start()
    for other in others:
        other.join(20)
    assert len({each.value for each in found}) == 2


def test_an_error_is_handed_over_and_the_thread_goes_on() -> None:
    def fail() -> None:
        raise ValueError(str(threading.get_ident()))

    failed = watched(fail)
    assert isinstance(failed.error, ValueError)
    assert str(watched(threading.get_ident).value) == str(failed.error)


def test_a_crew_that_never_returns_is_left_behind_and_its_thread_is_not_used_again() -> None:
    held = threading.Event()

    def hang() -> None:
        while not held.is_set():
            try:
                held.wait(30)
            except StepTimedOut:
                continue

    stuck = watched(hang, timeout_s=0.05)
    assert (stuck.ended, stuck.left_behind) == (Ended.TIMED_OUT, True)
    assert watched(lambda: "the next crew runs").value == "the next crew runs"
    held.set()


def test_a_crew_that_was_stopped_takes_no_later_crew_along() -> None:
    released = threading.Event()

    def wait_until_told() -> None:
        try:
            while True:
                released.wait(0.01)
        except StepAbandoned:
            released.set()
            raise

    stopped = watched(wait_until_told, renew=lambda: LeaseVerdict.LOST, every_s=0.01)
    assert (stopped.ended, stopped.left_behind) == (Ended.LEASE_LOST, False)
    assert released.is_set()
    for _ in range(20):
        assert watched(lambda: 1).error is None


def test_what_log_lines_tell_is_each_crews_own() -> None:
    with bound_contextvars(run="first"):
        assert watched(get_contextvars).value == {"run": "first"}
    assert watched(get_contextvars).value == {}


def test_an_async_crew_is_awaited() -> None:
    async def later() -> str:
        return "later"

    assert watched(later).value == "later"


FREEZE = """
import ctypes
from zts_worker import freezing
freezing.of_this_process.arm(0.2)
{before}
ctypes.PyDLL(None).sleep({held_s})
print("survived")
"""


@pytest.mark.parametrize(
    ("before", "survives"),
    [
        ("freezing.of_this_process.alive()", False),
        ("freezing.of_this_process.alive(); freezing.of_this_process.rest()", True),
    ],
    ids=["at work", "at rest"],
)
def test_a_process_whose_crew_holds_the_interpreter_ends_and_says_where(before: str, survives: bool) -> None:
    code = FREEZE.format(before=before, held_s=1 if survives else 30)
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=20, check=False)
    assert (ended.stdout == "survived\n") is survives
    if not survives:
        assert ended.returncode != 0
        assert 'File "<string>", line 6' in ended.stderr
