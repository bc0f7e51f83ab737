"""Decides when a pool's child is beyond saving: nothing moves in it any more, not even the watch over its crew.

A crew that holds the interpreter's lock for ever stops every Python thread of its process, so only the kernel can
still act: its timer ends the child with SIGALRM, whose handler in C writes down where every thread stood. The parent
starts another child, and the lease that nobody renews brings the step back.
"""

from __future__ import annotations

import faulthandler
import signal
import sys


class FreezeGuard:
    """Kills this process where nobody calls `alive` for a while; does nothing before it is `armed`.

    Only for processes that run one crew at a time: in a pool of threads it would kill the neighbours' crews too.
    """

    def __init__(self) -> None:
        self.limit_s: float | None = None

    def arm(self, limit_s: float) -> None:
        """From now on this process dies where a crew is at work and `alive` was not called for `limit_s` seconds."""
        if sys.__stderr__ is not None:
            # Chained: after the handler has written its lines, the signal does what it does by default.
            faulthandler.register(signal.SIGALRM, file=sys.__stderr__, all_threads=True, chain=True)
        self.limit_s = limit_s

    def alive(self) -> None:
        """The watch over a crew still works; start counting anew."""
        if self.limit_s is not None:
            signal.setitimer(signal.ITIMER_REAL, self.limit_s)

    def rest(self) -> None:
        """No crew is at work."""
        if self.limit_s is not None:
            signal.setitimer(signal.ITIMER_REAL, 0)


of_this_process = FreezeGuard()
"""The guard of this process; `celery.py` arms it in children of the prefork pool."""
