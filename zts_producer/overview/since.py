"""Decides which words name the beginning of an overview: a span such as `30d`, or a day."""

from __future__ import annotations

import re
import time
from datetime import datetime

_SPAN = re.compile(r"(\d{1,6}(?:\.\d+)?)\s*(m|min|h|d|w)")
_SECONDS = {"m": 60, "min": 60, "h": 3600, "d": 24 * 3600, "w": 7 * 24 * 3600}


def since_ms(text: str) -> int:
    """Milliseconds since 1970; ValueError, in words for a person, where the text names no time in the past."""
    found = _SPAN.fullmatch(text.strip().lower())
    if found:
        return max(0, int((time.time() - float(found[1]) * _SECONDS[found[2]]) * 1000))
    try:
        at_ms = int(datetime.fromisoformat(text.strip()).timestamp() * 1000)
    except (ValueError, OverflowError, OSError):
        raise ValueError(
            f"{text!r} is neither a span nor a day; give a number with m, h, d or w, such as 30d, or 2026-11-01"
        ) from None
    if at_ms > time.time() * 1000:
        raise ValueError(f"{text!r} is still to come; give a day in the past, or a span such as 30d")
    return at_ms
