"""Decides which trace a run belongs to, and which ids its spans have whoever writes them.

The ids follow from the run's, so that a process can hang its span below one that another process writes later: the
span of a whole run or of a wave is written when that is over, and the worker that began it may be gone by then.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass

_WRITTEN = re.compile(r"00-([0-9a-f]{32})-([0-9a-f]{16})-0([01])(?: ([0-9a-f]{16}))?")
_TRACEPARENT = re.compile(r"[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})")


@dataclass(frozen=True, slots=True)
class TraceContext:
    """A run's place among traces: `root` is the id of the span of the whole run, `parent` its caller's, 0 for none."""

    trace: int
    root: int
    sampled: bool = True
    parent: int = 0

    def __str__(self) -> str:
        """A W3C `traceparent` that names the run's own span, then its parent's id where it has one."""
        parent = f" {self.parent:016x}" if self.parent else ""
        return f"00-{self.trace:032x}-{self.root:016x}-0{int(self.sampled)}{parent}"


def read_context(text: str) -> TraceContext | None:
    """What `str` of a TraceContext gave; None for anything else."""
    found = _WRITTEN.fullmatch(text)
    if found is None:
        return None
    trace, root, sampled, parent = found.groups()
    return TraceContext(int(trace, 16), int(root, 16), sampled == "1", int(parent or "0", 16))


def context_of(run_id: str, *, sampled: bool = True) -> TraceContext:
    """The context of a run that nobody called from within a trace."""
    return TraceContext(_number(run_id, size=16), span_id(run_id, "run"), sampled)


def context_below(run_id: str, traceparent: str) -> TraceContext | None:
    """The context of a run that was submitted from within a trace; None where the text is no W3C `traceparent`."""
    found = _TRACEPARENT.fullmatch(traceparent.strip().lower())
    if found is None or not int(found[1], 16) or not int(found[2], 16):
        return None
    return TraceContext(int(found[1], 16), span_id(run_id, "run"), bool(int(found[3], 16) & 1), int(found[2], 16))


def span_id(run_id: str, *what: object) -> int:
    """The id of a run's span: of `"run"`, of a `"wave"` and its ledger line, of an `"attempt"`, its step and number."""
    return _number(" ".join(map(str, (run_id, *what))), size=8)


def _number(text: str, *, size: int) -> int:
    # Zero is no id; it comes up once in 2**64.
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=size).digest()) or 1
