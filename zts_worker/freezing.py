"""Decides when a pool's child is beyond saving: nothing moves in it any more, not even the watch over its crew.

A crew that holds the interpreter's lock for ever stops every Python thread of its process, so only a thread of the C
runtime can still act. The child dies, its parent starts another, and the lease that nobody renews brings the step back.
"""

from __future__ import annotations

import faulthandler
import sys


class FreezeGuard:
    """Kills this process where nobody calls `alive` for `limit_s` seconds; does nothing while the limit is None.

    Only for processes that run one crew at a time: in a pool of threads it would kill the neighbours' crews too.
    """

    def __init__(self) -> None:
        self.limit_s: float | None = None

    def alive(self) -> None:
        """The watch over a crew still works; start counting anew."""
        if self.limit_s is not None and sys.__stderr__ is not None:
            faulthandler.dump_traceback_later(self.limit_s, exit=True, file=sys.__stderr__)

    def rest(self) -> None:
        """No crew is at work."""
        if self.limit_s is not None:
            faulthandler.cancel_dump_traceback_later()


of_this_process = FreezeGuard()
"""The guard of this process; `celery.py` gives it a limit in children of the prefork pool."""
