"""Decides until when steps may go on in a worker that was told to stop: what is not done by then is handed back.

The parent hears the signal and its children have to know, also those that a pool has just started; so the time stands
in a page of memory that all of them share since before they were forked.
"""

from __future__ import annotations

import mmap
import struct
import time

_FORM = struct.Struct("d")
_shared = mmap.mmap(-1, mmap.PAGESIZE)


def leave_within(seconds: float) -> None:
    """This worker was told to stop: its steps have so long to end."""
    _FORM.pack_into(_shared, 0, time.time() + seconds)


def stay() -> None:
    """No such thing was said."""
    _FORM.pack_into(_shared, 0, 0.0)


def is_leaving() -> bool:
    """Whether this worker begins no step any more."""
    return bool(_until())


def time_is_over() -> bool:
    """Whether a step that is still at work has to be handed back."""
    return 0 < _until() <= time.time()


def _until() -> float:
    return float(_FORM.unpack_from(_shared, 0)[0])
