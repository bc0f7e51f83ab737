"""Decides which values every graph can hold: what JSON knows beyond them is told as text."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

LONGEST_TEXT = 64 * 1024
"""Characters of a text that go into the graph; the whole is in the store and in the run's folder."""
LONGEST_KEY = 500
"""Characters of what nodes are found by; Neo4j's indexes take about 8 kB."""
LARGEST_INT = 2**63 - 1
_PLAIN = (bool, int, float, str)


def text(value: object, *, limit: int = LONGEST_TEXT) -> str:
    """Any value as a text without what some graph cannot hold: NUL, half a surrogate pair."""
    plain = value if isinstance(value, str) else str(value)
    if not (plain.isascii() and plain.isprintable()):  # what is both is most texts, and needs no cleaning
        plain = plain.replace("\x00", "\ufffd").encode("utf-8", "replace").decode("utf-8")
    return plain if len(plain) <= limit else f"{plain[: limit - 1]}…"


def key(*parts: object) -> str:
    """What a node is found by: its parts joined by `#`."""
    return text("#".join(map(str, parts)), limit=LONGEST_KEY)


def scalar(value: Any) -> Any:
    """A value that a property can hold: None, a bool, a number or a text."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int):
        return value if abs(value) <= LARGEST_INT else str(value)
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    return text(value)


def scalars(prefix: str, data: Mapping[str, Any], *, most: int = 40) -> dict[str, Any]:
    """The top-level fields of an output that are no lists or objects, as properties `<prefix><field>`."""
    plain = ((name, value) for name, value in data.items() if isinstance(value, _PLAIN))
    return {
        text(f"{prefix}{name}", limit=100): text(value, limit=300) if isinstance(value, str) else scalar(value)
        for name, value in list(plain)[:most]
    }


def listed(value: Any) -> Sequence[Any]:
    """A list as it is; anything else as an empty one."""
    return value if isinstance(value, list | tuple) else ()
