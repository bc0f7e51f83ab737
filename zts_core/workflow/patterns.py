"""Decides which regular expressions `matches` accepts, and how much text each may be searched in.

Python's matcher backtracks, so a careless pattern can take longer than the run it guards. A pattern is
therefore costed before it is used: every repetition multiplies the ways to match by its width, and the text it
is searched in is cut so that the product stays below `STEP_BUDGET`. Repetitions inside repetitions have no such
bound and are refused.
"""

from __future__ import annotations

import re
import warnings
from dataclasses import dataclass
from functools import lru_cache
from math import factorial

MAX_PATTERN = 500
"""Longest pattern, in characters."""

MAX_TEXT = 10_000
"""Longest text searched, in characters; costly patterns get less."""

STEP_BUDGET = 100_000_000
"""Backtracking steps one search may need in the worst case, about a second."""

_TEXT_LIMITS = (MAX_TEXT, 3_000, 1_000, 300, 100)
_REPEAT = re.compile(r"([*+?]|\{(\d*),?(\d*)\})[?+]?")
_UNSUPPORTED = re.compile(r"\(\?(?:[a-zA-Z]*x|\(|#)")
_UNBOUNDED = 0


@dataclass(frozen=True, slots=True)
class Found:
    """Whether the pattern was found, and how many characters were searched."""

    found: bool
    searched: int


@dataclass(slots=True)
class _Cost:
    """Widths of the repetitions met; `_UNBOUNDED` for those that are limited by the text alone."""

    widths: list[int]
    starts_anchored: bool

    def steps(self, characters: int) -> float:
        unbounded = self.widths.count(_UNBOUNDED)
        positions = unbounded + (0 if self.starts_anchored else 1)
        steps = float(characters) ** positions / factorial(positions)
        for width in self.widths:
            steps *= width or 1
        return steps

    def text_limit(self) -> int | None:
        return next((limit for limit in _TEXT_LIMITS if self.steps(limit) <= STEP_BUDGET), None)


def search(pattern: str, text: str) -> Found:
    """Search `pattern` in the beginning of `text`, as much of it as the pattern's cost allows.

    A pattern that `pattern_problem` refuses is never found.
    """
    limit = _assess(pattern)
    if isinstance(limit, str):
        return Found(found=False, searched=0)
    return Found(found=re.search(pattern, text[:limit]) is not None, searched=min(limit, len(text)))


def pattern_problem(pattern: str) -> str | None:
    """Why `pattern` is refused, as the end of a sentence; None where it is fine."""
    limit = _assess(pattern)
    return limit if isinstance(limit, str) else None


@lru_cache(maxsize=512)
def _assess(pattern: str) -> int | str:
    """How many characters the pattern may be searched in, or why it is refused."""
    if len(pattern) > MAX_PATTERN:
        return f"has {len(pattern)} characters, more than {MAX_PATTERN}"
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # a pattern that will mean something else one day is refused today
            re.compile(pattern)
    except (re.error, OverflowError, RecursionError, Warning) as error:
        return f"is no regular expression ({error})"
    cost = _cost(pattern)
    if isinstance(cost, str):
        return cost
    return cost.text_limit() or "has so many repetitions that a search may not end in time"


def _cost(pattern: str) -> _Cost | str:
    """Widths of all repetitions of a pattern that compiles, or why it has no bound."""
    cost = _Cost(widths=[], starts_anchored=pattern.startswith(("^", r"\A")))
    open_groups: list[bool] = []
    branching = False  # whether the group being read can match one text in several ways
    position = 0
    while position < len(pattern):
        character = pattern[position]
        group_branches: bool | None = None
        if character == "(":
            if _UNSUPPORTED.match(pattern, position):
                return "uses a comment, a conditional group or the verbose flag, which are not supported"
            open_groups.append(branching)
            branching = False
            position += 3 if pattern.startswith("(?", position) else 1
            continue
        if character == ")":
            group_branches = branching
            branching = open_groups.pop() or branching
        elif character == "|":
            cost.widths.append(2)
            branching = True
        position = _atom_end(pattern, position)
        repeat = _REPEAT.match(pattern, position) if character != "|" else None
        if repeat is None:
            continue
        position = repeat.end()
        width = _width(repeat)
        if group_branches and _times(repeat) != 1:
            return "repeats a group that holds repetitions or alternatives itself, which may never end"
        if width != 1:
            cost.widths.append(width)
            branching = True
    return cost


def _atom_end(pattern: str, position: int) -> int:
    """Where the single character, escape or character class at `position` ends."""
    if pattern[position] == "\\":
        return position + 2
    if pattern[position] != "[":
        return position + 1
    end = position + (2 if pattern.startswith("[^", position) else 1)
    end += 1  # a `]` in first place stands for itself
    while end < len(pattern) and pattern[end] != "]":
        end += 2 if pattern[end] == "\\" else 1
    return end + 1


def _bounds(repeat: re.Match[str]) -> tuple[int, int | None]:
    """Fewest and most times of a repetition; None for no upper bound."""
    mark = repeat.group(1)
    if mark in ("*", "+", "?"):
        return {"*": (0, None), "+": (1, None), "?": (0, 1)}[mark]
    least = int(repeat.group(2) or 0)
    if "," not in mark:
        return least, least
    return least, int(repeat.group(3)) if repeat.group(3) else None


def _width(repeat: re.Match[str]) -> int:
    least, most = _bounds(repeat)
    return _UNBOUNDED if most is None else most - least + 1


def _times(repeat: re.Match[str]) -> int | None:
    """How often a repeated group may be entered at most; an optional group is entered once."""
    return _bounds(repeat)[1]
