"""Decides how long a command that follows a run waits for a Redis that is away, and what it says meanwhile."""

from __future__ import annotations

import time
from collections.abc import Callable

from zts_core.errors import ServiceUnavailable

OUTAGE_S = 60.0
"""Seconds without Redis after which following a run is given up; the run itself goes on."""
SILENCE_S = 2.0
"""Seconds of it that nobody needs to hear of."""


class Outage:
    """One outage after the other, each told once when it lasts, and once when it is over."""

    def __init__(self, say: Callable[[str], None], *, clock: Callable[[], float] = time.monotonic) -> None:
        self._say = say
        self._clock = clock
        self._since: float | None = None
        self._told = False

    def may_go_on(self, error: ServiceUnavailable) -> bool:
        """Whether to look once more after this error."""
        now = self._clock()
        self._since = now if self._since is None else self._since
        lasts = now - self._since
        if lasts >= SILENCE_S and not self._told:
            self._told = True
            self._say(f"{error}; nothing is lost, waiting up to {OUTAGE_S:g} s for it")
        return lasts <= OUTAGE_S

    def is_over(self) -> None:
        """A look was answered."""
        if self._told:
            self._say("Redis answers again")
        self._since, self._told = None, False
