"""Decides how times and durations read to a person."""

from __future__ import annotations

import time

from zts_core.ports import RunRecord, StepRecord


def clock(at_ms: int) -> str:
    """Time of day, here."""
    return time.strftime("%H:%M:%S", time.localtime(at_ms / 1000))


def moment(at_ms: int) -> str:
    """Day and time, here."""
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(at_ms / 1000)) if at_ms else ""


def duration(seconds: float) -> str:
    """`3 ms`, `0.4 s`, `12 s`, `3 min 05 s`, `2 h 03 min`."""
    if 0.001 <= seconds < 0.0995:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 10:
        return f"{max(seconds, 0):.1f} s"
    if seconds < 60:
        return f"{seconds:.0f} s"
    minutes, rest = divmod(int(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest:02} s"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02} min"


def step_seconds(step: StepRecord, now_ms: int) -> float:
    """Seconds from the start of a step's newest attempt to its end, or to now; 0 where none has started."""
    if not step.started_ms:
        return 0.0
    return max(0, (step.ended_ms or now_ms) - step.started_ms) / 1000


def run_seconds(record: RunRecord, now_ms: int) -> float:
    """Seconds from a run's submission to its end, or to now."""
    return max(0, (record.finished_ms or now_ms) - record.created_ms) / 1000


def now_ms() -> int:
    """Milliseconds since 1970 by this host's clock."""
    return int(time.time() * 1000)
