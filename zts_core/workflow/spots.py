"""Decides where a value of a workflow file was written, and what stood there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Spot:
    """The place of one value: its 1-based line, what YAML read there (`bool`, `text`, ...) and the text itself.

    `inside` holds the spots of a mapping's values or a list's items.
    """

    line: int
    read_as: str = ""
    written: str = ""
    quoted: bool = False
    inside: Mapping[str, Spot] | Sequence[Spot] = ()

    def child(self, part: str | int) -> Spot | None:
        """The spot of a member, None where there is none."""
        if isinstance(self.inside, Mapping):
            return self.inside.get(part) if isinstance(part, str) else None
        return self.inside[part] if isinstance(part, int) and part < len(self.inside) else None


def extend(path: str, part: str | int) -> str:
    """A node path with one more member: `flow/sequence` and 2 give `flow/sequence[2]`."""
    return f"{path}[{part}]" if isinstance(part, int) else f"{path}/{part}"


MAX_PATH = 500
"""Longest node path whose line is kept; below it, the nearest node around stands in."""


def lines_of(spot: Spot, path: str) -> Iterator[tuple[str, int]]:
    """The line of every value at and below a spot, by node path."""
    pending = [(path, spot)]
    while pending:
        place, current = pending.pop()
        if len(place) > MAX_PATH:
            continue
        yield place, current.line
        if isinstance(current.inside, Mapping):
            pending.extend((f"{place}/{key}", child) for key, child in current.inside.items())
        else:
            pending.extend((f"{place}[{index}]", child) for index, child in enumerate(current.inside))


def line_of(lines: Mapping[str, int], path: str) -> int:
    """The line of a node path, or of the nearest node around it; 0 where nothing is known."""
    while path:
        if path in lines:
            return lines[path]
        path = path[: max(path.rfind("/"), path.rfind("["), 0)]
    return 0
