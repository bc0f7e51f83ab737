"""Decides where a test may tell a process to die: places between two effects, with names, free when nobody asks.

`ZTS_CRASH_AT=after-commit` kills the process with SIGKILL when it comes by that place, `after-commit:3` at the third
time. `ZTS_CRASH_AT=@FILE` reads the name of the place from a file, and the process that dies removes the file first:
so one place is fatal once, for one of many processes, and a test sees that it was.
"""

from __future__ import annotations

import os
import signal
from collections import Counter
from pathlib import Path
from typing import Final

AFTER_CREATE: Final = "after-create"
AFTER_CLAIM: Final = "after-claim"
AFTER_CREW: Final = "after-crew"
AFTER_COMMIT: Final = "after-commit"
AFTER_BACK_OFF: Final = "after-back-off"
BEFORE_RECORD: Final = "before-record"
AFTER_RECORD: Final = "after-record"
MID_WAVE: Final = "mid-wave"
AFTER_SEND: Final = "after-send"
AFTER_TICK_ADMITTED: Final = "after-tick-admitted"
AFTER_REQUEUE: Final = "after-requeue"
BEFORE_UNDECIDED: Final = "before-undecided"
MID_ROTATION: Final = "mid-rotation"
"""After each value that `zts key rotate` puts; no place of a run."""

PLACES: Final = (
    AFTER_CREATE,
    AFTER_CLAIM,
    AFTER_CREW,
    AFTER_COMMIT,
    AFTER_BACK_OFF,
    BEFORE_RECORD,
    AFTER_RECORD,
    MID_WAVE,
    AFTER_SEND,
    AFTER_TICK_ADMITTED,
    AFTER_REQUEUE,
    BEFORE_UNDECIDED,
)
"""All places a run comes by, for tests that try each of them."""

# Not a setting: it must work in any process and at any time, and no user has a use for it.
_ORDER = os.environ.get("ZTS_CRASH_AT", "")
_visits: Counter[str] = Counter()


def reach(place: str) -> None:
    """Come by a place, and die there if a test says so."""
    if _ORDER:
        _visits[place] += 1
        if _is_fatal(place):
            os.kill(os.getpid(), signal.SIGKILL)


def _is_fatal(place: str) -> bool:
    if not _ORDER.startswith("@"):
        name, _, count = _ORDER.partition(":")
        return name == place and _visits[place] == int(count or 1)
    order = Path(_ORDER[1:])
    try:
        if order.read_text("utf-8").strip() != place:
            return False
        order.unlink()
    except FileNotFoundError:
        return False
    return True
