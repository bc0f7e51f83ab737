"""Decides how long a worker waits for a store that is away before it gives up work that has been done."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

from zts_core.errors import ServiceUnavailable

Answer = TypeVar("Answer")

OUTAGE_S = 60.0
"""Seconds without Redis after which an attempt is given up; the step itself is not lost."""


def patiently(call: Callable[[], Answer], *, within_s: float = OUTAGE_S) -> Answer:
    """What `call` answers, asked again while the service is away; ServiceUnavailable after `within_s` seconds.

    Made for calls that are safe to repeat: a fence refuses what comes too late.
    """
    until = time.monotonic() + within_s
    pause_s = 0.05
    while True:
        try:
            return call()
        except ServiceUnavailable:
            if time.monotonic() >= until:
                raise
        time.sleep(pause_s)
        pause_s = min(pause_s * 2, 1.0)
