"""Decides whether a worker goes on with a run's next step by itself, or leaves it to the queue.

A step that takes but a moment costs less than its way through a broker. A worker that ends one takes the run's next
step with its commit, while its crew is known to be quick and the worker has not stayed with the run for long: others
get their turn. Where somebody watches Celery's events every step goes through the broker and is seen there.
"""

from __future__ import annotations

import mmap
import time
from collections.abc import Callable

from zts_worker import leaving

QUICK = 0.5
"""The part of the time that a worker may stay with a run which a quick crew takes at most."""

IN_A_WIDE_WAVE = 0.25
"""The part of that time which is left in a wide wave: its window of steps stands before others in the broker already,
and each of these stays too."""

_watched = mmap.mmap(-1, mmap.PAGESIZE)
"""Whether events are sent: the parent hears of it, and its children, forked since, have to know."""


def watch(*, on: bool) -> None:
    """Somebody watches the events of this worker, or nobody does any more."""
    _watched[0] = on


class Staying:
    """How long one process stays with a run, in seconds; 0 sends every step through the broker."""

    def __init__(self, most_s: float = 0.0, *, clock: Callable[[], float] = time.monotonic) -> None:
        self.most_s = most_s
        self.clock = clock
        self._took: dict[str, float] = {}

    def begun(self) -> float:
        """Until when a worker that takes a step from the queue now may stay with its run."""
        return self.clock() + self.most_s

    def took(self, crew: str, seconds: float) -> None:
        """What a crew's last attempt took in this process."""
        self._took[crew] = seconds

    def goes_on(self, crew: str, *, until: float, wide: bool = False) -> bool:
        """Whether a step of this crew may be taken now by a worker that may stay `until`, in a `wide` wave."""
        quick = self._took.get(crew, self.most_s) <= self.most_s * QUICK
        left_s = until - self.clock() - (self.most_s * (1 - IN_A_WIDE_WAVE) if wide else 0)
        return quick and left_s > 0 and not _watched[0] and not leaving.is_leaving()
